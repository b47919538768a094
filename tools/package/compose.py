"""Chalice's Terraform package becomes what infra/modules/api is filled with: `make package STAGE=production`.

Chalice knows which functions, schedules and routes there are; Terraform, written by hand, what they are on AWS. So none
of Chalice's Terraform is kept. What it says is read (package_shape.py), and written down as locals:

- `generated.tf.json`: the functions, the schedules, the API's OpenAPI document, and of what stage the package is;
- `deployment.zip`: the code of all functions, the same bytes for the same sources, whichever stage.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools import lifeline
from tools.checkout import ToolError, UsageError
from tools.package import api_body, package_shape

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "infra" / "modules" / "api"

# The Python of the functions is the one that packages, since wheels are made for one; on AWS it is to be this.
PYTHON = (3, 13)
# What tests run on is x86_64 nearly everywhere, so that they can run the very zip that is deployed. An arm64 one would
# cost a fifth less, and nobody would have run it before it serves.
ARCHITECTURE = "x86_64"
SECONDS = 300

# Chalice runs pip, which reads these: take only wheels that requirements.txt has a hash of, made for Lambda. pip's own
# choice would depend on the machine that packages, and without a wheel Chalice would build one from source.
_PIP = {
    "PIP_REQUIRE_HASHES": "1",
    "PIP_ONLY_BINARY": ":all:",
    "PIP_PLATFORM": f"manylinux2014_{ARCHITECTURE}",
}
_SOURCES = ("app.py", "requirements.txt", ".chalice/config.json")


def package(stage: str, module: Path = MODULE, root: Path = ROOT) -> str:
    """Package the checkout at `root` for a stage, into the folder `module`. Returns the zip's SHA-256.

    Raises ToolError, and ToolError where Chalice's output is not what we know how to read.
    """
    return packages({stage: module}, root)


def packages(modules: Mapping[str, Path], root: Path = ROOT) -> str:
    """Package for several stages, each into its folder: one zip for all. Returns and raises as `package` does."""
    stages = json.loads((root / ".chalice" / "config.json").read_text())["stages"]
    deployed = [name for name in stages if name != "local"]
    if unknown := [stage for stage in modules if stage not in deployed]:
        raise UsageError(f"{unknown[0]!r} is no stage that is deployed: make package STAGE={'|'.join(deployed)}")
    with tempfile.TemporaryDirectory(prefix="slipway-package-") as temporary:
        code = Path(temporary) / "normal.zip"
        for stage, module in modules.items():
            folder = Path(temporary) / stage
            # Dependencies take most of the time, and are the first stage's as well as the others'.
            written = _chalice_package(stage, root, folder, dependencies=not code.exists())
            if not code.exists():
                normalize(written / "deployment.zip", code)
            composed = compose(json.loads((written / "chalice.tf.json").read_text()), stage, code.read_bytes())
            module.mkdir(parents=True, exist_ok=True)
            shutil.copy(code, module / "deployment.zip")
            (module / "generated.tf.json").write_text(json.dumps(composed, indent=2, sort_keys=True) + "\n")
    return str(composed["locals"]["package"]["digest"])


def compose(chalice: dict[str, Any], stage: str, code: bytes) -> dict[str, Any]:
    """The locals of infra/modules/api, from chalice.tf.json and the zip's bytes. Raises ToolError."""
    shape = package_shape.read(chalice)
    if shape.architecture != ARCHITECTURE:
        raise ToolError(f"Chalice packaged for {shape.architecture}, not for {ARCHITECTURE}")
    digest = hashlib.sha256(code)
    return {
        "//": "Made by tools/package/compose.py (make package): change that, or what it reads",
        "locals": {
            "package": {
                # infra/modules/api refuses a package of another stage.
                "stage": stage,
                "digest": digest.hexdigest(),
                # As Lambda counts it; so a plan needs no zip.
                "source_code_hash": base64.b64encode(digest.digest()).decode(),
                "runtime": shape.runtime,
                "architecture": shape.architecture,
                "minimum_compression_size": shape.minimum_compression_size,
            },
            "functions": shape.functions,
            "schedules": shape.schedules,
            "openapi": api_body.document(shape.swagger),
        },
    }


def normalize(source: Path, target: Path) -> None:
    """The same files as the same bytes: in the order of their names, and without a time or a mode of this machine."""
    with zipfile.ZipFile(source) as given, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        for name in sorted(each for each in given.namelist() if not each.endswith(("/", ".pyc"))):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3  # Unix, on whichever system it is made
            entry.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(entry, given.read(name))


def _chalice_package(stage: str, root: Path, folder: Path, *, dependencies: bool) -> Path:
    """Have Chalice package a copy of the sources: in the checkout it would leave caches."""
    source = folder / "source"
    shutil.copytree(root / "chalicelib", source / "chalicelib", ignore=shutil.ignore_patterns("__pycache__"))
    (source / ".chalice").mkdir()
    for name in _SOURCES:
        shutil.copy(root / name, source / name)
    if not dependencies:
        (source / "requirements.txt").write_text("")
    # Chalice wants a region and no account; what it writes depends on neither.
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SLIPWAY_"))}
    environ |= {"AWS_DEFAULT_REGION": "eu-central-1", "PYTHONDONTWRITEBYTECODE": "1", **_PIP}
    program = "import sys; from chalice.cli import main; sys.argv[0] = 'chalice'; sys.exit(main())"
    arguments = ["package", "--pkg-format", "terraform", "--stage", stage, str(folder / "written")]
    command = [sys.executable, "-c", program, *arguments]
    try:
        done = lifeline.run(command, cwd=source, env=environ, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise ToolError(f"Chalice has not packaged within {SECONDS} s: is the package index within reach?") from None
    if done.returncode != 0:
        raise ToolError(f"Chalice did not package:\n{done.stderr.strip() or done.stdout.strip() or 'it says nothing'}")
    return folder / "written"


def main(environ: Mapping[str, str]) -> None:
    """Package for the stage that STAGE names."""
    running = sys.version_info[:2]
    digest = package(environ["STAGE"])
    if running != PYTHON:
        print(
            f"packaged with Python {running[0]}.{running[1]}, good for trials and tests; what goes to AWS is packaged "
            f"with {PYTHON[0]}.{PYTHON[1]}: make package PYTHON=python{PYTHON[0]}.{PYTHON[1]}",
            file=sys.stderr,
        )
    print(f"sha256:{digest}")
