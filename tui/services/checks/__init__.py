"""Checks: is what somebody wants possible (`address`), and does the network agree (`probe`)."""
