"""Remove each use of a removed module from Python code, so that the rest works without the module.

An import of a removed module goes. So does each element of a tuple, list, set or dict and each base class that uses a
name so imported, or has a string that names a removed module. If the element shares a line with others, the whole
top-level statement goes: write one entry a line.
"""

import ast
from collections.abc import Collection, Iterator

from tools.adopt import modules

Import = ast.Import | ast.ImportFrom


def pruned(source: str, gone: Collection[str]) -> str:
    """Return the code without its uses of the modules in `gone`."""
    gone, removed_names, was_used = set(gone), set[str](), None
    while True:
        tree = ast.parse(source)
        used = _used(tree)
        was_used = used if was_used is None else was_used
        cuts = [*_imports(tree, gone, removed_names), *_uses(tree, gone, removed_names)]
        if not cuts:
            cuts = [*_unused(tree, used, was_used)]
        if not cuts:
            return source
        source = _cut(source, cuts)


Cut = tuple[int, int, str]  # the first line, the last line, and the text that replaces the lines


def _imports(tree: ast.Module, gone: set[str], names: set[str]) -> Iterator[Cut]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            left = [alias for alias in node.names if not modules.named(_full(node, alias), gone)]
            if left != node.names:
                names.update(_local(alias) for alias in node.names if alias not in left)
                yield _without(node, left)


def _full(node: Import, alias: ast.alias) -> str:
    return alias.name if isinstance(node, ast.Import) else f"{node.module}.{alias.name}"


def _local(alias: ast.alias) -> str:
    return alias.asname or alias.name.split(".")[0]


def _without(node: Import, left: list[ast.alias]) -> Cut:
    if not left:
        return (node.lineno, node.end_lineno or 0, "")
    import_ = (
        ast.Import(names=left) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, left, level=node.level)
    )
    return (node.lineno, node.end_lineno or 0, " " * node.col_offset + ast.unparse(import_) + "\n")


def _uses(tree: ast.Module, gone: set[str], names: set[str]) -> Iterator[Cut]:
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    for node in ast.walk(tree):
        by_name = isinstance(node, ast.Name) and node.id in names
        by_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and _names(node.value, gone)
        if by_name or by_text:
            entry: ast.AST = node
            while (lines := _removable(entry, parents)) is None:
                entry = parents[entry]
            if isinstance(entry, ast.stmt):
                names.update(_defined(entry))
            yield lines


def _names(text: str, gone: set[str]) -> bool:
    module = modules.reference(text)
    return module is not None and modules.named(module, gone)


def _removable(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Cut | None:
    """Return the lines of a top-level statement or of an element, or None if the node is nothing that can be removed.

    The elements of a collection or of a class's bases can be removed if each has lines of its own.
    """
    parent = parents[node]
    if isinstance(parent, ast.Module):
        assert isinstance(node, ast.stmt)
        start = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        return (start, node.end_lineno or 0, "")
    if not isinstance(node, ast.expr):
        return None
    within_subscript = isinstance(parents.get(parent), ast.Subscript)  # in `Annotated[a, b]`, a tuple is no collection
    is_base = isinstance(parent, ast.ClassDef) and node in parent.bases
    if isinstance(parent, ast.Dict):
        position = [*parent.keys, *parent.values].index(node) % len(parent.keys)
        first, last = parent.keys[position] or parent.values[position], parent.values[position]
    elif is_base or (isinstance(parent, ast.Tuple | ast.List | ast.Set) and not within_subscript):
        first = last = node
    else:
        return None
    start, end = first.lineno, last.end_lineno or 0
    others = [each for each in ast.iter_child_nodes(parent) if isinstance(each, ast.expr | ast.stmt)]
    edges = {line for each in others if each not in (first, last) for line in (each.lineno, each.end_lineno or 0)}
    assert isinstance(parent, ast.expr | ast.stmt)
    edges |= {parent.lineno} if is_base else {parent.lineno, parent.end_lineno or 0}
    return None if any(start <= line <= end for line in edges) else (start, end, "")


def _defined(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        yield statement.name
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    yield from (target.id for target in targets if isinstance(target, ast.Name))


def _used(tree: ast.Module) -> set[str]:
    loaded = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return loaded | {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) if type(node.value) is str}


def _unused(tree: ast.Module, used: set[str], was_used: set[str]) -> Iterator[Cut]:
    """Yield the imports and the private names that only the removed code used."""
    for node in tree.body:
        if isinstance(node, Import):
            left = [alias for alias in node.names if _local(alias) in used or _local(alias) not in was_used]
            if left != node.names:
                yield _without(node, left)
        else:
            names = [*_defined(node)]
            if names and all(name.startswith("_") and name in was_used and name not in used for name in names):
                yield (node.lineno, node.end_lineno or 0, "")


def _cut(source: str, cuts: list[Cut]) -> str:
    """Replace the lines. The comment above a removed line explains that line, so it goes too."""
    lines = source.splitlines(keepends=True)
    done: list[tuple[int, int]] = []
    for first, last, text in sorted(set(cuts), key=lambda cut: (-cut[1], cut[0])):
        if any(first >= other_first and last <= other_last for other_first, other_last in done):
            continue  # inside of lines that are removed already
        done.append((first, last))
        start = first - 1
        indent = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
        while not text and start and lines[start - 1].startswith(f"{indent}#"):
            start -= 1
        lines[start:last] = [text] if text else []
    return "".join(lines)
