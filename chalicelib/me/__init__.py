"""Who is asking, as the service sees it."""
