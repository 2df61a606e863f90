"""Talking to the local agent of a host, ours or another one that speaks the Local Management API."""
