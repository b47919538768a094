"""`make unlock ENV=… [WORKSPACE=…]`: unlock a state after a killed apply. Say first who holds the lock, and ask.

Terraform locks a state by a file beside it. If Terraform is killed, the file stays, and every later command fails.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from tools.aws import environment
from tools.aws.terminal import require_consent
from tools.local.log_lines import harmless


def main(environ: Mapping[str, str]) -> None:
    """Unlock the state of the target that the variables name, unless nobody holds its lock."""
    target = environment.target_of(environ)
    lock = target.states.lock(target.terraform_workspace)
    if lock is None:
        print(f"Nobody holds the lock of {target.name}")
        return
    # A preview's code can write the lock of its workspace.
    who, what, since = (harmless(str(lock.get(name, "unknown"))) for name in ("Who", "Operation", "Created"))
    print(f"{target.name} is locked by {who} since {since}{_age(since)}, for {what}")
    print("If that command still runs, wait for it: two commands at once destroy the state")
    if environ.get("YES") != "1":
        require_consent(target.name)
    environment.unlock(target, str(lock["ID"]))
    print(f"{target.name} is unlocked. Run `make plan` to see what the killed command left undone")


def _age(since: str) -> str:
    try:
        # Python reads at most microseconds, and Terraform writes nanoseconds.
        begun = datetime.fromisoformat(since[:19]).replace(tzinfo=UTC)
    except ValueError:
        return ""
    return f" ({int((datetime.now(UTC) - begun).total_seconds() // 60)} minutes ago)"
