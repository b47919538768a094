"""Stand-ins for the AWS services that the function `bootstrap` calls, and the logins that it creates."""

import json
from contextlib import closing

import boto3
import psycopg2
from psycopg2.extensions import make_dsn

from chalicelib import SQL_NAME
from chalicelib.database import maintenance
from chalicelib.database.roles import APP, MIGRATOR, READER
from tests.support.postgres import SUPERUSER, as_login
from tests.support.stage import local_stage

MASTER = "cluster_owner"
MASTER_PASSWORD = "of-the-master"
RDS_MEMBERS = "member::regrole::text FROM pg_auth_members WHERE roleid = 'rds_iam'::regrole"
APP_LOGIN, MIGRATOR_LOGIN = f"{APP}_production", f"{MIGRATOR}_production"


class DataApi:
    """A stand-in for the RDS Data API, with one transaction on a real database.

    It logs in with the master's password when a transaction begins. It fails to begin `resuming` times, with the
    error `not_yet`. During the
    transaction the master may grant `rds_iam`. On Amazon RDS it may because of `rds_superuser`, without being a member.
    """

    class exceptions:  # noqa: N801 (the name in the SDK)
        class DatabaseResumingException(Exception):
            pass

        class HttpEndpointNotEnabledException(Exception):
            pass

    def __init__(self, url, resuming=0, not_yet=exceptions.DatabaseResumingException):
        self._url, self._superuser = url, as_login(url, SUPERUSER)
        self._resuming, self._not_yet = resuming, not_yet
        self.asked = []

    def begin_transaction(self, **where):
        self.asked.append(where)
        self._resuming -= 1
        if self._resuming >= 0:
            raise self._not_yet
        self._connection = psycopg2.connect(make_dsn(self._url, user=MASTER, password=MASTER_PASSWORD))
        sql(self._superuser, f"GRANT rds_iam TO {MASTER} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
        return {"transactionId": "one"}

    def execute_statement(self, sql, transactionId, **where):  # noqa: N803
        assert (transactionId, where) == ("one", self.asked[-1])
        self._connection.cursor().execute(sql)

    def commit_transaction(self, transactionId, **where):  # noqa: N803
        self._connection.commit()
        self._connection.close()
        for (member,) in sql(self._superuser, f"SELECT {RDS_MEMBERS} AND grantor = '{MASTER}'::regrole"):
            sql(self._superuser, f"GRANT rds_iam TO {member}")
        sql(self._superuser, f"REVOKE rds_iam FROM {MASTER} CASCADE")


class Secret:
    """A stand-in for Secrets Manager, with one secret that has no value yet. `fails` makes it refuse a new value."""

    class exceptions:  # noqa: N801 (the name in the SDK)
        class ResourceNotFoundException(Exception):
            pass

    def __init__(self):
        self.values = []
        self.fails = False

    @property
    def password(self):
        return json.loads(self.values[-1])["password"]

    def get_secret_value(self, SecretId):  # noqa: N803
        assert SecretId == "arn:reader"
        if not self.values:
            raise self.exceptions.ResourceNotFoundException
        return {"SecretString": self.values[-1]}

    def put_secret_value(self, SecretId, SecretString):  # noqa: N803
        assert SecretId == "arn:reader"
        if self.fails:
            raise ConnectionError
        self.values.append(SecretString)


def data_api(monkeypatch, url, secret=None, **options):
    client = DataApi(url, **options)
    monkeypatch.setattr(boto3, "client", {"rds-data": client, "secretsmanager": secret or Secret()}.__getitem__)
    return client


def emptied(cluster, monkeypatch):
    """Make an empty database, and set the variables of the function `bootstrap`. Return the master's address."""
    sql(cluster, f"DROP DATABASE IF EXISTS {SQL_NAME} WITH (FORCE)")
    sql(cluster, f"DROP ROLE IF EXISTS {', '.join([*logins(cluster), APP, MIGRATOR, READER])}")
    sql(cluster, f"REVOKE rds_iam FROM {MASTER} CASCADE")
    sql(cluster, f"CREATE DATABASE {SQL_NAME} OWNER {MASTER}")
    for name, value in {
        "CLUSTER_ARN": "arn:cluster",
        "SECRET_ARN": "arn:secret",
        "READER_SECRET_ARN": "arn:reader",
        "APP_LOGIN": APP_LOGIN,
        "MIGRATOR_LOGIN": MIGRATOR_LOGIN,
    }.items():
        monkeypatch.setenv(f"SLIPWAY_DATABASE_{name}", value)
    return make_dsn(cluster, dbname=SQL_NAME, user=MASTER, password=MASTER_PASSWORD)


def first_deployment(url, monkeypatch):
    """Bootstrap and migrate an empty database; return the secret with the reader's password."""
    secret = Secret()
    data_api(monkeypatch, url, secret)
    maintenance.bootstrap({}, None)
    with local_stage(as_login(url, MIGRATOR_LOGIN)):
        maintenance.migrate({}, None)
    return secret


def logins(url):
    """Return the names of the logins that `bootstrap` made."""
    return [login for (login,) in sql(url, f"SELECT rolname FROM pg_roles WHERE rolname ~ '^({APP}|{MIGRATOR})_'")]


def as_reader(url, password):
    return make_dsn(url, user=READER, password=password)


def sql(url, statement):
    with closing(psycopg2.connect(url)) as one:
        one.autocommit = True
        with one.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
