"""Terraform, as the tools and tests of this checkout run it: with the AWS provider from wherever it can be had.

Terraform's own CLI configuration decides, or `TF_PLUGIN_MIRROR`, a folder that holds `registry.terraform.io`; else the
registry serves. A machine without a way out may have a mirror that nobody configured: a shallow search takes it, and
says so.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from pathlib import Path

from tools import lifeline
from tools.checkout import ROOT, locked, write_atomically
from tools.local import emulation

AWS_PROVIDER = "5.100.0"
MINIMUM = (1, 11)

STATE = ROOT / ".local" / "terraform"

_REGISTRY = "registry.terraform.io"
_PROBE = f"import urllib.request; urllib.request.urlopen('https://{_REGISTRY}/.well-known/terraform.json', timeout=5)"
_NEVER_SEARCHED = ("proc", "sys", "dev", "run")
# Whatever hangs must not hang a build: applying a whole environment takes half of this.
_SECONDS = 3600
# How long Terraform may finish what it is at, save its state and unlock it, once it is interrupted.
_GRACE_SECONDS = 120
_EMULATED_GRACE_SECONDS = 10


def terraform(
    arguments: Sequence[str],
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    *,
    base: Mapping[str, str] | None = None,
    capture: bool = True,
    seconds: float = _SECONDS,
) -> "subprocess.CompletedProcess[str]":
    """Run Terraform in a folder; it is for the caller to look at the return code.

    `environ` is added to the variables of `base`, or of this process. Without `capture` it speaks to the terminal.
    However this process ends, Terraform and its plugins end too, and give the state's lock back.
    """
    variables = environment({**(os.environ if base is None else base), **(environ or {})})
    emulated = variables.get("AWS_ENDPOINT_URL", "").startswith(f"http://{emulation.HOST}:")
    # Neither the cache of plugins nor a download survives two at once.
    alone = locked(STATE / "init.lock") if arguments[:1] == ["init"] else nullcontext()
    with alone:
        return lifeline.run(
            ["terraform", *arguments],
            cwd=cwd,
            env=variables,
            capture_output=capture,
            timeout=seconds,
            grace_seconds=_EMULATED_GRACE_SECONDS if emulated else _GRACE_SECONDS,
        )


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment variables with which Terraform finds the provider."""
    found = {**environ, "CHECKPOINT_DISABLE": "1"}
    configuration = _cli_configuration(environ)
    if configuration is None:
        # One that names a file which does not exist makes Terraform warn in each of its answers.
        found.pop("TF_CLI_CONFIG_FILE", None)
    mirror = _mirror(environ, configuration)
    if mirror is not None:
        found["TF_CLI_CONFIG_FILE"] = str(_configuration_for(mirror))
    elif configuration is None and "TF_PLUGIN_CACHE_DIR" not in environ:
        # Half a gigabyte, which every folder would download anew.
        cached = STATE / "plugins"
        cached.mkdir(parents=True, exist_ok=True)
        found["TF_PLUGIN_CACHE_DIR"] = str(cached)
    return found


@cache
def missing() -> str | None:
    """Why Terraform can't be had here with the provider; None where it can."""
    if shutil.which("terraform") is None:
        return "no terraform on the PATH"
    answer = subprocess.run(["terraform", "version"], capture_output=True, text=True, check=False, env=environment())
    version = re.search(r"Terraform v(\d+)\.(\d+)", answer.stdout)
    if version is None or tuple(int(part) for part in version.groups()) < MINIMUM:
        wanted = ".".join(str(part) for part in MINIMUM)
        return f"no terraform {wanted} or later on the PATH, but {(answer.stdout or answer.stderr).strip()!r}"
    if _cli_configuration(os.environ) or _mirror(os.environ, None) or _registry_answers():
        return None
    return f"no hashicorp/aws {AWS_PROVIDER}: {_REGISTRY} does not answer; set TF_PLUGIN_MIRROR to a mirror's folder"


def mirrors(top: Path = Path("/"), home: Path | None = None) -> Iterator[Path]:
    """Folders not far below `top`, or in the home, that mirror the provider for this machine."""
    places = [home or Path.home(), *_folders(top, depth=2)]
    for place in places:
        if _holds_provider(place):
            yield place


def _cli_configuration(environ: Mapping[str, str]) -> Path | None:
    named = environ.get("TF_CLI_CONFIG_FILE")
    path = Path(named) if named else Path(environ.get("HOME", "/")) / ".terraformrc"
    return path if path.is_file() else None


def _mirror(environ: Mapping[str, str], configuration: Path | None) -> Path | None:
    """The mirror that Terraform has to be told of, if any."""
    if named := environ.get("TF_PLUGIN_MIRROR"):
        return Path(named).resolve()
    if configuration is not None or _registry_answers():
        return None
    return _found()


@cache
def _registry_answers() -> bool:
    """In a process of its own: it takes the proxy of the environment, as Terraform does."""
    probe = [sys.executable, "-c", _PROBE]
    try:
        return subprocess.run(probe, capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@cache
def _found() -> Path | None:
    found = next(mirrors(), None)
    if found is not None:
        sys.stderr.write(f"{_REGISTRY} does not answer: the AWS provider is taken from {found}\n")
    return found


def _folders(top: Path, depth: int) -> Iterator[Path]:
    try:
        children = sorted(child for child in top.iterdir() if child.is_dir() and not child.is_symlink())
    except OSError:
        return
    children = [child for child in children if child.name not in _NEVER_SEARCHED]
    yield from children
    if depth > 1:
        for child in children:
            yield from _folders(child, depth - 1)


def _holds_provider(folder: Path) -> bool:
    """Unpacked, or packed as `terraform providers mirror` leaves it."""
    provider = folder / _REGISTRY / "hashicorp" / "aws"
    system, machine = platform.system().lower(), platform.machine().lower()
    target = f"{system}_{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(machine, machine) }"
    packed = provider / f"terraform-provider-aws_{AWS_PROVIDER}_{target}.zip"
    try:
        return (provider / AWS_PROVIDER / target).is_dir() or packed.is_file()
    except OSError:
        return False


def _configuration_for(mirror: Path) -> Path:
    path = STATE / "mirror.tfrc"
    text = f"""\
provider_installation {{
  filesystem_mirror {{
    path = "{mirror}"
  }}
}}
"""
    with locked(STATE / "mirror.lock"):
        if not path.is_file() or path.read_text() != text:
            write_atomically(path, text)
    return path
