"""Turn Chalice's Terraform package into the input of infra/modules/api: `make package STAGE=production`.

Chalice knows the functions, schedules and routes. Our own Terraform says what they are on AWS, so none of Chalice's
Terraform is kept. package_shape.py reads Chalice's Terraform, and this module writes two files:

- `generated.tf.json`: locals with the functions, the schedules, the API's OpenAPI document and the stage;
- `deployment.zip`: the code of all functions. The same sources give the same bytes for every stage.
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

# The functions' Python on AWS. Build a package for AWS with this version: some wheels support only one version.
PYTHON = (3, 13)
# Most machines that run tests have x86_64, so the tests can run the deployed zip. arm64 would cost a fifth less, but
# those machines could not run a zip for arm64.
ARCHITECTURE = "x86_64"
SECONDS = 300

# Chalice runs pip, which reads these variables. With them, pip installs only wheels for Lambda whose hash is in
# requirements.txt. Otherwise the package would depend on this machine, or Chalice would build from source.
_PIP = {
    "PIP_REQUIRE_HASHES": "1",
    "PIP_ONLY_BINARY": ":all:",
    "PIP_PLATFORM": f"manylinux2014_{ARCHITECTURE}",
}
# cffi, which cryptography needs, uses pycparser only to compile C code. Lambda compiles nothing.
LEFT_OUT = "pycparser"
_SOURCES = ("app.py", "requirements.txt", ".chalice/config.json")


def package(stage: str, module: Path = MODULE, root: Path = ROOT) -> str:
    """Package the checkout at `root` for a stage, into the folder `module`. Return the zip's SHA-256.

    Raises ToolError, also if Chalice's output has an unknown form.
    """
    return packages({stage: module}, root)


def packages(modules: Mapping[str, Path], root: Path = ROOT) -> str:
    """Package for several stages, each into its folder, with the same zip. Return and raise as `package` does."""
    stages = json.loads((root / ".chalice" / "config.json").read_text())["stages"]
    deployed = [name for name in stages if name != "local"]
    if unknown := [stage for stage in modules if stage not in deployed]:
        raise UsageError(f"{unknown[0]!r} is not a deployed stage: run make package STAGE={'|'.join(deployed)}")
    with tempfile.TemporaryDirectory(prefix="package-") as temporary:
        code = Path(temporary) / "normal.zip"
        for stage, module in modules.items():
            folder = Path(temporary) / stage
            # All stages share one zip, so only the first stage needs dependencies. They take most of the time.
            written = _chalice_package(stage, root, folder, dependencies=not code.exists())
            if not code.exists():
                normalize(written / "deployment.zip", code)
            composed = compose(json.loads((written / "chalice.tf.json").read_text()), stage, code.read_bytes())
            module.mkdir(parents=True, exist_ok=True)
            shutil.copy(code, module / "deployment.zip")
            (module / "generated.tf.json").write_text(json.dumps(composed, indent=2, sort_keys=True) + "\n")
    return str(composed["locals"]["package"]["digest"])


def compose(chalice: dict[str, Any], stage: str, code: bytes) -> dict[str, Any]:
    """Return the locals of infra/modules/api, from chalice.tf.json and the zip's bytes. Raises ToolError."""
    shape = package_shape.read(chalice)
    if shape.architecture != ARCHITECTURE:
        raise ToolError(f"Chalice packaged for {shape.architecture}, not {ARCHITECTURE}: adapt compose.py")
    digest = hashlib.sha256(code)
    return {
        "//": "Made by tools/package/compose.py (make package). Do not edit: change that file or its input",
        "locals": {
            "package": {
                # infra/modules/api refuses a package of another stage.
                "stage": stage,
                "digest": digest.hexdigest(),
                # The digest in Lambda's encoding, so that a plan needs no zip.
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
    """Copy a zip so that the same files give the same bytes: sorted by name, with fixed times and modes.

    Leave out folders, bytecode and pycparser, which no function needs.
    """
    with zipfile.ZipFile(source) as given, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        for name in sorted(given.namelist()):
            if name.endswith(("/", ".pyc")) or name.startswith(LEFT_OUT):
                continue
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3  # Unix, even if another system makes the zip
            entry.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(entry, given.read(name))


def _chalice_package(stage: str, root: Path, folder: Path, *, dependencies: bool) -> Path:
    """Let Chalice package a copy of the sources, because Chalice leaves caches in its folder.

    Return the folder with Chalice's output. Raises ToolError.
    """
    source = folder / "source"
    shutil.copytree(root / "chalicelib", source / "chalicelib", ignore=shutil.ignore_patterns("__pycache__"))
    (source / ".chalice").mkdir()
    for name in _SOURCES:
        shutil.copy(root / name, source / name)
    if not dependencies:
        (source / "requirements.txt").write_text("")
    # Chalice needs a region but no account. Its output depends on neither.
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SLIPWAY_"))}
    environ |= {"AWS_DEFAULT_REGION": "eu-central-1", "PYTHONDONTWRITEBYTECODE": "1", **_PIP}
    program = "import sys; from chalice.cli import main; sys.argv[0] = 'chalice'; sys.exit(main())"
    arguments = ["package", "--pkg-format", "terraform", "--stage", stage, str(folder / "written")]
    command = [sys.executable, "-c", program, *arguments]
    try:
        done = lifeline.run(command, cwd=source, env=environ, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise ToolError(f"Chalice took more than {SECONDS} s: check the connection to the package index") from None
    if done.returncode != 0:
        said = done.stderr.strip() or done.stdout.strip() or "no reason given"
        raise ToolError(f"Chalice can't package the app. Fix this error:\n{said}")
    return folder / "written"


def main(environ: Mapping[str, str]) -> None:
    """Package for the stage that STAGE names."""
    running = sys.version_info[:2]
    digest = package(environ["STAGE"])
    if running != PYTHON:
        print(
            f"packaged with Python {running[0]}.{running[1]}, for tests only; for AWS, package with "
            f"{PYTHON[0]}.{PYTHON[1]}: make package PYTHON=python{PYTHON[0]}.{PYTHON[1]}",
            file=sys.stderr,
        )
    print(f"sha256:{digest}")
