"""Print text of others on a terminal, and ask the person there."""

import sys

from tools.checkout import ToolError


def harmless(text: str, *, besides: str = "") -> str:
    """Escape unprintable characters, because they could control the terminal. Keep the characters in `besides`."""
    return "".join(char if char.isprintable() or char in besides else repr(char)[1:-1] for char in text)


def require_consent(word: str, *, question: str = "", otherwise: str = "set YES=1") -> None:
    """Ask the person to type a word. Raise ToolError without it. `otherwise` says what to do without a terminal."""
    if not sys.stdin.isatty():
        raise ToolError(f"There is no terminal to ask for your consent: {otherwise}")
    if input(f"{question}Type {word} to go on: ").strip() != word:
        raise ToolError(f"Nothing was done: run the command again, and type {word} to go on")
