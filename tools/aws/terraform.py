"""Run Terraform for the tools and tests of this checkout, and choose the source of the AWS provider.

The source is the first of these:
- Terraform's own CLI configuration file, if it exists
- `TF_PLUGIN_MIRROR`, a folder that contains `registry.terraform.io`
- the registry, if it answers
- a mirror in one of Terraform's own folders, or in a folder of /opt or /usr/local/share. No setting names this mirror,
  so it is used only if nobody except root and the user can change it.
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
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path

from tools import lifeline
from tools.checkout import ROOT, USER_AGENT, locked, write_atomically
from tools.local import emulation

AWS_PROVIDER = "5.100.0"
MINIMUM = (1, 11)

# The command that initialises a folder with a state. Unreviewed code can write the state of a preview, and without
# `-lockfile=readonly` Terraform would install and later run each provider that a state names.
INIT = ("init", "-input=false", "-lockfile=readonly")

STATE = ROOT / ".local" / "terraform"

_REGISTRY = "registry.terraform.io"
_PROVIDER = Path(_REGISTRY, "hashicorp", "aws")
_PROBE = f"""
from urllib.request import Request, urlopen
urlopen(Request('https://{_REGISTRY}/.well-known/terraform.json', headers={{'User-Agent': '{USER_AGENT}'}}), timeout=5)
"""
# A time limit, so that Terraform can't block a build forever. A destroy needs most of it: AWS may take 45 minutes to
# remove the network interfaces of functions, after it has removed the distribution and before it removes the VPC.
SECONDS = 90 * 60
# After an interrupt, Terraform has this time to finish its current step, and to save and unlock its state.
_GRACE_SECONDS = 120
_EMULATED_GRACE_SECONDS = 45


def terraform(
    arguments: Sequence[str],
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    *,
    base: Mapping[str, str] | None = None,
    capture: bool = True,
    capture_errors: bool = False,
    seconds: float = SECONDS,
) -> "subprocess.CompletedProcess[str]":
    """Run Terraform in a folder. The caller must check the return code.

    `environ` is added to the variables in `base`, or to this process's variables. Without `capture`, Terraform prints
    to the terminal. With `capture_errors`, its errors are printed in the end, and are in the answer too. When this
    process ends, Terraform and its plugins end too, and unlock the state.
    """
    variables = environment({**(os.environ if base is None else base), **(environ or {})})
    emulated = variables.get("AWS_ENDPOINT_URL", "").startswith(f"http://{emulation.HOST}:")
    # Two runs of `terraform init` at once could damage the plugin cache and the downloads.
    alone = locked(STATE / "init.lock") if arguments[:1] == ["init"] else nullcontext()
    with alone, nullcontext() if capture else _output() as output:
        answer = lifeline.run(
            ["terraform", *arguments],
            cwd=cwd,
            env=variables,
            capture_output=capture,
            timeout=seconds,
            grace_seconds=_EMULATED_GRACE_SECONDS if emulated else _GRACE_SECONDS,
            stdout=output,
            stderr=subprocess.PIPE if capture_errors else None,
        )
    if capture_errors:
        print(answer.stderr, end="", file=sys.stderr)
    return answer


@contextmanager
def _output() -> Iterator[int | None]:
    """Yield the file that Terraform prints to: None is the terminal.

    Without a terminal, the reader, such as `head`, can end. SIGPIPE would then stop Terraform halfway, with the state
    locked. So Terraform prints to a pipe that is read until its end, also if this process is killed.
    """
    if os.isatty(1):
        yield None
        return
    with lifeline.copied_to_stdout() as pipe:
        yield pipe


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return `environ` with the variables that Terraform needs to find the provider."""
    # The provider's large schema stays in memory. Collecting garbage less often saves a fifth of the processor time.
    found = {"GOGC": "400", **environ, "CHECKPOINT_DISABLE": "1"}
    if not sys.stdout.isatty():
        found.setdefault("TF_CLI_ARGS", "-no-color")
    if _has_cli_configuration(environ):
        return found
    mirror = _mirror(environ)
    found["TF_CLI_CONFIG_FILE"] = str(_configuration(mirror))
    if mirror is None:
        # Without this cache, Terraform would download half a gigabyte for every folder.
        (STATE / "plugins").mkdir(parents=True, exist_ok=True)
        found.setdefault("TF_PLUGIN_CACHE_DIR", str(STATE / "plugins"))
    return found


