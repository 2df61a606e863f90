"""Bundles and cluster definitions: built, looked into, verified, imported, kept.

`unpack` is the confined child that decompresses; everything else sees a plain tar stream. What is imported lies
under /var/lib/onsite/content: each part once, under its SHA-256, and each bundle as a folder of links to its parts.
"""
