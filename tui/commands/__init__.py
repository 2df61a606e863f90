"""One verb of the `onsite` command a file."""
