"""Terraform, as the tools and tests of this checkout run it, with the AWS provider from one place.

The first of these decides: Terraform's own CLI configuration, where its file exists; `TF_PLUGIN_MIRROR`, a folder that
holds `registry.terraform.io`; the registry, if it answers; a mirror that this machine has, in one of Terraform's own
folders or one level below /opt or /usr/local/share. The last is a program that nobody named, so it is run only where
nobody but root and the user can write.
"""

import json
import os
import platform
import re
import shutil
import stat
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
_PROVIDER = Path(_REGISTRY, "hashicorp", "aws")
_PROBE = f"import urllib.request; urllib.request.urlopen('https://{_REGISTRY}/.well-known/terraform.json', timeout=5)"
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
    # The provider's schema is large and stays: collecting less often saves a fifth of the processor's time.
    found = {"GOGC": "400", **environ, "CHECKPOINT_DISABLE": "1"}
    if _has_cli_configuration(environ):
        return found
    mirror = _mirror(environ)
    found["TF_CLI_CONFIG_FILE"] = str(_configuration(mirror))
    if mirror is None:
        # Half a gigabyte, which every folder would download anew.
        (STATE / "plugins").mkdir(parents=True, exist_ok=True)
        found.setdefault("TF_PLUGIN_CACHE_DIR", str(STATE / "plugins"))
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
    if _has_cli_configuration(os.environ) or _mirror(os.environ) or _registry_answers():
        return None
    return f"no hashicorp/aws {AWS_PROVIDER}: {_REGISTRY} does not answer; set TF_PLUGIN_MIRROR to a mirror's folder"


def found_mirror(environ: Mapping[str, str], top: Path = Path("/")) -> Path | None:
    """Return the first mirror on the machine, whose root is `top`, that holds the provider and is only ours to change.

    The path has no symbolic links left in it, so that nobody can turn one elsewhere later.
    """
    system, machine = platform.system().lower(), platform.machine().lower()
    target = f"{system}_{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(machine, machine) }"
    unpacked = f"{AWS_PROVIDER}/{target}/terraform-provider-aws_v{AWS_PROVIDER}*"
    packed = f"terraform-provider-aws_{AWS_PROVIDER}_{target}.zip"  # as `terraform providers mirror` leaves it
    for place in _places(environ, top):
        for pattern in (unpacked, packed):
            for provider in (place / _PROVIDER).glob(pattern):
                path, real = provider.relative_to(place), provider.resolve()
                mirror = real.parents[len(path.parts) - 1]
                if mirror / path == real and _only_ours(real, top):
                    return mirror
    return None


def _places(environ: Mapping[str, str], top: Path) -> Iterator[Path]:
    """Terraform's "implied local mirror directories", without that of the working directory, and likely others."""
    home = Path(environ.get("HOME", "/"))
    shared = environ.get("XDG_DATA_DIRS") or f"{top / 'usr/local/share'}:{top / 'usr/share'}"
    yield home / ".terraform.d" / "plugins"
    for folder in (environ.get("XDG_DATA_HOME") or home / ".local" / "share", *shared.split(":")):
        yield Path(folder) / "terraform" / "plugins"
    for folder in (top / "opt", top / "usr/local/share"):
        yield from sorted(folder.glob("*"))


def _only_ours(path: Path, top: Path) -> bool:
    """True if only root and the user can change the file or replace a folder on the way to it."""
    for each in (path, *path.parents):
        status = each.stat()
        if status.st_uid not in (0, os.geteuid()) or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return False
        if each == top:
            break
    return True


def _has_cli_configuration(environ: Mapping[str, str]) -> bool:
    return Path(environ.get("TF_CLI_CONFIG_FILE") or Path(environ.get("HOME", "/")) / ".terraformrc").is_file()


def _mirror(environ: Mapping[str, str]) -> Path | None:
    """The folder to take the provider from; None for the registry."""
    if named := environ.get("TF_PLUGIN_MIRROR"):
        return Path(named).resolve()
    if _registry_answers() or (found := found_mirror(environ)) is None:
        return None
    _say(f"{_REGISTRY} does not answer: the AWS provider is taken from {found}")
    return found


@cache
def _say(line: str) -> None:
    """Print a line once, however often it is said."""
    print(line, file=sys.stderr)


@cache
def _registry_answers() -> bool:
    """In a process of its own: it takes the proxy of the environment, as Terraform does."""
    probe = [sys.executable, "-c", _PROBE]
    try:
        return subprocess.run(probe, capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _configuration(mirror: Path | None) -> Path:
    """Write Terraform's CLI configuration. Without one, Terraform would look for mirrors by itself, and ask nobody."""
    source = "direct {}" if mirror is None else f"filesystem_mirror {{ path = {json.dumps(str(mirror))} }}"
    path = STATE / ("direct.tfrc" if mirror is None else "mirror.tfrc")
    STATE.mkdir(parents=True, exist_ok=True)
    write_atomically(path, f"provider_installation {{\n  {source}\n}}\n")
    return path
