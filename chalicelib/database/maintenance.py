"""The functions that set up and migrate a deployed stage's database. Only a deployment of the stage invokes them."""

import json
import os
import time
from typing import Any

from chalice.app import Blueprint

from chalicelib import SQL_NAME
from chalicelib.database.opening import address
from chalicelib.database.passwords import new_password, verifier
from chalicelib.database.roles import APP, MIGRATOR, READER, closed_to_everybody, logins, reader, statements
from chalicelib.settings import settings

blueprint = Blueprint(__name__)

RESUME_SECONDS = 60
_POLL_SECONDS = 5


@blueprint.lambda_function(name="migrate")
def migrate(event: Any, context: Any) -> dict[str, Any]:
    """Migrate the schema to this package's version, or raise MigrationFailed or MigrationRefused."""
    from chalicelib.database import migrate as migrations  # noqa: PLC0415 (only this function migrates)

    applied = migrations.migrate(address(settings().database))
    return {"applied": applied, "schema_version": migrations.expected_version()}


@blueprint.lambda_function(name="bootstrap")
def bootstrap(event: Any, context: Any) -> dict[str, Any]:
    """Create the database's roles and logins as the master user, through the RDS Data API. A second run is harmless."""
    import boto3  # noqa: PLC0415 (boto3 takes half a second to import, which no other function should pay)

    database = os.environ.get("SLIPWAY_DATABASE_NAME", SQL_NAME)
    app, migrator = os.environ["SLIPWAY_DATABASE_APP_LOGIN"], os.environ["SLIPWAY_DATABASE_MIGRATOR_LOGIN"]
    where = {
        "resourceArn": os.environ["SLIPWAY_DATABASE_CLUSTER_ARN"],
        "secretArn": os.environ["SLIPWAY_DATABASE_SECRET_ARN"],
    }
    password = _password_of_reader(boto3.client("secretsmanager"), os.environ["SLIPWAY_DATABASE_READER_SECRET_ARN"])
    client = boto3.client("rds-data")
    transaction = _begin(client, database, where)
    for statement in [
        *statements(database),
        *logins(database, app, migrator),
        closed_to_everybody(),
        *iam_logins(app, migrator),
        *reader(database, verifier(password)),
    ]:
        client.execute_statement(sql=statement, database=database, transactionId=transaction, **where)
    client.commit_transaction(transactionId=transaction, **where)
    return {"roles": [MIGRATOR, APP], "logins": [migrator, app, READER]}


def iam_logins(app: str, migrator: str) -> list[str]:
    """Return the statement that lets these logins use IAM tokens.

    On Amazon RDS, members of `rds_iam` log in with tokens, and with nothing else. This includes members of members. The
    master user needs its password for the next bootstrap. So it must be a member of no login: see `roles.logins`.
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.DBAccounts.html
    """
    return [f"GRANT rds_iam TO {app}, {migrator}"]


def _password_of_reader(client: Any, secret: str) -> str:
    """Return the reader's password from the secret. If the secret has no value, store a new password there first.

    The secret decides: each run gives the database the secret's password, also if an earlier run failed half-way.
    """
    try:
        value: dict[str, str] = json.loads(client.get_secret_value(SecretId=secret)["SecretString"])
        return value["password"]
    except client.exceptions.ResourceNotFoundException:
        password = new_password()
        client.put_secret_value(SecretId=secret, SecretString=json.dumps({"username": READER, "password": password}))
        return password


def _begin(client: Any, database: str, where: dict[str, str]) -> str:
    """Begin a transaction and return its id. Wait up to RESUME_SECONDS until the cluster and its Data API are there.

    The cluster may be paused. The Data API of a clone is enabled shortly before this function runs.
    """
    not_yet = (client.exceptions.DatabaseResumingException, client.exceptions.HttpEndpointNotEnabledException)
    deadline = time.monotonic() + RESUME_SECONDS
    while True:
        try:
            return str(client.begin_transaction(database=database, **where)["transactionId"])
        except not_yet:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_POLL_SECONDS)
