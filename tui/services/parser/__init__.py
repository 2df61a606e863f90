"""The parser child: the one process that looks into foreign files.

It is started for one file, gives up its rights before it has read a byte of it, and answers in JSON. `run.parse` is
the parent's side; `__main__` the child's. What it can read is a function of bytes in a module of its own, named in
`__main__.READERS`.
"""
