"""Number the migrations that are left again, without gaps. A copy has no database yet, so their numbers may change."""

import re

from tools.adopt.tree import Tree

_MIGRATION = re.compile(r"(chalicelib/\w+/migrations/)(\d{4})(_\w+\.sql)")


def renumbered(tree: Tree) -> Tree:
    """Return the tree with new numbers in the names of migrations, and in all texts that mention such a name."""
    found = sorted((path for path in tree if _MIGRATION.fullmatch(path)), key=lambda path: path.rpartition("/")[2])
    names: dict[str, str] = {}
    for number, path in enumerate(found, 1):
        old = path.rpartition("/")[2]
        names[old] = f"{number:04}{old[4:]}"
    changed = {old: new for old, new in names.items() if old != new}
    if not changed:
        return tree
    old_name = re.compile(r"\b(" + "|".join(map(re.escape, (old.removesuffix(".sql") for old in changed))) + r")\b")

    def new_name(match: re.Match[str]) -> str:
        return changed[f"{match[1]}.sql"].removesuffix(".sql")

    return {old_name.sub(new_name, path): old_name.sub(new_name, text) for path, text in tree.items()}
