"""End records whose time is over, and delete old idempotency keys. Reads show records as ended before the sweep."""
