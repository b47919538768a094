"""The functions that set up and migrate a deployed stage's database. Only a deployment of the stage invokes them."""

import os
import time
from typing import Any

from chalice.app import Blueprint

from chalicelib import SQL_NAME
from chalicelib.database import migrate as migrations
from chalicelib.database.opening import address
from chalicelib.database.roles import APP, MIGRATOR, statements
from chalicelib.settings import settings

blueprint = Blueprint(__name__)

# On Amazon RDS, a role that is a member of `rds_iam` logs in with IAM tokens.
IAM_LOGINS = f"GRANT rds_iam TO {MIGRATOR}, {APP}"

RESUME_SECONDS = 60
_POLL_SECONDS = 5


@blueprint.lambda_function(name="migrate")
def migrate(event: Any, context: Any) -> dict[str, Any]:
    """Migrate the schema to this package's version, or raise MigrationFailed or MigrationRefused."""
    applied = migrations.migrate(address(settings().database))
    return {"applied": applied, "schema_version": migrations.expected_version()}


@blueprint.lambda_function(name="bootstrap")
def bootstrap(event: Any, context: Any) -> dict[str, Any]:
    """Create the database's roles as the master user, through the RDS Data API. A second run changes nothing."""
    import boto3  # noqa: PLC0415 (boto3 takes half a second to import, which no other function should pay)

    database = os.environ.get("SLIPWAY_DATABASE_NAME", SQL_NAME)
    where = {
        "resourceArn": os.environ["SLIPWAY_DATABASE_CLUSTER_ARN"],
        "secretArn": os.environ["SLIPWAY_DATABASE_SECRET_ARN"],
    }
    client = boto3.client("rds-data")
    transaction = _begin(client, database, where)
    for statement in [*statements(database), IAM_LOGINS]:
        client.execute_statement(sql=statement, database=database, transactionId=transaction, **where)
    client.commit_transaction(transactionId=transaction, **where)
    return {"roles": [MIGRATOR, APP]}


def _begin(client: Any, database: str, where: dict[str, str]) -> str:
    """Begin a transaction and return its id. If the cluster is paused, wait up to RESUME_SECONDS until it resumes."""
    deadline = time.monotonic() + RESUME_SECONDS
    while True:
        try:
            return str(client.begin_transaction(database=database, **where)["transactionId"])
        except client.exceptions.DatabaseResumingException:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_POLL_SECONDS)
