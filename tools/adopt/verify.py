"""Check an adopted tree before it is written: code, links, paths and names."""

import ast
import re
from collections.abc import Iterator

from tools.adopt import markup, modules
from tools.adopt.modules import Modules
from tools.adopt.tree import Tree
from tools.adopt.words import Words

_PATH = re.compile(r"(?<![\w/.-])(?:\./)?((?:app|chalicelib|docs|infra|tests|tools|web|\.github)(?:/[\w.-]+)+)")


def faults(old: Tree, new: Tree, words: Words) -> list[str]:
    """Return what is wrong with the adopted tree, a line each, with the file."""
    known = Modules(new)
    names = {path: defined(text) for path, text in new.items() if path.endswith(".py")}
    removed = with_folders(old) - with_folders(new)
    exist = with_folders(new)
    found: list[str] = []
    for path, text in sorted(new.items()):
        if path.endswith(".py"):
            found += [f"{path} {fault}" for check in (_imports, _attributes) for fault in check(text, known, names)]
        if path.endswith(".md"):
            found += [f"{path} links {link}, which does not exist" for link in _bad_links(path, text, new, exist)]
        found += [f"{path} names {each}, which is removed" for each in sorted(_mentioned(path, text) & removed)]
        if not keeps_the_name(path):
            found += [f"{path} has the template's name: {line[:100]}" for line in words.remains(text)]
    return found


def keeps_the_name(path: str) -> bool:
    """True if a file may name the template: code that other repositories run, the licence, and the record."""
    return path in ("LICENSE", ".template.json") or path.startswith(
        ("tools/slipway_client/", ".github/actions/record/", ".github/actions/may-promote/")
    )


def with_folders(tree: Tree) -> set[str]:
    found = {"."}
    for path in tree:
        parts = path.split("/")
        found.update("/".join(parts[:length]) for length in range(1, len(parts) + 1))
    return found


def defined(source: str) -> set[str]:
    """Return the names that a module has: all that its statements bind, however deep."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                found.update(alias.asname or alias.name.split(".")[0] for alias in aliases)
    return found


def _imports(source: str, known: Modules, names: dict[str, set[str]]) -> Iterator[str]:
    """Yield the imports and the texts that name a module, or a name of a module, which does not exist."""
    for node in ast.walk(ast.parse(source)):
        wanted: list[tuple[str, str]] = []
        match node:
            case ast.Import(names=aliases):
                wanted = [(alias.name, "") for alias in aliases]
            case ast.ImportFrom(module=str(module), names=aliases):
                wanted = [(module, alias.name) for alias in aliases]
            case ast.Constant(value=str(text)) if reference := modules.reference(text):
                if not _exists(reference, known, names):
                    yield f"line {node.lineno} names {reference}, which does not exist"
        for module, name in wanted:
            ours = module.split(".")[0] in modules.ROOTS
            if ours and not (module in known and (not name or _has(module, name, known, names))):
                yield f"imports {f'{module}.{name}'.rstrip('.')}, which does not exist"


def _attributes(source: str, known: Modules, names: dict[str, set[str]]) -> Iterator[str]:
    """Yield the uses of a name in an imported module, such as `rules.soaked`, that does not exist."""
    nodes = [*ast.walk(ast.parse(source))]
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    rebound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    rebound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id not in rebound:
            module = imported.get(node.value.id, "")
            if module in known and not node.attr.startswith("__") and not _has(module, node.attr, known, names):
                yield f"line {node.lineno} uses {module}.{node.attr}, which does not exist"


def _exists(reference: str, known: Modules, names: dict[str, set[str]]) -> bool:
    """True if a dotted name is a module, a name of a module, or an attribute of such a name."""
    module, rest = reference, ""
    while module and module not in known:
        module, _, last = module.rpartition(".")
        rest = f"{last}.{rest}"
    return not rest or _has(module, rest.split(".")[0], known, names)


def _has(module: str, name: str, known: Modules, names: dict[str, set[str]]) -> bool:
    file = module.replace(".", "/")
    bound = names.get(f"{file}.py", names.get(f"{file}/__init__.py", set()))
    return name in bound or f"{module}.{name}" in known


def _bad_links(path: str, text: str, tree: Tree, exist: set[str]) -> Iterator[str]:
    for link, target in markup.links(path, text):
        anchor = link.partition("#")[2]
        if target not in exist or (
            anchor and target in tree and target.endswith(".md") and anchor not in _anchors(tree[target])
        ):
            yield link


def _anchors(page: str) -> set[str]:
    headings = re.findall("^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _mentioned(path: str, text: str) -> set[str]:
    """Return the paths that a text mentions, without links."""
    prose = markup.LINK.sub("", text) if path.endswith(".md") else text
    return {match.rstrip(".") for match in _PATH.findall(prose)}
