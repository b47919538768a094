"""Bindings of environments to the instances of their dependencies, and crosstalk: instances that are shared."""
