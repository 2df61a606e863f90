"""The support bundle: collected and masked first, shown, then written to a file, a stick or a link for one download.

What a person sees before it is written is what is written: the same bytes. Secrets are taken out twice, by the names of
settings (`tui.models.masking`) and by value: what this host is configured with is read (`secrets`) and searched for in
every spelling (`spelling`), and a member in which one is left after that is not written at all.
"""
