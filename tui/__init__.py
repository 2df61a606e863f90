"""The console application of an edge host and its service layer."""

__version__ = "0.1.0"
