"""The models and operations of the agent's API, a file a concern; for client and server."""
