"""Linked hosts: one leads, the others follow; each pins the certificate of each, and every call is mutual TLS."""
