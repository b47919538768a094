"""Systems for random requests."""

from tools.checks.fuzz import Fuzz, Record, always, often

SYSTEM = "/v1/systems/azul"
QUIET = "/v1/systems/quiet"

# Only systems without a history can be deleted.
_SPARE = ("spare-0", "spare-1", "spare-2")

FUZZ = Fuzz(
    records=(
        Record("/v1/systems", {"key": "azul", "name": "Azul"}),
        # Requests that write records seldom name this system, so its environments stay without a history.
        Record("/v1/systems", {"key": "quiet", "name": "Quiet"}),
        *(Record("/v1/systems", {"key": key, "name": "Spare"}) for key in _SPARE),
    ),
    values={"path.system": often("azul")},
    only={"delete_system": {"path.system": always(*_SPARE)}},
)
