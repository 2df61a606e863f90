"""The cluster of this host as the agent's contract tells it, made into what a person sees."""
