"""Delivery metrics: DORA's five figures of 2025 about the highest environment of a system, and what waits for it."""
