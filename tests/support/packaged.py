"""The checkout's sources as Chalice's real output, without wheels: what Terraform is told does not depend on them."""

import shutil
from pathlib import Path

from tools.checkout import ROOT


def sources(folder: Path) -> Path:
    """A copy of what is packaged, in a new folder, that needs no package index."""
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "chalicelib", folder / "chalicelib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / ".chalice", folder / ".chalice")
    shutil.copy(ROOT / "app.py", folder / "app.py")
    (folder / "requirements.txt").write_text("")
    return folder
