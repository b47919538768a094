"""Tools for writing tests."""
