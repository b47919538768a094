"""After an apply, `deploy` migrates a real PostgreSQL, moves the aliases of Lambda functions, and shows the page.

moto stands in for Lambda and S3. moto runs no functions, so `invoke` runs the handlers in this process.
"""

import io
import json
import zipfile
from contextlib import closing

import boto3
import brotli
import psycopg2
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.database.maintenance import migrate
from chalicelib.database.roles import MIGRATOR
from tests.support.postgres import SUPERUSER, as_login
from tests.support.stage import local_stage
from tools.aws.deploy import ALIAS, KEPT, deploy, rollback
from tools.aws.page import Page
from tools.checkout import ToolError

FUNCTIONS = {role: f"service-development-{role}" for role in ("api", "authorizer", "bootstrap", "migrate")}

SITE = "service-development-0123abcd"


class Account:
    """A Lambda client that runs handlers in this process.

    `invoked` lists the role and the version of each call, and the API's live version at the time of the call.
    """

    def __init__(self, client):
        self._client = client
        self.handlers = {"bootstrap": lambda event, context: {}, "migrate": migrate}
        self.invoked = []
        self.fails_to_move = set()
        self.moves_once = None

    def __getattr__(self, name):
        return getattr(self._client, name)

    def invoke(self, **call):
        role = call["FunctionName"].rsplit("-", 1)[1]
        self.invoked.append((role, call["Qualifier"], self.served()["api"]))
        try:
            return {"Payload": io.BytesIO(json.dumps(self.handlers[role](json.loads(call["Payload"]), None)).encode())}
        except Exception as error:
            said = json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)})
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(said.encode())}

    def update_alias(self, **call):
        if call["FunctionName"] in self.fails_to_move:
            raise ClientError({"Error": {"Code": "TooManyRequestsException"}}, "UpdateAlias")
        if call["FunctionName"] == self.moves_once:
            self.fails_to_move.add(self.moves_once)
        return self._client.update_alias(**call)

    def publish(self, code, *roles):
        """Publish a new version of the functions of these roles, or of all functions, as an apply does."""
        for role in roles or FUNCTIONS:
            self._client.update_function_code(FunctionName=FUNCTIONS[role], ZipFile=package(code), Publish=True)

    def versions(self, role):
        found = self._client.list_versions_by_function(FunctionName=FUNCTIONS[role])["Versions"]
        return [version["Version"] for version in found if version["Version"] != "$LATEST"]

    def served(self):
        aliases = {role: self._client.get_alias(FunctionName=name, Name=ALIAS) for role, name in FUNCTIONS.items()}
        return {role: alias["FunctionVersion"] for role, alias in aliases.items()}


def package(code):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("app.py", code)
    return file.getvalue()


def outputs(**changes):
    """Return Terraform's outputs for an environment."""
    value = {"name": "service-development", "api": {"function_names": FUNCTIONS}, "owns_database": True, **changes}
    return {"main": {"sensitive": False, "type": "object", "value": value}}


def every(version):
    return dict.fromkeys(FUNCTIONS, version)


