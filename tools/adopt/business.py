"""Decide by its name if a file leaves the copy: files of the business leave, and so does the tool for adoption."""

import re
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

from tools.adopt.tree import Tree

# The packages of chalicelib that every service needs, and the two samples of a resource. Every other package is
# business, so that a new one need not be listed.
FOUNDATION = frozenset(
    [
        "api_description",
        "audit",
        "configuration",
        "database",
        "environments",
        "health",
        "identity",
        "me",
        "publishers",
        "rest",
        "sweep",
        "systems",
        "telemetry",
    ]
)
# Names of other files that leave: files of the whole business, the tool for adoption and its page, and the pictures of
# the README.
_OTHERS = frozenset({"registry", "adopt", "copy-it", "pictures"})
_PACKAGE = re.compile(r"chalicelib/(\w+)/")
# infra/ names its files after resources of AWS, such as artifacts.tf, and has no business.
_WITHOUT_BUSINESS = "infra/"


def packages(paths: Iterable[str]) -> set[str]:
    """Return the packages of the business."""
    return {match[1] for path in paths if (match := _PACKAGE.match(path))} - FOUNDATION


def leaves(path: str, business: Collection[str]) -> bool:
    """True if a file belongs to the business or the adoption: by its own name, or by the name of a folder."""
    if path.startswith(_WITHOUT_BUSINESS) or ((match := _PACKAGE.match(path)) and match[1] in FOUNDATION):
        return False
    names = {part.split(".")[0] for part in PurePosixPath(path).parts}
    return bool(names & {*business, *_OTHERS}) or any(name.startswith("test_adopt") for name in names)


def without_business(tree: Tree) -> Tree:
    """Return the files that stay."""
    business = packages(tree)
    return {path: text for path, text in tree.items() if not leaves(path, business)}
