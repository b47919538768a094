"""Environments for random requests."""

from tools.checks.fuzz import Fuzz, Record, always, often, sometimes
from tools.checks.fuzz.systems import QUIET, SYSTEM

# Routes of the random requests lead to this host.
WORKSPACE_HOST = "debug.example.org"

_NAMES = ("development", "preproduction", "production")
# Only environments without a history can be deleted.
_SPARE = ("spare-0", "spare-1", "spare-2")

FUZZ = Fuzz(
    after=("systems",),
    records=(
        *(
            Record(
                f"{SYSTEM}/environments",
                {
                    "name": name,
                    "rank": rank,
                    "production": name == "production",
                    "workspace_hosts": [WORKSPACE_HOST],
                },
            )
            for rank, name in enumerate(_NAMES, start=1)
        ),
        *(Record(f"{QUIET}/environments", {"name": name, "rank": 1 + rank}) for rank, name in enumerate(_SPARE)),
    ),
    values={
        "path.environment": often(*_NAMES),
        "query.environment": sometimes(*_NAMES),
        "body.environment": often(*_NAMES),
    },
    problems={
        "in-use": "a publisher may name the environment",
        "reason-required": "a production environment would require less or trust more",
    },
    rules={
        (
            ".+_environment",
            "#/workspace_hosts/[0-9]+",
        ): "a suffix has three labels, and must not be one under which anybody gets hosts",
    },
    only={"delete_environment": {"path.system": always("quiet"), "path.environment": always(*_SPARE)}},
)
