"""What `make acceptance` is made of: whom it asks, how it asks, and what it reports. The checks: tests/acceptance."""
