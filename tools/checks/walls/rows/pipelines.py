"""What the roles of pull requests and builds may do."""

from chalicelib import NAME
from tools.checks.walls.places import DEVELOPMENT, PREPRODUCTION, PRODUCTION, Place, preview, site_file, state
from tools.checks.walls.principals import OfAccount
from tools.checks.walls.table import Wall, acts, wall

ARTIFACTS = f"arn:aws:s3:::{NAME}-artifacts-{DEVELOPMENT.account_id}"


def artifact(key: str) -> Place:
    """Return an object in the bucket of packages."""
    return Place(f"{ARTIFACTS}/{key}", DEVELOPMENT.account_id)


WRITTEN_ONCE = {"s3:if-none-match": "*"}

WALLS = (
    wall(
        OfAccount("plan"),
        "reads the state of environments",
        acts("s3", "GetObject"),
        state,
        [DEVELOPMENT, preview(DEVELOPMENT), PREPRODUCTION],
        [PRODUCTION],
    ),
    wall(OfAccount("plan"), "reads files of a site", acts("s3", "GetObject"), site_file, not_of=[DEVELOPMENT]),
    Wall(
        OfAccount("artifacts"),
        "stores a package",
        acts("s3", "PutObject"),
        (artifact("abc/package.zip"),),
        (artifact("abc/deployed/development.json"), state(DEVELOPMENT)),
        WRITTEN_ONCE,
        ({"s3:ObjectCreationOperation": "true"},),
    ),
    Wall(
        OfAccount("artifacts"),
        "reads a package",
        acts("s3", "GetObject"),
        (artifact("abc/package.zip"),),
        (state(DEVELOPMENT),),
        not_by=(OfAccount("plan"),),
    ),
    Wall(
        OfAccount("apply-production"),
        "reads the packages of the testing account",
        acts("s3", "GetObject"),
        (artifact("abc/package.zip"),),
        not_by=(OfAccount("plan", production=True), OfAccount("reap-production")),
    ),
    Wall(
        OfAccount("apply-production"),
        "deletes a package",
        acts("s3", "DeleteObject DeleteObjectVersion"),
        not_on=(artifact("abc/package.zip"),),
    ),
)
