"""The client, settings and report of `make acceptance`. The checks are in tests/acceptance."""
