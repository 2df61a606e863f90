"""The wheel in a fresh environment, and what must agree across the tree."""
