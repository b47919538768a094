"""Holds: freezes, pins and bad marks, which stop promotion."""
