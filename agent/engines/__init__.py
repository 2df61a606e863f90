"""Kubernetes engines: one driver each, behind the interface of `agent.engines.engine`."""
