"""Copy the files with which Terraform makes a target: infra/, web/ and the package of the functions."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.aws.target import Target
from tools.checkout import ROOT, ToolError, without_ignored
from tools.package import compose, tree

_RUNTIME = f"python{compose.PYTHON[0]}.{compose.PYTHON[1]}"


def copy(target: Target) -> None:
    """Make a new copy of infra/ and web/ in the target's folder. It has no package."""
    with _sources(target) as root:
        source, ignored = root / "infra", shutil.ignore_patterns(".terraform", "__pycache__", "tests")
        shutil.rmtree(target.folder / "modules", ignore_errors=True)
        shutil.copytree(source / "modules", target.folder / "modules", ignore=ignored)
        shutil.rmtree(target.folder / "web", ignore_errors=True)
        # Everybody can read the site's files.
        shutil.copytree(root / "web", target.folder / "web", ignore=without_ignored(root, "web"))
        # Keep .terraform, which has the downloaded providers.
        environment = target.folder / target.environment
        for old in environment.glob("*.*"):
            if old.name != ".terraform":
                old.unlink()
        shutil.copytree(source / target.environment, environment, ignore=ignored, dirs_exist_ok=True)


@contextmanager
def _sources(target: Target) -> Iterator[Path]:
    """Give the folder with the target's infra/ and web/: of the tree that names the package, or else the checkout."""
    named = target.package and target.package / tree.NAMED
    if not (named and named.is_file()):
        yield ROOT
        return
    with tempfile.TemporaryDirectory(prefix="tree-") as temporary:
        tree.extract(ROOT, named.read_text(), Path(temporary) / "root", ("infra", "web"))
        yield Path(temporary) / "root"


def add_package(target: Target) -> None:
    """Put the package into the module `api` of the target's copy of infra/, or raise ToolError."""
    module = target.folder / "modules" / "api"
    if target.package is None:
        compose.package(target.environment, module)
    else:
        for name in ("generated.tf.json", "deployment.zip"):
            if not (target.package / name).is_file():
                raise ToolError(f"PACKAGE={target.package} has no {name}: set PACKAGE to the folder of a package")
            shutil.copy(target.package / name, module / name)
    runtime = json.loads((module / "generated.tf.json").read_text())["locals"]["package"]["runtime"]
    if target.emulated is None and runtime != _RUNTIME:
        raise ToolError(
            f"The package is for {runtime}, but AWS runs {_RUNTIME}: run the same command with PYTHON={_RUNTIME}"
        )
