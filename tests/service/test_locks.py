"""A request that changes what a system's other requests decide by first takes the system's lock."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.database.connection import lock_key
from tests.support.api import Api
from tests.support.given import A_PUBLISHER, Given
from tests.support.races import held

LOCK = f"SELECT pg_advisory_xact_lock({lock_key('system azul')})"
PATH = "/v1/systems/azul"
ENVIRONMENT = f"{PATH}/environments/development"

ACTIONS: dict[str, Callable[[Api, str], Any]] = {
    "changing a system": lambda api, _: api.patch(PATH, {"name": "Blue"}, if_match="*"),
    "deleting a system": lambda api, _: api.delete(PATH, if_match="*"),
    "creating an environment": lambda api, _: api.post(f"{PATH}/environments", {"name": "staging", "rank": 4}),
    "changing an environment": lambda api, _: api.patch(ENVIRONMENT, {"rank": 2}, if_match="*"),
    "deleting an environment": lambda api, _: api.delete(f"{PATH}/environments/testing", if_match="*"),
    "creating a publisher": lambda api, _: api.post(f"{PATH}/publishers", A_PUBLISHER),
    "deleting a publisher": lambda api, id_: api.delete(f"{PATH}/publishers/{id_}", if_match="*"),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_write_waits_for_the_systems_lock(api: Api, given: Given, database_url: str, action: str) -> None:
    given.a_system_with_an_environment()
    given.an_environment("testing")
    publisher = given.a_publisher()["id"]

    with held(database_url, LOCK) as hold:
        future = hold.waiting(lambda: ACTIONS[action](api, publisher))
        waited = not future.done()

    assert waited
    assert future.result().status in (200, 201, 204)


def test_a_write_decides_by_what_was_committed_while_it_waited(api: Api, given: Given, database_url: str) -> None:
    given.a_system_with_an_environment()
    tag = api.get(ENVIRONMENT).headers["ETag"]

    with held(database_url, f"{LOCK}; UPDATE environments SET base_url = 'https://azul.example.org'") as hold:
        future = hold.waiting(lambda: api.patch(ENVIRONMENT, {"rank": 2}, if_match=tag))

    assert future.result().problem == "precondition-failed"


@pytest.mark.parametrize("path", [PATH, ENVIRONMENT, f"{PATH}/environments", f"{PATH}/publishers"])
def test_a_read_waits_for_no_lock(api: Api, given: Given, database_url: str, path: str) -> None:
    given.a_system_with_an_environment()

    with held(database_url, f"{LOCK}; SELECT FROM systems, environments FOR UPDATE"):
        answer = api.get(path)

    assert answer.status == 200


def test_a_lock_has_not_postgresqls_own_hash_which_can_be_inverted(given: Given) -> None:
    [(of_postgresql,)] = given.sql("SELECT hashtextextended('holds', 0)")

    assert lock_key("holds") != of_postgresql