@pytest.fixture
def account(database_url, monkeypatch):
    """An account after the first apply: every function has a version 1 and an alias that points to it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with local_stage(as_login(database_url, MIGRATOR)), mock_aws():
        role = boto3.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        client = boto3.client("lambda")
        for name in FUNCTIONS.values():
            client.create_function(
                FunctionName=name,
                Runtime="python3.13",
                Role=role,
                Handler="app.app",
                Code={"ZipFile": package("1")},
                Publish=True,
            )
            client.create_alias(FunctionName=name, Name=ALIAS, FunctionVersion="1")
        yield Account(client)


def test_the_new_versions_create_roles_and_migrate_before_they_serve(account):
    account.publish("2")

    assert deploy(outputs(), account) == every("2")

    assert account.invoked == [("bootstrap", "2", "1"), ("migrate", "2", "1")]
    assert account.served() == every("2")


def test_after_a_failed_migration_the_old_version_keeps_serving(account, database_url):
    with closing(psycopg2.connect(as_login(database_url, SUPERUSER))) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE schema_migrations SET checksum = 'edited' WHERE version = 1")
        connection.commit()
    account.publish("2")

    with pytest.raises(ToolError, match="MigrationRefused"):
        deploy(outputs(), account)

    assert account.served() == every("1")


def test_without_roles_nothing_is_migrated(account):
    account.handlers["bootstrap"] = lambda event, context: 1 / 0
    account.publish("2")

    with pytest.raises(ToolError, match="ZeroDivisionError"):
        deploy(outputs(), account)

    assert [role for role, _, _ in account.invoked] == ["bootstrap"]
    assert account.served() == every("1")


def test_a_workspace_on_its_environments_own_database_has_no_functions_to_migrate_with(account):
    api = {"function_names": {role: FUNCTIONS[role] for role in ("api", "authorizer")}}
    of_a_workspace = outputs(owns_database=False, api=api)
    account.publish("2")

    assert deploy(of_a_workspace, account) == {"api": "2", "authorizer": "2"}
    assert account.served() == {**every("1"), "api": "2", "authorizer": "2"}
    assert rollback(of_a_workspace, account) == {"api": "1", "authorizer": "1"}

    assert account.invoked == []
    assert account.served() == every("1")


def test_if_one_alias_cannot_move_the_others_move_back(account):
    account.publish("2")
    account.fails_to_move = {FUNCTIONS["migrate"]}

    with pytest.raises(ToolError):
        deploy(outputs(), account)

    assert account.served() == every("1")


def test_an_alias_that_cannot_move_back_is_named(account):
    account.publish("2")
    account.moves_once = FUNCTIONS["api"]
    account.fails_to_move = {FUNCTIONS["migrate"]}

    with pytest.raises(ToolError, match=f"could not move back: The alias live of {FUNCTIONS['api']}"):
        deploy(outputs(), account)

    assert account.served() == {**every("1"), "api": "2"}


def test_a_rollback_returns_to_the_version_before_even_after_deploying_the_same_again(account):
    account.publish("2")
    deploy(outputs(), account)
    deploy(outputs(), account)

    assert rollback(outputs(), account) == every("1")
    assert account.served() == every("1")


def test_a_rollback_asks_the_version_before_if_it_can_use_the_schema(account, database_url):
    account.publish("2")
    deploy(outputs(), account)
    account.invoked.clear()
    with closing(psycopg2.connect(as_login(database_url, SUPERUSER))) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO schema_migrations VALUES (9998, 'added', '', 1), (9999, 'dropped', '', 9999)")
        connection.commit()
        with pytest.raises(ToolError, match="9999"):
            rollback(outputs(), account)
        assert account.served() == every("2")

        cursor.execute("DELETE FROM schema_migrations WHERE name = 'dropped'")
        connection.commit()

    assert rollback(outputs(), account) == every("1")
    assert account.invoked == [("migrate", "1", "2")] * 2


def test_a_rollback_goes_on_if_the_version_before_can_not_be_asked(account, capsys):
    account.publish("2")
    deploy(outputs(), account)
    account.handlers["migrate"] = lambda event, context: 1 / 0

    assert rollback(outputs(), account) == every("1")

    assert "ZeroDivisionError" in capsys.readouterr().out


def test_a_rollback_leaves_functions_alone_that_the_deployment_did_not_change(account):
    account.publish("2")
    deploy(outputs(), account)
    account.publish("3", "api")
    deploy(outputs(), account)

    rollback(outputs(), account)

    assert account.served() == every("2")


def test_a_rollback_behind_the_first_deployment_or_a_second_one_is_refused(account):
    deploy(outputs(), account)
    with pytest.raises(ToolError):
        rollback(outputs(), account)

    account.publish("2")
    deploy(outputs(), account)
    rollback(outputs(), account)
    with pytest.raises(ToolError):
        rollback(outputs(), account)

    assert account.served() == every("1")


def test_a_deployment_deletes_old_versions_but_none_that_a_rollback_needs(account):
    for version in range(2, KEPT + 5):
        account.publish(str(version), "api")

    deploy(outputs(), account)
    left = account.versions("api")
    rollback(outputs(), account)

    assert left == ["1", *map(str, range(4, KEPT + 5))]
    assert account.served()["api"] == "1"
    assert account.versions("authorizer") == ["1"]


def test_a_version_that_can_not_be_deleted_does_not_fail_the_deployment(account, monkeypatch, capsys):
    def refuses(**call):
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DeleteFunction")

    monkeypatch.setattr(account, "delete_function", refuses, raising=False)
    for version in range(2, KEPT + 5):
        account.publish(str(version), "api")

    assert deploy(outputs(), account)["api"] == str(KEPT + 4)
    assert FUNCTIONS["api"] in capsys.readouterr().out


def test_versions_are_ordered_as_numbers(account):
    for version in range(2, 12):
        account.publish(str(version), "api")

    assert deploy(outputs(), account)["api"] == "11"


class Site:
    """The bucket of a site, and a folder with a page."""

    def __init__(self, folder):
        self.client, self.folder = boto3.client("s3"), folder
        self.client.create_bucket(Bucket=SITE, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        self.fails_at = None

    def __getattr__(self, name):
        return getattr(self.client, name)

    def put_object(self, **call):
        if call["Key"].endswith(self.fails_at or "\n"):
            raise ClientError({"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}, "PutObject")
        return self.client.put_object(**call)

    def page(self, script):
        """Write a page with this script, and return it."""
        (self.folder / "js").mkdir(parents=True, exist_ok=True)
        (self.folder / "index.html").write_text('<script src="./js/main.js"></script>')
        (self.folder / "js" / "main.js").write_text(script)
        return Page(self, SITE, self.folder)

    def shows(self):
        """Return the script that the page loads, or None if there is no page."""
        try:
            html = self.client.get_object(Bucket=SITE, Key="index.html")["Body"].read().decode()
        except ClientError:
            return None
        key = html.removeprefix('<script src="/').removesuffix('"></script>')
        return brotli.decompress(self.client.get_object(Bucket=SITE, Key=key)["Body"].read()).decode()

    def folders(self):
        return {each["Key"].split("/")[0] for each in self.client.list_objects_v2(Bucket=SITE)["Contents"]}


@pytest.fixture
def site(account, tmp_path):
    return Site(tmp_path)


def test_the_first_deployment_shows_the_page_and_can_not_be_rolled_back(account, site):
    page = site.page("1")

    assert deploy(outputs(), account, page) == {**every("1"), "page": page.newest()}

    assert site.shows() == "1"
    with pytest.raises(ToolError, match=f"The page in the bucket {SITE} has no known previous version"):
        rollback(outputs(), account, page)


def test_each_file_has_its_type_and_only_index_html_is_not_kept(account, site):
    page = site.page("1")
    (site.folder / "LICENSE").write_text("Free")

    deploy(outputs(), account, Page(site, SITE, site.folder))

    digest = Page(site, SITE, site.folder).newest()
    assert digest != page.newest()
    heads = {key: site.head_object(Bucket=SITE, Key=key) for key in ("index.html", f"{digest}/js/main.js")}
    heads["LICENSE"] = site.head_object(Bucket=SITE, Key=f"{digest}/LICENSE")
    assert [(head["ContentType"], head["CacheControl"]) for head in heads.values()] == [
        ("text/html; charset=utf-8", "no-cache"),
        ("text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("text/plain; charset=utf-8", "public, max-age=31536000, immutable"),
    ]


def test_a_rollback_brings_the_page_of_before_back_also_if_only_the_page_changed(account, site):
    account.publish("2")
    deploy(outputs(), account, site.page("1"))
    deploy(outputs(), account, site.page("2"))
    assert (site.shows(), account.served()) == ("2", every("2"))
    deploy(outputs(), account, site.page("2"))

    rollback(outputs(), account, site.page("3"))

    assert (site.shows(), account.served()) == ("1", every("2"))


def test_a_rollback_leaves_the_page_alone_that_the_deployment_did_not_change(account, site):
    deploy(outputs(), account, site.page("1"))
    account.publish("2")
    deploy(outputs(), account, site.page("1"))

    rollback(outputs(), account, site.page("1"))

    assert (site.shows(), account.served()) == ("1", every("1"))


def test_the_files_of_the_page_before_stay_until_the_next_deployment(account, site):
    pages = [site.page(script) for script in "123"]
    for page in pages[:2]:
        deploy(outputs(), account, page)
    assert site.folders() == {"index.html", *(page.newest() for page in pages[:2])}

    deploy(outputs(), account, pages[2])
    assert site.folders() == {"index.html", *(page.newest() for page in pages[1:])}
    rollback(outputs(), account, pages[2])
    assert site.shows() == "2"


@pytest.mark.parametrize("key", ["js/main.js", "index.html"])
def test_after_a_failed_upload_everything_serves_as_before_and_the_next_deployment_completes_it(account, site, key):
    deploy(outputs(), account, site.page("1"))
    account.publish("2")
    site.fails_at = key

    with pytest.raises(ToolError, match="SlowDown"):
        deploy(outputs(), account, site.page("2"))
    assert (site.shows(), account.served(), account.invoked[4:]) == ("1", every("1"), [])

    site.fails_at = None
    deploy(outputs(), account, site.page("2"))
    assert (site.shows(), account.served()) == ("2", every("2"))


def test_if_the_page_can_not_be_shown_the_aliases_move_back(account, site, monkeypatch):
    deploy(outputs(), account, site.page("1"))
    account.publish("2")
    page = site.page("2")
    monkeypatch.setattr(site, "get_object", lambda **call: site.put_object(Key="\n"), raising=False)

    with pytest.raises(ToolError, match=f"The page in the bucket {SITE} could not be moved"):
        deploy(outputs(), account, page)

    assert (site.shows(), account.served()) == ("1", every("1"))


@pytest.mark.parametrize(
    "told",
    [
        {},
        [],
        {"main": {"value": None}},
        outputs(api={}),
        outputs(api={"function_names": None}),
        outputs(owns_database=None),
        {"main": {"value": {"api": {"function_names": FUNCTIONS}}}},
    ],
    ids=str,
)
def test_outputs_that_do_not_say_who_owns_the_database_are_refused(told, account):
    with pytest.raises(ToolError, match="owns_database"):
        deploy(told, account)
