"""The endpoints of the service's health: `/v1/health` and `/v1/ready`."""

from typing import Literal

from chalice.app import Blueprint

from chalicelib.rest import problems
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.rest.problems import Problem
from chalicelib.rest.types import Answer

blueprint = Blueprint(__name__)


class Health(Answer):
    status: Literal["ok"] = "ok"


class Readiness(Answer, kw_only=True):
    status: Literal["ready"] = "ready"
    schema_version: int


@operation(blueprint, "GET /v1/health", role="public")
def get_health(call: Call) -> Health:
    """Answer 200 if the process is alive, without asking the database."""
    return Health()


@operation(blueprint, "GET /v1/ready", role="public", raises=[problems.unavailable])
def get_readiness(call: Call) -> Readiness:
    """Answer 200 if the database answers and has the schema that this version expects."""
    from chalicelib.database.migrate import expected_version  # noqa: PLC0415 (only this check needs the migrations)

    found = call.db.value("SELECT max(version) FROM schema_migrations")
    if found != expected_version():
        raise Problem(
            problems.unavailable,
            f"The schema has version {found}, but this code expects {expected_version()}: migrate the database, or "
            "deploy the code for its schema",
            headers={"Retry-After": "5"},
        )
    return Readiness(schema_version=expected_version())
