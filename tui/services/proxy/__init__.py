"""The proxy of this host: what each program that reaches out has to be told, and whether the proxy works.

One module a consumer makes its file from the same `Settings`; `plan` puts them together, `target` lets services
follow, `trial` tries a proxy before anything is written.
"""
