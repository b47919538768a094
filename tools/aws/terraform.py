"""Run Terraform for the tools and tests of this checkout, and choose where the AWS provider comes from.

The first of these that exists is used: Terraform's own CLI configuration file; `TF_PLUGIN_MIRROR`, a folder with
`registry.terraform.io`; the registry, if it answers; a mirror on this machine, in one of Terraform's own folders or one
level below /opt or /usr/local/share. Nobody has named that mirror, so it is used only if nobody except root and the
user can write there.
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
# A limit, so that Terraform can't block a build. Applying a whole environment takes half of this.
_SECONDS = 3600
# After an interrupt, Terraform has this long to finish its current step, save its state and unlock it.
_GRACE_SECONDS = 120
_EMULATED_GRACE_SECONDS = 20


def terraform(
    arguments: Sequence[str],
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    *,
    base: Mapping[str, str] | None = None,
    capture: bool = True,
    seconds: float = _SECONDS,
) -> "subprocess.CompletedProcess[str]":
    """Run Terraform in a folder. The caller must check the return code.

    `environ` is added to the variables of `base`, or of this process. Without `capture` it prints to the terminal.
    When this process ends, Terraform and its plugins end too, and unlock the state.
    """
    variables = environment({**(os.environ if base is None else base), **(environ or {})})
    emulated = variables.get("AWS_ENDPOINT_URL", "").startswith(f"http://{emulation.HOST}:")
    # Two runs at once would damage the plugin cache and downloads.
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
    """Return the environment variables with which Terraform finds the provider."""
    # The provider's large schema stays in memory. Collecting garbage less often saves a fifth of the processor time.
    found = {"GOGC": "400", **environ, "CHECKPOINT_DISABLE": "1"}
    if _has_cli_configuration(environ):
        return found
    mirror = _mirror(environ)
    found["TF_CLI_CONFIG_FILE"] = str(_configuration(mirror))
    if mirror is None:
        # Without this cache, every folder would download half a gigabyte.
        (STATE / "plugins").mkdir(parents=True, exist_ok=True)
        found.setdefault("TF_PLUGIN_CACHE_DIR", str(STATE / "plugins"))
    return found


@cache
def missing() -> str | None:
    """Return why Terraform or the provider is missing here, or None if both are there."""
    if shutil.which("terraform") is None:
        return "terraform is not on the PATH"
    answer = subprocess.run(["terraform", "version"], capture_output=True, text=True, check=False, env=environment())
    version = re.search(r"Terraform v(\d+)\.(\d+)", answer.stdout)
    if version is None or tuple(int(part) for part in version.groups()) < MINIMUM:
        wanted = ".".join(str(part) for part in MINIMUM)
        return f"terraform on the PATH is not {wanted} or later, but {(answer.stdout or answer.stderr).strip()!r}"
    if _has_cli_configuration(os.environ) or _mirror(os.environ) or _registry_answers():
        return None
    return f"no hashicorp/aws {AWS_PROVIDER}: {_REGISTRY} does not answer; set TF_PLUGIN_MIRROR to a mirror's folder"


def found_mirror(environ: Mapping[str, str], top: Path = Path("/")) -> Path | None:
    """Return the first mirror below `top` that has the provider and that only root and the user can change.

    All symbolic links in the path are resolved, so that nobody can change one later.
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
    """Yield Terraform's "implied local mirror directories", without the working directory's, and other likely ones."""
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
    """Return the folder that has the provider, or None to use the registry."""
    if named := environ.get("TF_PLUGIN_MIRROR"):
        return Path(named).resolve()
    if _registry_answers() or (found := found_mirror(environ)) is None:
        return None
    _say(f"{_REGISTRY} does not answer: using the AWS provider in {found}")
    return found


@cache
def _say(line: str) -> None:
    """Print a line only the first time."""
    print(line, file=sys.stderr)


@cache
def _registry_answers() -> bool:
    """True if the registry answers. A new process asks it, with the environment's proxy, as Terraform does."""
    probe = [sys.executable, "-c", _PROBE]
    try:
        return subprocess.run(probe, capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _configuration(mirror: Path | None) -> Path:
    """Write Terraform's CLI configuration. Without one, Terraform would use any mirror that it finds."""
    source = "direct {}" if mirror is None else f"filesystem_mirror {{ path = {json.dumps(str(mirror))} }}"
    path = STATE / ("direct.tfrc" if mirror is None else "mirror.tfrc")
    STATE.mkdir(parents=True, exist_ok=True)
    write_atomically(path, f"provider_installation {{\n  {source}\n}}\n")
    return path
