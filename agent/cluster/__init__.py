"""The cluster of this host: wanted as the contract says it, made by jobs over an engine, told as the contract asks."""
