"""Stand-ins for the AWS services that the function `bootstrap` calls, and the logins that it creates."""

import json
from contextlib import closing

import boto3
import psycopg2
from psycopg2.extensions import make_dsn

from chalicelib.database.roles import APP, MIGRATOR, READER

MASTER = "cluster_owner"
APP_LOGIN, MIGRATOR_LOGIN = f"{APP}_production", f"{MIGRATOR}_production"


class DataApi:
    """A stand-in for the RDS Data API, with one transaction on a real database. It fails to begin `resuming` times."""

    class exceptions:  # noqa: N801 (the name in the SDK)
        class DatabaseResumingException(Exception):
            pass

    def __init__(self, url, resuming=0):
        self._connection = psycopg2.connect(url)
        self._resuming = resuming
        self.asked = []

    def begin_transaction(self, **where):
        self.asked.append(where)
        self._resuming -= 1
        if self._resuming >= 0:
            raise self.exceptions.DatabaseResumingException
        return {"transactionId": "one"}

    def execute_statement(self, sql, transactionId, **where):  # noqa: N803
        assert (transactionId, where) == ("one", self.asked[-1])
        self._connection.cursor().execute(sql)

    def commit_transaction(self, transactionId, **where):  # noqa: N803
        self._connection.commit()
        self._connection.close()


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
