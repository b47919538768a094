"""Ask the person at the terminal."""

import sys

from tools.checkout import ToolError


def require_consent(word: str, *, question: str = "", otherwise: str = "set YES=1") -> None:
    """Ask the person to type a word. Raise ToolError without it. `otherwise` says what to do without a terminal."""
    if not sys.stdin.isatty():
        raise ToolError(f"There is no terminal to ask for your consent: {otherwise}")
    if input(f"{question}Type {word} to go on: ").strip() != word:
        raise ToolError(f"Nothing was done: run the command again, and type {word} to go on")