@cache
def missing() -> str | None:
    """Return the reason why Terraform or the provider can't be used here, or None if both can be used."""
    wanted = ".".join(str(part) for part in MINIMUM)
    if shutil.which("terraform") is None:
        return f"terraform is not on the PATH: install version {wanted} or later"
    answer = subprocess.run(["terraform", "version"], capture_output=True, text=True, check=False, env=environment())
    version = re.search(r"Terraform v(\d+)\.(\d+)", answer.stdout)
    if version is None or tuple(int(part) for part in version.groups()) < MINIMUM:
        found = (answer.stdout or answer.stderr).strip()
        return f"terraform on the PATH is {found!r}: install version {wanted} or later"
    if _has_cli_configuration(os.environ) or _mirror(os.environ) or _registry_answers():
        return None
    return (
        f"hashicorp/aws {AWS_PROVIDER} is missing, and {_REGISTRY} does not answer: set TF_PLUGIN_MIRROR to the folder "
        "of a mirror"
    )


def found_mirror(environ: Mapping[str, str], top: Path = Path("/")) -> Path | None:
    """Return the first mirror that has the provider and that only root and the user can change, or None.

    `top` is the root folder; tests pass another folder. The returned path has no symbolic links, so nobody can change
    a link later.
    """
    system, machine = platform.system().lower(), platform.machine().lower()
    target = f"{system}_{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(machine, machine) }"
    unpacked = f"{AWS_PROVIDER}/{target}/terraform-provider-aws_v{AWS_PROVIDER}*"
    packed = f"terraform-provider-aws_{AWS_PROVIDER}_{target}.zip"  # `terraform providers mirror` gives this name
    for place in _places(environ, top):
        for pattern in (unpacked, packed):
            for provider in (place / _PROVIDER).glob(pattern):
                path, real = provider.relative_to(place), provider.resolve()
                mirror = real.parents[len(path.parts) - 1]
                if mirror / path == real and _only_ours(real, top):
                    return mirror
    return None


def _places(environ: Mapping[str, str], top: Path) -> Iterator[Path]:
    """Yield the folders that could be a mirror.

    First come Terraform's "implied local mirror directories", except the one in the working directory. Then come the
    folders in /opt and /usr/local/share.
    """
    home = Path(environ.get("HOME", "/"))
    shared = environ.get("XDG_DATA_DIRS") or f"{top / 'usr/local/share'}:{top / 'usr/share'}"
    yield home / ".terraform.d" / "plugins"
    for folder in (environ.get("XDG_DATA_HOME") or home / ".local" / "share", *shared.split(":")):
        yield Path(folder) / "terraform" / "plugins"
    for folder in (top / "opt", top / "usr/local/share"):
        yield from sorted(folder.glob("*"))


def _only_ours(path: Path, top: Path) -> bool:
    """True if only root and the user can change the file or replace a folder in its path."""
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
    """Return the folder of the mirror to use, or None to use the registry."""
    if named := environ.get("TF_PLUGIN_MIRROR"):
        return Path(named).resolve()
    if _registry_answers() or (found := found_mirror(environ)) is None:
        return None
    _say(f"{_REGISTRY} does not answer: using the AWS provider in {found}")
    return found


@cache
def _say(line: str) -> None:
    """Print a line, unless it was printed before."""
    print(line, file=sys.stderr)


@cache
def _registry_answers() -> bool:
    """True if the registry answers. A new process asks the registry, through the same proxy as Terraform."""
    probe = [sys.executable, "-c", _PROBE]
    try:
        return subprocess.run(probe, capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _configuration(mirror: Path | None) -> Path:
    """Write a CLI configuration for Terraform and return its path. Without the file, Terraform would use any mirror."""
    source = "direct {}" if mirror is None else f"filesystem_mirror {{ path = {json.dumps(str(mirror))} }}"
    path = STATE / ("direct.tfrc" if mirror is None else "mirror.tfrc")
    STATE.mkdir(parents=True, exist_ok=True)
    write_atomically(path, f"provider_installation {{\n  {source}\n}}\n")
    return path
