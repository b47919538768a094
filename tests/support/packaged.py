"""Copy the sources of the package without its wheels: Chalice's output for Terraform does not depend on wheels."""

import shutil
from pathlib import Path

from tools.checkout import ROOT


def sources(folder: Path) -> Path:
    """Copy the packaged sources to a new folder with no requirements, so that packaging needs no package index."""
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "chalicelib", folder / "chalicelib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / ".chalice", folder / ".chalice")
    shutil.copy(ROOT / "app.py", folder / "app.py")
    (folder / "requirements.txt").write_text("")
    return folder
