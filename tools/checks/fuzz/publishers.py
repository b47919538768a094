"""Publishers for random requests. Requests may delete only the last three."""

from tools.checks.fuzz import Fuzz, Record, always, often
from tools.checks.fuzz.systems import SYSTEM

_PUBLISHER = {
    "repository": "DataBiosphere/azul",
    "repository_id": "74",
    "repository_owner_id": "65",
    "workflow": ".github/workflows/deploy.yml",
    "ref": "refs/heads/*",
    "environments": {"development": None},
}

FUZZ = Fuzz(
    after=("environments",),
    records=tuple(Record(f"{SYSTEM}/publishers", _PUBLISHER) for _ in range(6)),
    only={
        "create_publisher": {"body.issuer": often("https://token.actions.githubusercontent.com")},
        "delete_publisher": {"path.id": always("4", "5", "6")},
    },
    problems={"too-many-publishers": "random requests may create the most that a system takes"},
    rules={
        ("create_publisher", "#/issuer"): "only some issuers are trusted",
        ("create_publisher", "#/environments/.+"): "the environment must exist",
    },
)
