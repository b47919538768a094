"""Read the sources of a package from a git tree, byte for byte.

A checkout can differ from its tree although `git status` is empty: by files that git ignores, other line endings, a
sparse checkout, or files whose changes git was told to overlook. `git archive` also follows settings of the checkout.
"""

import hashlib
import io
import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from tools.checkout import ToolError, git, git_bytes
from tools.package import compose

# The file with the tree's id, beside a package that is named by its tree.
NAMED = "tree"

_FOLDER, _LINK, _SUBMODULE = "040000", "120000", "160000"
# How blobs begin that stand for the content of a file: the content itself is elsewhere, or encrypted.
_STANDS_FOR = {
    b"version https://git-lfs.github.com/spec/": "Git LFS has its content",
    b"/annex/objects/": "git-annex has its content",
    b"\0GITCRYPT\0": "git-crypt encrypted it",
}

# The mode, the object's id and the path of a file or folder.
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
        for (mode, _, path), content in zip(entries, _contents(root, entries), strict=True):
            done.add(path)
            if mode == _FOLDER:
                continue
            if mode == _LINK:
                ahead.append(_inside(tree, path, os.fsdecode(content)))
                links[path] = folder / path
            elif said := next((said for begin, said in _STANDS_FOR.items() if content.startswith(begin)), None):
                raise _refused(tree, path, f"{said}. Commit the file itself, or load the file at run time")
            _write(tree, path, folder / path, content, link=mode == _LINK)
    _require_ends(tree, folder.resolve(), links)


def _write(tree: str, path: str, target: Path, content: bytes, *, link: bool) -> None:
    try:
        path.encode()
        target.parent.mkdir(parents=True, exist_ok=True)
        if link:
            target.symlink_to(os.fsdecode(content))
        else:
            with target.open("xb") as file:
                file.write(content)
    except FileExistsError:
        raise _refused(tree, path, "another file has the same name on this machine. Rename one") from None
    except UnicodeEncodeError:
        raise _refused(tree, path, "its name is not UTF-8. Rename the file") from None
    except (OSError, ValueError) as error:
        raise _refused(tree, path, f"this machine can't write it ({error}). Rename or remove the file") from None


def _require_ends(tree: str, folder: Path, links: Mapping[str, Path]) -> None:
    """Raise ToolError unless each link leads to a file, or to a folder that does not contain itself."""
    for path, link in links.items():
        try:
            leads_to = link.resolve(strict=True)
        except (OSError, RuntimeError):  # Python 3.11 and 3.12 raise RuntimeError for links in a circle
            leads_to = Path("/")
        if not leads_to.is_relative_to(folder):
            raise _refused(tree, path, "it is a link that leads to no file in the tree. Commit the file itself")
    for path, link in links.items():
        parent = link.parent.resolve()
        if _is_endless(link, {parent, *parent.parents}):
            raise _refused(tree, path, "it is a link to a folder that contains itself. Commit the files themselves")


def _is_endless(path: Path, above: AbstractSet[Path]) -> bool:
    """Return True if following links never ends in a folder. `above` has the folders that lead there."""
    itself = path.resolve()
    below = itself.iterdir() if itself.is_dir() and itself not in above else ()
    return itself in above or any(_is_endless(each, above | {itself}) for each in below)


def _entries(root: Path, tree: str, paths: Sequence[str]) -> Iterator[_Entry]:
    listed = git(root, "--literal-pathspecs", "ls-tree", "-r", "-t", "-z", "--full-tree", tree, "--", *paths)
    if listed.returncode != 0:
        raise ToolError(f"git can't read the tree {tree}: {listed.stderr.strip()}. Run `git fsck`")
    for line in listed.stdout.split("\0")[:-1]:
        about, path = line.split("\t", 1)
        mode, _, id_ = about.split(" ")
        if mode == _SUBMODULE:
            raise _refused(tree, path, "it is a submodule, whose files are in another repository. Commit the files")
        yield mode, id_, path


def _contents(root: Path, entries: Sequence[_Entry]) -> Iterator[bytes]:
    """Yield the content of each entry. Git does not check that these contents fit their ids."""
    asked = "".join(f"{id_}\n" for _, id_, _ in entries).encode()
    told = io.BytesIO(git_bytes(root, "cat-file", "--batch", given=asked).stdout)
    for mode, id_, path in entries:
        kind = b"tree" if mode == _FOLDER else b"blob"
        about = told.readline().split()
        if about[1:2] != [kind]:
            raise ToolError(f"git has no content of {path} ({id_}): run `git fetch --refetch`, or clone again")
        content = told.read(int(about[2]))
        told.readline()
        hashed = hashlib.new("sha1" if len(id_) == 40 else "sha256", b"%s %d\0%s" % (kind, len(content), content))
        if hashed.hexdigest() != id_:
            raise ToolError(f"git's content of {path} ({id_}) is damaged: run `git fsck`, or clone again")
        yield content


def _inside(tree: str, path: str, to: str) -> str:
    """Return the path in the tree that a link leads to, or raise ToolError."""
    leads_to = posixpath.normpath(posixpath.join(posixpath.dirname(path), to))
    if leads_to.startswith(("/", "../")) or leads_to in (".", ".."):
        raise _refused(tree, path, f"it is a link to {to}, which is not in the tree. Commit the file itself")
    return leads_to


def _refused(tree: str, path: str, reason: str) -> ToolError:
    name = os.fsencode(path).decode(errors="backslashreplace")
    return ToolError(f"The tree {tree} does not have the file {name} of the package: {reason}")
