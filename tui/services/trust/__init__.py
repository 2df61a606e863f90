"""Authorities that this host trusts beyond its distribution: read, judged, put into every store, proven."""
