"""The files of a checkout in memory, so that a change is complete and checked before anything is written."""

from pathlib import Path

from tools import checkout
from tools.checkout import ToolError

# The text of each file by its path. Bytes that are not UTF-8 stay as they are.
Tree = dict[str, str]


def read(root: Path) -> Tree:
    """Return the files that git tracks."""
    listed = git(root, "ls-files", "-z").split("\0")
    paths = [path for path in listed if path and (root / path).is_file() and not (root / path).is_symlink()]
    return {path: (root / path).read_bytes().decode("utf-8", "surrogateescape") for path in paths}


def write(root: Path, old: Tree, new: Tree) -> None:
    """Write the files that differ, and delete the others with the folders that become empty."""
    for path in old.keys() - new.keys():
        (root / path).unlink()
        for folder in (root / path).parents:
            if folder == root or any(each.name != "__pycache__" for each in folder.iterdir()):
                break
            for cached in folder.glob("__pycache__/*"):
                cached.unlink()
            if (folder / "__pycache__").exists():
                (folder / "__pycache__").rmdir()
            folder.rmdir()
    for path, text in new.items():
        if old.get(path) != text:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(text.encode("utf-8", "surrogateescape"))


def git(root: Path, *arguments: str) -> str:
    """Run git and return its output, or raise ToolError."""
    done = checkout.git(root, *arguments)
    if done.returncode:
        raise ToolError(f"git {arguments[0]} failed: {done.stderr.strip()}. Adopt a clone of the repository")
    return done.stdout
