"""Wait until another run of the acceptance tests has finished its deployment."""

from tools.checkout import ToolError
from tools.local.acceptance.service import Service, Wait
from tools.local.acceptance.settings import SYSTEM

IDLE_SECONDS = 90  # longer than the tests need for a deployment


def wait_until_idle(service: Service, wait: Wait) -> None:
    """Wait until no deployment is in progress. A killed run's deployment ends with its lease. Raises ToolError."""
    system = service.settings.system
    if last := wait(f"the system {system!r}", lambda: _business(service)):
        raise ToolError(
            f"Another run uses the system {system!r} ({last}): wait until it ends, or use another system, such as "
            f"SYSTEM={SYSTEM}-2"
        )


def _business(service: Service) -> str | None:
    """Return a line about the system's deployment in progress, or None if no deployment is in progress."""
    answer = service.get(f"/v1/systems/{service.settings.system}/deployments?state=in_progress")
    if answer.status == 200 and answer.json["items"]:
        return f"deployment {answer.json['items'][0]['id']} is in progress"
    return None
