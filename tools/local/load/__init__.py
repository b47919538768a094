"""The load test of a running service: `make load URL=https://…` (docs/load.md)."""
