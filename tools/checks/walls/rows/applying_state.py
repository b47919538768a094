"""The rows about pipelines' roles and Terraform's state and packages."""

from collections.abc import Iterator

from chalicelib import NAME
from tools.checks.walls.places import DEVELOPMENT, Place, Places, Target, abroad, lock, state
from tools.checks.walls.rows.applying import APPLY, REAP, REAP_DEBUG, Applier
from tools.checks.walls.table import Wall, acts

WORKSPACES = ("workspaces", "debug", *REAP, *REAP_DEBUG)
WRITTEN_ONCE = {"s3:if-none-match": "*"}


def states(of: Target) -> Place:
    """Return the bucket of the states of an account."""
    return Place(f"arn:aws:s3:::{NAME}-state-{of.account_id}", of.account_id)


def packages(key: str = "") -> Places:
    """Return the bucket of packages, which production reads too, or an object in it."""

    def place(of: Target) -> Place:
        account_id = of.account_id if of == abroad(of) else DEVELOPMENT.account_id
        return Place(f"arn:aws:s3:::{NAME}-artifacts-{account_id}{key}", account_id)

    return place


def deployed(of: Target) -> Place:
    """Return the note that a target runs a package."""
    workspace = "" if of.workspace == "default" else f"-{of.workspace}"
    return packages(f"/abc/deployed/{of.environment}{workspace}.json")(of)


def rows(by: Applier) -> Iterator[Wall]:
    """Yield the rows of a role."""
    # The environment's state has the address of the store of routes to debug workspaces.
    readable = (*by.own, by.environment) if by.is_of_debug else by.own
    yield by.exactly("reads Terraform's state", acts("s3", "GetObject"), state, of=readable)
    yield by.exactly("writes Terraform's state", acts("s3", "PutObject"), state)
    yield by.exactly("locks Terraform's state", acts("s3", "DeleteObject GetObject PutObject"), lock)
    yield by.exactly("deletes Terraform's state", acts("s3", "DeleteObject"), state, WORKSPACES)
    yield by.exactly("deletes old versions of Terraform's state", acts("s3", "DeleteObjectVersion"), state, ())
    yield by.exactly("lists Terraform's states", acts("s3", "ListBucket"), states)
    yield by.exactly("lists packages", acts("s3", "ListBucket"), packages(), APPLY)
    yield by.exactly("reads a package", acts("s3", "GetObject"), packages("/abc/package.zip"), APPLY)
    yield by.exactly("notes that it deployed a package", acts("s3", "PutObject"), deployed, APPLY, WRITTEN_ONCE)
    yield by.exactly("stores a package", acts("s3", "PutObject"), packages("/abc/package.zip"), (), WRITTEN_ONCE)
    yield by.exactly("deletes notes about packages", acts("s3", "DeleteObject DeleteObjectVersion"), deployed, ())
