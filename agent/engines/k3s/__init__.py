"""k3s: the second driver. Rendered and driven against a recording stand-in; not yet proven on real hardware."""

PROVEN = False
"""No k3s was to be had where this was written; whoever reports a cluster of this engine says so too."""
