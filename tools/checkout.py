"""Define the folders, environments and errors that the tools share, and functions that lock, read and write files.

This module uses only the standard library: the actions for other repositories run it with any Python.
"""

import codecs
import fcntl
import json
import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chalicelib import NAME, __version__

ROOT = Path(__file__).parents[1]
LOCAL_STATE = ROOT / ".local"

# The environments, in the order of promotion. Each name is also a Chalice stage, a folder in infra/, a branch and a
# GitHub environment.
ENVIRONMENTS = ("development", "preproduction", "production")

# The User-Agent of the tools' requests. The firewall (infra/modules/firewall) refuses requests without this header.
USER_AGENT = f"{NAME}-tools/{__version__}"

# With these variables, git would read another repository than the checkout, or other paths than the given ones. Git's
# hooks set some of them.
_OF_GIT = {"GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"}
_OF_GIT |= {f"GIT_{how}_PATHSPECS" for how in ("ICASE", "GLOB", "NOGLOB", "LITERAL")}
# Replaced objects and grafts belong to one clone. Without them, a commit is the same in each clone.
_AS_COMMITTED = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": f"{os.devnull}/none"}
_OF_ANOTHER_OWNER = re.compile(r"(?:dubious ownership in repository at|unsafe repository \()[ ]?'(.+?)'")


class ToolError(Exception):
    """A tool can't do its work. The message says why and what to do next. No traceback is printed."""

    exit_code = 1


class UsageError(ToolError):
    """An option or a variable is wrong or missing."""

    exit_code = 2


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for the lock on `path`, and hold the lock until the block or the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def read_json(path: Path) -> Any:
    """Return the document in a JSON file. Raise FileNotFoundError if it does not exist, ToolError if it is no JSON.

    The file may be in UTF-8, UTF-16 or UTF-32, with a byte-order mark or without: PowerShell writes such files.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise ToolError(f"{path} can't be read as JSON ({error}): write the file again, as JSON in UTF-8") from None


def read_text(path: Path) -> str:
    """Return a text file that a program wrote. It is UTF-8, unless its byte-order mark says UTF-16."""
    content = path.read_bytes()
    utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if utf_16 else "utf-8-sig", errors="replace")


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file so that a reader sees either the whole old text or the whole new text."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    Path(temporary).chmod(mode)
    Path(temporary).replace(path)


def git(root: Path, *arguments: str, errors: str = "surrogateescape") -> "subprocess.CompletedProcess[str]":
    """Run git in a checkout. The caller must check the return code.

    Raise ToolError if git can't be started, takes more than a minute, or refuses the checkout because of its owner.
    """
    done = git_bytes(root, *arguments)
    # Python's own decoding would turn a carriage return, for example in a file's name, into a line feed.
    out, err = (text.decode("utf-8", errors) for text in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


def git_bytes(root: Path, *arguments: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """Run git in a checkout, with `given` as its input. Raise the same errors as `git`."""
    command = ["git", *arguments]
    environ = {name: value for name, value in os.environ.items() if name not in _OF_GIT}
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env={**environ, **_AS_COMMITTED, "LC_ALL": "C"},  # the messages in English
            input=given,
            capture_output=True,
            timeout=60,
            check=False,
        )
    except FileNotFoundError:
        raise ToolError("git is not on the PATH: install git") from None
    except OSError as error:
        raise ToolError(f"git can't be started ({error.strerror}): install git again") from None
    except subprocess.TimeoutExpired:
        raise ToolError(f"{shlex.join(command)} took more than a minute: run the command again") from None
    # https://git-scm.com/docs/git-config#Documentation/git-config.txt-safedirectory
    if done.returncode and (refused := _OF_ANOTHER_OWNER.search(os.fsdecode(done.stderr))):
        raise ToolError(
            f"The checkout {refused[1]} belongs to another user, so git does not read it. If you trust its content, "
            f"run `git config --global --add safe.directory {shlex.quote(refused[1])}` first (in a workflow, as a step "
            "before this one)"
        )
    return done


def without_ignored(root: Path, folder: str) -> Callable[[str, list[str]], set[str]]:
    """Return an `ignore` for shutil.copytree that leaves out caches, and the files below `folder` that git ignores."""
    ignored = set[Path]()
    if (root / ".git").exists():  # else the files are no checkout, but can be in the ignored folder of one
        listed = git(root, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--", folder)
        ignored = {root / path for path in listed.stdout.split("\0") if path}
    return lambda parent, names: {name for name in names if name == "__pycache__" or Path(parent, name) in ignored}
