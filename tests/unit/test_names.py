"""One name, one meaning: no two public types of the service share a name."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

CHALICELIB = Path(__file__).parents[2] / "chalicelib"


def types_of(source: str) -> Iterator[str]:
    """Yield the public classes and type aliases that a module defines."""
    for statement in ast.parse(source).body:
        match statement:
            case ast.ClassDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                names = [name]
            case ast.Assign(targets=targets):
                names = [target.id for target in targets if isinstance(target, ast.Name)]
            case _:
                names = []
        # Constants and type variables have no lower-case letter.
        yield from (name for name in names if re.fullmatch(r"[A-Z]\w*[a-z]\w*", name))


def shared(modules: dict[str, str]) -> dict[str, list[str]]:
    """Return the names that more than one module defines, with the modules of each name."""
    defined: dict[str, list[str]] = {}
    for module, source in modules.items():
        for name in types_of(source):
            defined.setdefault(name, []).append(module)
    return {name: places for name, places in defined.items() if len(places) > 1}


def test_no_two_public_types_share_a_name() -> None:
    modules = {str(path.relative_to(CHALICELIB)): path.read_text() for path in sorted(CHALICELIB.rglob("*.py"))}

    assert shared(modules) == {}


def test_a_shared_name_is_found() -> None:
    modules = {
        "a.py": "class Target: ...\nclass _Own: ...\nLIMIT = 1\nT = TypeVar('T')",
        "b.py": "Target = Annotated[str, Meta()]\nclass _Own: ...\nLIMIT = 2\nT = TypeVar('T')",
        "c.py": "from a import Target\nclass Other: ...",
    }

    assert shared(modules) == {"Target": ["a.py", "b.py"]}
