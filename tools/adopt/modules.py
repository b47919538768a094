"""Find the modules of a tree, and the modules that a text names."""

import re
from collections.abc import Iterable

ROOTS = ("app", "chalicelib", "tools", "tests")
_REFERENCE = re.compile(rf"(?:{'|'.join(ROOTS[1:])})(?:\.\w+)+(?::\w+)?")


class Modules:
    """The modules and packages of a tree, by their dotted names."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.names: set[str] = set()
        for path in paths:
            if path.endswith(".py"):
                parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
                self.names.update(".".join(parts[:length]) for length in range(1, len(parts) + 1))

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def gone(self, later: "Modules") -> set[str]:
        """Return the modules that `later` lacks."""
        return self.names - later.names


def reference(text: str) -> str | None:
    """Return the dotted name if a whole text is one, such as `tools.local.run`, or None.

    A command's `module:function` counts as `module.function`.
    """
    return text.replace(":", ".") if _REFERENCE.fullmatch(text) else None


def named(reference: str, modules: Iterable[str]) -> bool:
    """True if a dotted name is one of the modules, or a name in one of them."""
    known = modules if isinstance(modules, set) else set(modules)
    parts = reference.split(".")
    return any(".".join(parts[:length]) in known for length in range(2, len(parts) + 1))
