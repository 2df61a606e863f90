"""`dev.py` itself: the report of groups, the environment, and bare containers in which it must find a way."""
