"""Print text of others on a terminal."""


def harmless(text: str, *, besides: str = "") -> str:
    """Escape unprintable characters, because they could control the terminal. Keep the characters in `besides`."""
    return "".join(char if char.isprintable() or char in besides else repr(char)[1:-1] for char in text)
