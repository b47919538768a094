"""The statement fragment with which the gate reads holds."""

import msgspec
import pytest

from chalicelib.database.connection import database
from chalicelib.holds.model import HoldFact
from chalicelib.holds.store import holds_fact
from tests.service.deployments.records import an_artifact
from tests.support.given import ahead
from tests.support.largest import copy

FRIDAYS = {"by_day": ["FR"], "from": "16:00", "to": "08:00", "days": 3, "time_zone": "Europe/Berlin"}
STATEMENT = f"""
    SELECT {holds_fact("%(artifact)s")} AS holds
    FROM systems s JOIN environments e ON e.system_id = s.id
    WHERE s.key = %(system)s AND e.name = %(environment)s
"""


def held(environment="production", artifact=None, system="azul"):
    parameters = {"system": system, "environment": environment, "artifact": artifact or an_artifact()}
    return msgspec.convert(database().value(STATEMENT, **parameters), list[HoldFact])


@pytest.fixture
def usual(given):
    given.the_usual()
    given.a_system("blue")
    given.an_environment("production", system="blue")


def test_it_has_the_freezes_of_the_environment_of_its_system_and_of_all_systems(given, usual):
    here = given.a_freeze("production")["id"]
    elsewhere = given.a_freeze("development")["id"]
    everywhere = given.a_freeze()["id"]
    given.a_freeze(system="blue")
    shared = given.a_freeze_over_systems()["id"]

    assert [each.id for each in held()] == [here, everywhere, shared]
    assert [each.id for each in held("development")] == [elsewhere, everywhere, shared]
    assert [(each.environment, each.over_systems) for each in held()] == [
        ("production", False),
        (None, False),
        (None, True),
    ]


def test_a_freeze_of_production_concerns_production_environments_only(given, usual):
    freezes = [given.a_freeze(production=True)["id"], given.a_freeze_over_systems(production=True)["id"]]

    assert [each.id for each in held()] == freezes
    assert held("preproduction") == []


def test_it_has_the_pin_of_the_environment_and_the_bad_mark_of_the_artifact(given, usual):
    pin = given.a_pin("production", artifact=an_artifact("pinned"))["id"]
    given.a_pin("development", artifact=an_artifact())
    bad = given.a_bad_mark(an_artifact())["id"]
    given.a_bad_mark(an_artifact("another"))
    given.a_bad_mark(an_artifact(), system="blue")

    assert [(each.id, each.kind, each.artifact) for each in held()] == [
        (pin, "pin", an_artifact("pinned")),
        (bad, "bad", an_artifact()),
    ]


def test_it_leaves_out_holds_that_are_released_or_over(given, usual):
    released = [
        given.a_freeze(),
        given.a_pin("production", artifact=an_artifact("pinned")),
        given.a_bad_mark(an_artifact()),
    ]
    for hold in released:
        given.a_release(hold["id"])
    given.a_freeze(ends_at=ahead(hours=1))
    later = given.a_freeze(starts_at=ahead(hours=3), ends_at=ahead(days=30))["id"]
    given.time_passes(2 * 3600)

    assert [each.id for each in held()] == [later]


def test_it_has_what_the_rules_and_the_answers_need(given, usual):
    freeze = given.a_freeze(
        starts_at=ahead(days=1), ends_at=ahead(days=99), recurrence=FRIDAYS, blocks_rollbacks=True
    ).json

    [fact] = msgspec.json.decode(msgspec.json.encode(held()))

    assert fact == {name: freeze[name] for name in fact if name != "over_systems"} | {"over_systems": False}


def test_it_reads_few_holds_of_a_long_history(given, usual):
    released = {"released_at": "now()", "released_by": "'jane'", "release_reason": "'Over'"}
    marks = {"kind": "'bad'", "artifact": f"'{an_artifact()}'"}
    given.a_freeze()
    given.a_freeze_over_systems()
    for changes in ({"ends_at": "t.starts_at + interval '1 ms'"}, released, {**released, **marks}):
        copied = "t.kind = 'freeze' AND t.ends_at IS NULL AND t.released_at IS NULL"
        only = " AND t.system_id IS NOT NULL" if "kind" in changes else ""
        copy(given, "holds", f"CROSS JOIN generate_series(1, 3000) WHERE {copied}{only}", **changes)
    given.sql("ANALYZE holds")

    parameters = {"system": "azul", "environment": "production", "artifact": an_artifact()}
    plan = "\n".join(row["QUERY PLAN"] for row in database().select(dict, f"EXPLAIN {STATEMENT}", **parameters))

    assert [each.environment for each in held()] == [None, None]
    assert plan.count("holds_freezes") == 2, plan
    assert plan.count("holds_one_pin") == plan.count("holds_one_bad_mark") == 1, plan
