"""Remove the business from files that are not Python: marked passages, rows and list items, targets, module names."""

import ast
import fnmatch
import posixpath
import re
from collections.abc import Collection, Iterator

from tools.adopt.modules import Modules
from tools.adopt.tree import Tree

# `registry` marks what belongs to the business, and `template` marks what only the template needs.
_MARKED = re.compile(
    r"(?P<before>^\n)?^[ \t]*(?P<open><!--|#|//|/\*) (?P<word>registry|template)(?: -->| \*/)?[ \t]*\n(?:.*\n)*?"
    r"[ \t]*(?P=open) /(?P=word)(?: -->| \*/)?[ \t]*\n(?P<after>\n)?",
    re.MULTILINE,
)
_MARKER = re.compile(r"^[ \t]*(?:<!--|#|//|/\*) /?(?:registry|template)(?: -->| \*/)?[ \t]*$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_STEP = re.compile(r"(?:\t.*\\\n)*\t.*\n")
_COMMAND = re.compile(r"\$\(tools\) ([a-z]+) ([a-z-]+)")


def without_marked(text: str) -> str:
    """Remove the passages between markers, such as `# registry` and `# /registry`. Raise ValueError at a lone one."""
    left = _MARKED.sub(lambda match: "\n" if match["before"] or match["after"] else "", text)
    if lone := _MARKER.search(left):
        raise ValueError(f"the marker {lone[0].strip()!r} has no partner: add it")
    return left


def links(path: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield each link of a page to another file of the repository: the link, and the path that it leads to."""
    for link in LINK.findall(_FENCE.sub("", text)):
        if not re.match(r"[a-z]+:", link):
            file = link.partition("#")[0]
            yield link, posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path


def without_links(path: str, text: str, exists: Collection[str]) -> str:
    """Remove the rows of tables and the items of lists that link to a missing file, and tables without rows."""
    lines = text.splitlines(keepends=True)
    kept: list[str] = []
    at = 0
    fenced = False
    while at < len(lines):
        own, whole = _entry(lines, at)
        fenced ^= lines[at].lstrip().startswith("```")
        dead = any(target not in exists for _, target in links(path, "".join(lines[at:own])))
        if dead and not fenced and _ENTRY.match(lines[at]):
            at = whole
        else:
            kept += lines[at:own]
            at = own
    return re.sub(r"^\|.*\|\n\|[-| :]+\|\n(?!\|)\n?", "", "".join(kept), flags=re.MULTILINE)


_ENTRY = re.compile(r"(?P<indent> *)(?:[-*]|\d+\.) |\|")


def _entry(lines: list[str], at: int) -> tuple[int, int]:
    """Return where the entry that starts at a line ends, without the items below it and with them."""
    start = _ENTRY.match(lines[at])
    own = end = at + 1
    if start and start["indent"] is not None:
        while end < len(lines) and re.match(rf" {{{len(start['indent']) + 1},}}\S", lines[end]):
            own = end + 1 if own == end and not _ENTRY.match(lines[end]) else own
            end += 1
    return own, end


def makefile(text: str, commands: Collection[tuple[str, str]], removed: Collection[str]) -> str:
    """Remove steps and targets that name a removed path, or a command of `tools` that is missing.

    A removed path goes alone if its step of a recipe names others too, otherwise with its step. A target without a step
    that is left goes too.
    """

    def of_step(match: re.Match[str]) -> str:
        step = match[0]
        paths = [word for word in re.findall(r"[\w./-]+/[\w./-]+", step) if not word.startswith(".")]
        left = [path for path in paths if path not in removed]
        lost_command = any(command not in commands for command in _COMMAND.findall(step))
        if lost_command or (paths and not left):
            return ""
        for path in set(paths) - set(left):
            step = step.replace(f" {path}", "")
        return step

    def of_target(match: re.Match[str]) -> str:
        recipe = _STEP.sub(of_step, match["recipe"])
        return match["head"] + recipe if recipe else ""

    left = re.sub(r"^(?P<head>[a-z][a-z-]*:.*\n)(?P<recipe>(?:\t.*\n)+)", of_target, text, flags=re.MULTILINE)
    # A heading of `make help` without targets goes too.
    return re.sub(r"^##@ .*\n\n(?=##@ )", "", left, flags=re.MULTILINE)


def commands(tree: Tree) -> set[tuple[str, str]]:
    """Return the group and the name of each command of `python -m tools`."""
    groups = next(_dicts(tree["tools/__main__.py"], "GROUPS"))
    found = set()
    for group, (_, where) in groups.items():
        folder = f"tools/{where.removeprefix('tools.').removesuffix('.commands')}/"
        for path, text in tree.items():
            if path.startswith(folder) and path.endswith("/commands.py"):
                found |= {(group, name) for name in re.findall(r'\bCommand\(\s*"([a-z-]+)"', text)}
    return found


def _dicts(source: str, name: str) -> Iterator[dict[str, tuple[str, str]]]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            yield ast.literal_eval(node.value)


def toml(text: str, modules: Modules, gone: Collection[str]) -> str:
    """Remove the elements of lists, one a line or in a line, that name a removed module or match no module any more."""

    def stays(value: str) -> bool:
        if "*" in value:
            was = any(fnmatch.fnmatchcase(name, value) for name in gone)
            return not was or any(fnmatch.fnmatchcase(name, value) for name in modules.names)
        return value not in gone

    def of_list(match: re.Match[str]) -> str:
        key, values = match["key"], re.findall(r'"([^"]*)"', match["values"])
        containers = [each for each in gone if each.count(".") == 1] if key == "layers" else []
        names = {each.partition(".")[2] for each in containers}
        left = [value for value in values if stays(value) and value not in names]
        if left == values:
            return match[0]
        if "\n" not in match["values"]:
            return f"{key} = [" + ", ".join(f'"{value}"' for value in left) + "]"
        return re.sub(
            r'^ *"([^"]*)",?\n', lambda line: line[0] if line[1] in left else "", match[0], flags=re.MULTILINE
        )

    return re.sub(r'^(?P<key>\w+) = \[(?P<values>(?:\s*"[^"]*",?)*\s*)\]', of_list, text, flags=re.MULTILINE)
