"""Copy the package's sources without its wheels. Chalice's output for Terraform does not depend on the wheels."""

import shutil
from pathlib import Path

from tools.checkout import ROOT


def sources(folder: Path) -> Path:
    """Copy the package's sources to a new folder; return the folder.

    The copy has no requirements, so packaging it needs no package index.
    """
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "chalicelib", folder / "chalicelib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / ".chalice", folder / ".chalice")
    shutil.copy(ROOT / "app.py", folder / "app.py")
    (folder / "requirements.txt").write_text("")
    return folder
