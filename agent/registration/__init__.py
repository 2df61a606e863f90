"""Registration with a management plane, by the agent, whether or not anybody looks.

`plane` is what a management plane has to be, `palette` the one that there is, `way` looks at the way there,
`memory` is what survives a power cut, `registrar` puts them together.
"""
