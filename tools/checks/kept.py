"""Keep the outcomes of slow checks between runs.

The inputs of such a check decide its outcome. So the same inputs are not checked again. `make clean` deletes all
outcomes.
"""

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tools.checkout import ROOT, locked, write_atomically

FOLDER = ROOT / ".local" / "cache" / "kept"

# An outcome is deleted after this time without a use.
_SECONDS = 7 * 24 * 60 * 60
_SOURCE = re.compile(r'^\s*source\s*=\s*"(\.[^"]*)"', re.MULTILINE)


def once(outcome: Callable[[], str], *inputs: object, final: Callable[[str], bool] = bool) -> str:
    """Return the kept outcome of inputs that JSON can write, or the new one that `outcome` returns.

    Keep only an outcome that is `final`, and nothing if `outcome` raises an error.
    """
    path = FOLDER / hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    with locked(path.with_suffix(".lock")):
        if path.exists():
            os.utime(path)
            return path.read_text()
        found = outcome()
        if final(found):
            write_atomically(path, found)
            _forget()
        return found


def sources(folder: Path, file: str) -> dict[str, str]:
    """Return the hashes of Terraform, of a test file and of all files that Terraform reads to run it in a folder."""
    folder = folder.resolve()
    binary = Path(shutil.which("terraform") or "")
    stat = binary.stat()
    found = {"": f"{folder.name} {file} {binary} {stat.st_size} {stat.st_mtime_ns}"}
    for path in _read(folder, file):
        found[os.path.relpath(path, folder)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def hashes(folder: Path) -> dict[str, str]:
    """Return the hashes of all files in a folder, without hidden files and folders."""
    paths = {each.relative_to(folder): each for each in folder.rglob("*") if each.is_file()}
    return {
        str(name): hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in paths.items()
        if not any(part.startswith(".") for part in name.parts)
    }


def _read(folder: Path, file: str) -> set[Path]:
    """Return the test file, the folder's own files, and the files of all modules that it calls."""
    found: set[Path] = set()
    modules, pending = {folder}, [folder]
    while pending:
        module = pending.pop()
        # Terraform writes the files whose names begin with a dot.
        own = [each for each in module.iterdir() if each.is_file() and not each.name.startswith(".")]
        own += [folder / file] if module == folder else []
        found.update(own)
        for each in own:
            if each.suffix in (".tf", ".hcl"):
                called = {(module / name).resolve() for name in _SOURCE.findall(each.read_text())} - modules
                modules |= called
                pending += called
    return found


def _forget() -> None:
    """Delete outcomes that nothing used for a long time."""
    for each in FOLDER.iterdir():
        with suppress(FileNotFoundError):  # another process deletes or renames its own files
            if each.stat().st_mtime < time.time() - _SECONDS:
                each.unlink()
