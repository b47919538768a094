"""Read the sources of a package from a git tree, byte for byte.

A checkout can differ from its tree although `git status` is empty: by files that git ignores, other line endings, a
sparse checkout, or files whose changes git was told to overlook. `git archive` also follows settings of the checkout.
"""

import io
import os
import posixpath
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.checkout import ToolError, git
from tools.package import compose

_LINK, _SUBMODULE = "120000", "160000"
# How blobs begin that stand for the content of a file: the content itself is elsewhere, or encrypted.
_STANDS_FOR = {
    b"version https://git-lfs.github.com/spec/": "Git LFS has its content",
    b"/annex/objects/": "git-annex has its content",
    b"\0GITCRYPT\0": "git-crypt encrypted it",
}

# The mode, the blob's id and the path of a file.
_Entry = tuple[str, str, str]


def extract(root: Path, tree: str, folder: Path, sources: Sequence[str] = compose.SOURCES) -> None:
    """Write the sources of a tree into a new folder, or raise ToolError for a file that the tree does not have.

    A link stays a link, and the file that it leads to is written too.
    """
    folder.mkdir(parents=True)
    links: dict[str, Path] = {}
    ahead, done = [*sources], set[str]()
    while ahead:
        entries = [entry for entry in _entries(root, tree, ahead) if entry[2] not in done]
        ahead = []
        for (mode, _, path), content in zip(entries, _blobs(root, entries), strict=True):
            done.add(path)
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if mode == _LINK:
                to = os.fsdecode(content)
                ahead.append(_inside(tree, path, to))
                target.symlink_to(to)
                links[path] = target
                continue
            if said := next((said for begin, said in _STANDS_FOR.items() if content.startswith(begin)), None):
                raise _refused(tree, path, f"{said}. Commit the file itself, or load the file at run time")
            try:
                with target.open("xb") as file:
                    file.write(content)
            except FileExistsError:
                raise _refused(tree, path, "another file has the same name on this machine. Rename one") from None
    for path, link in links.items():
        try:
            leads_to = link.resolve(strict=True)
        except (OSError, RuntimeError):  # Python 3.11 and 3.12 raise RuntimeError for links in a circle
            leads_to = Path("/")
        if not leads_to.is_relative_to(folder.resolve()) or link.parent.resolve().is_relative_to(leads_to):
            raise _refused(tree, path, "it is a link that leads to no file in the tree. Commit the file itself")


def _entries(root: Path, tree: str, paths: Sequence[str]) -> Iterator[_Entry]:
    # Without replacements, because `git replace` is a setting of the checkout too.
    listed = git(root, "--no-replace-objects", "ls-tree", "-r", "-z", "--full-tree", tree, "--", *paths)
    if listed.returncode != 0:
        raise ToolError(f"git can't read the tree {tree}: {listed.stderr.strip()}. Run `git fsck`")
    for line in listed.stdout.split("\0")[:-1]:
        about, path = line.split("\t", 1)
        mode, _, blob = about.split(" ")
        if mode == _SUBMODULE:
            raise _refused(tree, path, "it is a submodule, whose files are in another repository. Commit the files")
        yield mode, blob, path


def _blobs(root: Path, entries: Sequence[_Entry]) -> Iterator[bytes]:
    """Yield the content of each entry."""
    asked = "".join(f"{blob}\n" for _, blob, _ in entries).encode()
    command = ["git", "--no-replace-objects", "cat-file", "--batch"]
    told = io.BytesIO(subprocess.run(command, cwd=root, input=asked, capture_output=True, check=False).stdout)
    for _, blob, path in entries:
        about = told.readline().split()
        if about[1:2] != [b"blob"]:
            raise ToolError(f"git has no content of {path} ({blob}): run `git fetch --refetch`, or clone again")
        yield told.read(int(about[2]))
        told.readline()


def _inside(tree: str, path: str, to: str) -> str:
    """Return the path in the tree that a link leads to, or raise ToolError."""
    leads_to = posixpath.normpath(posixpath.join(posixpath.dirname(path), to))
    if leads_to.startswith(("/", "../")) or leads_to in (".", ".."):
        raise _refused(tree, path, f"it is a link to {to}, which is not in the tree. Commit the file itself")
    return leads_to


def _refused(tree: str, path: str, reason: str) -> ToolError:
    return ToolError(f"The tree {tree} does not have the file {path} of the package: {reason}")
