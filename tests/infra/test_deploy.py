"""After an apply, `deploy` migrates a real PostgreSQL, and moves aliases of functions. moto stands in for Lambda."""

from contextlib import closing

import psycopg2
import pytest
from botocore.exceptions import ClientError

from tests.infra.functions import FUNCTIONS, every, outputs
from tests.support.postgres import SUPERUSER, as_login
from tools.aws.deploy import KEPT, deploy, rollback
from tools.checkout import ToolError


def test_the_new_versions_create_roles_and_migrate_before_they_serve(account):
    account.publish("2")

    assert deploy(outputs(), account) == every("2")

    assert account.invoked == [("bootstrap", "2", "1"), ("migrate", "2", "1")]
    assert account.served() == every("2")


def test_versions_that_aws_does_not_run_yet_are_waited_for(account):
    account.publish("2")
    account.pending = {"bootstrap", "api"}

    assert deploy(outputs(), account) == every("2")

    assert account.pending == set()
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

    said = capsys.readouterr().out
    assert "ZeroDivisionError" in said
    assert "Nothing was moved" not in said


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
