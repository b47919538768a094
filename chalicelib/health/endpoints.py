"""The endpoints of the service's health: `/v1/health` and `/v1/ready`."""

from typing import Annotated, Literal

from chalice.app import Blueprint
from msgspec import Meta

from chalicelib import __version__, running
from chalicelib.rest import problems
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.rest.problems import Problem
from chalicelib.rest.types import Answer

blueprint = Blueprint(__name__)


class Health(Answer, kw_only=True):
    status: Literal["ok"] = "ok"
    version: Annotated[str, Meta(examples=[__version__])] = __version__
    package: Annotated[
        str | None,
        Meta(
            description="The digest of the package that the function runs; null if nobody packaged it",
            examples=[f"sha256:{'5b678574' * 8}"],
        ),
    ]


class Readiness(Answer, kw_only=True):
    status: Literal["ready"] = "ready"
    schema_version: int


@operation(blueprint, "GET /v1/health", role="public")
def get_health(call: Call) -> Health:
    """Answer 200 if the process is alive, without asking the database, and say what runs."""
    return Health(package=running.package())


@operation(blueprint, "GET /v1/ready", role="public", raises=[problems.unavailable])
def get_readiness(call: Call) -> Readiness:
    """Answer 200 if the database answers and has a schema that this version can use.

    The schema may be newer, so that an earlier version is ready after a rollback, unless a migration needs newer code.
    """
    from chalicelib.database.migrate import expected_version  # noqa: PLC0415 (only this check needs the migrations)

    code = expected_version()
    schema = call.db.row(
        """
        SELECT coalesce(max(version), 0) AS version, coalesce(max(oldest_code), 1) AS oldest_code,
            count(*) FILTER (WHERE version <= %(code)s) AS known
        FROM schema_migrations
        """,
        code=code,
    )
    assert schema is not None
    version, oldest_code = schema["version"], schema["oldest_code"]
    if version < code:
        raise _not_ready(f"The schema has version {version}, but this code expects {code}: migrate the database")
    if schema["known"] < code:
        raise _not_ready(
            f"The schema has only {schema['known']} of the {code} migrations of this code: migrate the database"
        )
    if oldest_code > code:
        raise _not_ready(
            f"The schema has version {version}, which needs code of version {oldest_code}, but this code has {code}: "
            "deploy newer code"
        )
    return Readiness(schema_version=version)


def _not_ready(detail: str) -> Problem:
    return Problem(problems.unavailable, detail, headers={"Retry-After": "5"})
