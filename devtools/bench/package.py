"""The size of what is deployed: it is fetched and unpacked at every cold start."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from chalicelib.settings import LOCAL_STATE
from devtools.bench.figures import Figure
from devtools.state import ROOT, Unusable

# A quarter above what it takes. boto3 alone is more than that: what only development needs has slipped in.
BOUND = 12_000_000
SECONDS = 300

FOLDER = LOCAL_STATE / "bench"


def figure() -> Figure:
    """The bytes of deployment.zip. Raises Unusable where it can't be made: its wheels come from the network."""
    return Figure("package: deployment.zip", make().stat().st_size, "bytes", BOUND)


def make() -> Path:
    """The package of the stage `production`, made of a copy: Chalice would leave a second one in the checkout."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    source = FOLDER / "source"
    shutil.copytree(ROOT / "chalicelib", source / "chalicelib", ignore=shutil.ignore_patterns("__pycache__"))
    (source / ".chalice").mkdir()
    for name in ("app.py", "requirements.txt", ".chalice/config.json"):
        shutil.copy(ROOT / name, source / name)
    chalice = Path(sys.executable).with_name("chalice")
    try:
        subprocess.run(
            [chalice, "package", "--pkg-format", "terraform", "--stage", "production", FOLDER],
            cwd=source,
            env={**os.environ, "AWS_DEFAULT_REGION": "eu-central-1", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS,
        )
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or error.stdout.strip() or "it says nothing").splitlines()[-1]
        raise Unusable(f"deployment.zip was not made: {last}") from None
    except subprocess.TimeoutExpired:
        raise Unusable(f"deployment.zip was not made in {SECONDS} s") from None
    return FOLDER / "deployment.zip"
