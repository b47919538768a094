"""Holds: rule 14 of docs/registry/rules.md."""

import pytest

from chalicelib.holds.model import MOST_FREEZES
from chalicelib.identity.roles import Role
from tests.service.deployments.records import an_artifact
from tests.support.expected import WHOLE, Expected, Write
from tests.support.given import ahead
from tests.support.largest import copy

RELEASE = {"reason": "The incident is over"}


def _creates_a_hold(given):
    given.a_system_with_an_environment()
    body = {"kind": "freeze", "environment": "development", "reason": "Release week"}
    return Write("/v1/systems/azul/holds", "azul/holds/{id}", body, {**body, "reason": "Holidays"})


def _releases_a_hold(given):
    given.a_system_with_an_environment()
    hold = given.a_freeze()["id"]
    return Write(f"/v1/systems/azul/holds/{hold}/release", f"azul/holds/{hold}", RELEASE, {"reason": "A mistake"})


def _creates_a_hold_over_systems(given):
    body = {"kind": "freeze", "production": True, "reason": "Holidays"}
    return Write("/v1/holds", "holds/{id}", body, {**body, "production": False})


def _releases_a_hold_over_systems(given):
    hold = given.a_freeze_over_systems()["id"]
    return Write(f"/v1/holds/{hold}/release", f"holds/{hold}", RELEASE, {"reason": "A mistake"})


def _two(given, system):
    # These holds stop no other request: they begin late, or mark artifacts that nobody deploys.
    given.a_bad_mark(an_artifact("held"), system=system)
    freeze = given.a_freeze(system=system, starts_at=ahead(days=400))
    given.a_release(freeze["id"], system=system)
    given.a_freeze_over_systems(starts_at=ahead(days=400))
    given.a_freeze_over_systems(starts_at=ahead(days=400), production=True)


EXPECTED = Expected(
    roles={
        "GET /v1/holds": Role.viewer,
        "GET /v1/holds/{hold}": Role.viewer,
        "GET /v1/systems/{system}/holds": Role.viewer,
        "GET /v1/systems/{system}/holds/{id}": Role.viewer,
        "POST /v1/holds": Role.admin,
        "POST /v1/holds/{hold}/release": Role.admin,
        "POST /v1/systems/{system}/holds": Role.maintainer,
        "POST /v1/systems/{system}/holds/{id}/release": Role.maintainer,
    },
    rights={
        "holds": {
            "SELECT": WHOLE,
            "INSERT": "all but id released_at released_by release_reason",
            "UPDATE": "released_at released_by release_reason",
        },
    },
    open_records={"holds": "released_at IS NULL"},
    out_of_reach={
        "holds_are_not_truncated": "the service has no right to truncate a table",
    },
    writes={
        "POST /v1/holds": _creates_a_hold_over_systems,
        "POST /v1/holds/{hold}/release": _releases_a_hold_over_systems,
        "POST /v1/systems/{system}/holds": _creates_a_hold,
        "POST /v1/systems/{system}/holds/{id}/release": _releases_a_hold,
    },
    two=_two,
    parameters={"hold": "3"},
)


PATH = "/v1/systems/azul/holds"
FRIDAYS = {"by_day": ["FR"], "from": "16:00", "to": "08:00", "days": 3, "time_zone": "Europe/Berlin"}


def freeze(**fields):
    return {"kind": "freeze", "reason": "Release week", **fields}


def refused(answer):
    assert answer.status == 422, answer
    return [fault["pointer"] for fault in answer["errors"]]


def test_a_freeze_is_created_and_read(api, given):
    given.the_usual()
    body = freeze(
        environment="production",
        starts_at=ahead(hours=1),
        ends_at=ahead(days=100),
        recurrence=FRIDAYS,
        blocks_rollbacks=True,
    )

    created = api.as_("maintainer").post(PATH, body)

    assert created.status == 201
    assert created.headers["Location"] == f"{PATH}/{created['id']}"
    assert (created["system"], created["environment"], created["state"]) == ("azul", "production", "scheduled")
    assert (created["recurrence"], created["blocks_rollbacks"]) == (FRIDAYS, True)
    assert (created["created_by"], created["released_at"]) == ("maintainer@local", None)
    assert api.as_("viewer").get(f"{PATH}/{created['id']}").json == created.json
    assert api.get(PATH)["items"] == [created.json]


def test_a_freeze_needs_only_a_reason(api, given):
    given.a_system_with_an_environment()

    created = api.post(PATH, freeze())

    assert created["starts_at"] == created["created_at"]
    assert [created[name] for name in ("state", "environment", "ends_at", "recurrence")] == ["active", None, None, None]


def test_a_pin_is_by_default_to_the_artifact_that_runs(api, given):
    given.the_usual()
    pin = {"kind": "pin", "environment": "development", "reason": "The customer tests this"}

    assert refused(api.post(PATH, pin)) == ["#/artifact"]
    given.a_deployment(an_artifact("first"))
    given.a_deployment(an_artifact("second"))
    given.a_deployment(an_artifact("third"), state="failed")

    assert api.post(PATH, pin)["artifact"] == an_artifact("second")


def test_a_pin_may_be_to_any_artifact(given):
    given.the_usual()

    assert given.a_pin(artifact=an_artifact("other"))["artifact"] == an_artifact("other")


def test_an_environment_has_one_pin_until_its_release(api, given):
    given.the_usual()
    first = given.a_pin(artifact=an_artifact())

    again = api.post(PATH, {"kind": "pin", "environment": "development", "artifact": an_artifact(), "reason": "Again"})

    assert (again.status, again.problem) == (409, "conflict")
    assert [fault["pointer"] for fault in again["errors"]] == ["#/environment"]
    given.a_pin("production", artifact=an_artifact())
    given.a_release(first["id"])
    given.a_pin(artifact=an_artifact())


def test_an_artifact_has_one_bad_mark_until_its_release(api, given):
    given.the_usual()
    first = given.a_bad_mark(an_artifact())

    again = api.post(PATH, {"kind": "bad", "artifact": an_artifact(), "reason": "Again"})

    assert (again.status, again.problem) == (409, "conflict")
    assert [fault["pointer"] for fault in again["errors"]] == ["#/artifact"]
    given.a_bad_mark(an_artifact("other"))
    given.a_release(first["id"])
    given.a_bad_mark(an_artifact())


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (freeze(reason=""), ["#/reason"]),
        (freeze(kind="thaw"), ["#/kind"]),
        (freeze(artifact=an_artifact()), ["#/artifact"]),
        (freeze(environment="development", production=True), ["#/production"]),
        (freeze(starts_at="2026-01-01T00:00:00Z"), ["#/starts_at"]),
        (freeze(starts_at=ahead(days=2000)), ["#/starts_at"]),
        (freeze(ends_at=ahead(days=2000)), ["#/ends_at"]),
        (freeze(ends_at=ahead(days=-1)), ["#/ends_at"]),
        (freeze(starts_at=ahead(days=2), ends_at=ahead(days=1)), ["#/ends_at"]),
        (freeze(recurrence={**FRIDAYS, "by_day": []}), ["#/recurrence/by_day"]),
        (freeze(recurrence={**FRIDAYS, "by_day": ["FR", "FR"]}), ["#/recurrence/by_day"]),
        (freeze(recurrence={**FRIDAYS, "by_day": ["Friday"]}), ["#/recurrence/by_day/0"]),
        (freeze(recurrence={**FRIDAYS, "from": "24:00"}), ["#/recurrence/from"]),
        (freeze(recurrence={**FRIDAYS, "to": "8:00"}), ["#/recurrence/to"]),
        (freeze(recurrence={**FRIDAYS, "days": 7}), ["#/recurrence/days"]),
        (freeze(recurrence={**FRIDAYS, "days": 0}), ["#/recurrence/to"]),
        (freeze(recurrence={**FRIDAYS, "time_zone": "Europe/Atlantis"}), ["#/recurrence/time_zone"]),
        (freeze(recurrence={**FRIDAYS, "time_zone": "../etc/passwd"}), ["#/recurrence/time_zone"]),
        (freeze(recurrence={**FRIDAYS, "time_zone": "localtime"}), ["#/recurrence/time_zone"]),
        ({"kind": "pin", "artifact": an_artifact(), "reason": "No environment"}, ["#/environment"]),
        ({"kind": "bad", "reason": "No artifact"}, ["#/artifact"]),
        ({"kind": "bad", "reason": "Another kind", "artifact": f"sha256:{'0' * 64}"}, ["#/artifact"]),
        (
            {"kind": "bad", "artifact": an_artifact(), "environment": "development", "reason": "Everywhere"},
            ["#/environment"],
        ),
        (
            {
                "kind": "pin",
                "environment": "development",
                "reason": "With all fields of a freeze",
                "production": True,
                "starts_at": ahead(days=1),
                "ends_at": ahead(days=2),
                "recurrence": FRIDAYS,
                "blocks_rollbacks": True,
            },
            ["#/production", "#/starts_at", "#/ends_at", "#/recurrence", "#/blocks_rollbacks"],
        ),
    ],
)
def test_a_hold_that_makes_no_sense_is_refused(api, given, body, pointers):
    given.a_system_with_an_environment()

    assert refused(api.post(PATH, body)) == pointers
    assert api.get(PATH)["items"] == []


def test_a_hold_of_an_unknown_system_or_environment_is_not_found(api, given):
    assert api.post(PATH, freeze()).problem == "not-found"
    assert api.get(PATH).problem == "not-found"
    given.a_system()

    assert api.post(PATH, freeze(environment="development")).problem == "not-found"
    assert api.get(f"{PATH}/1").problem == "not-found"
    assert api.post(f"{PATH}/1/release", RELEASE).problem == "not-found"


def test_a_release_is_recorded_and_happens_once(api, given):
    given.the_usual()
    hold = given.a_freeze()

    released = api.as_("maintainer").post(f"{PATH}/{hold['id']}/release", RELEASE)
    again = api.post(f"{PATH}/{hold['id']}/release", {"reason": "Again"})

    assert (released.status, released["state"]) == (200, "released")
    assert (released["released_by"], released["release_reason"]) == ("maintainer@local", RELEASE["reason"])
    assert (again.status, again.problem) == (409, "hold-ended")
    assert api.get(f"{PATH}/{hold['id']}").json == released.json
    assert given.sql("SELECT after FROM audit_events WHERE action = 'hold.release' AND refusal IS NULL") == [
        ({name: released[name] for name in ("state", "released_at", "released_by", "release_reason")},)
    ]


def test_the_state_of_a_hold_follows_the_time(api, given):
    given.the_usual()
    hold = given.a_freeze(starts_at=ahead(hours=1), ends_at=ahead(hours=3))["id"]
    lasting = given.a_freeze()["id"]

    states = []
    for _ in range(3):
        states.append(api.get(f"{PATH}/{hold}")["state"])
        assert [each["id"] for each in api.get(f"{PATH}?state={states[-1]}&limit=1&kind=freeze")["items"]] == [
            lasting if states[-1] == "active" else hold
        ]
        given.time_passes(2 * 3600)

    assert states == ["scheduled", "active", "ended"]
    assert api.post(f"{PATH}/{hold}/release", RELEASE).problem == "hold-ended"


def test_holds_are_listed_newest_first_with_filters(api, given):
    given.the_usual()
    given.a_deployment()
    frozen = given.a_freeze("production")["id"]
    pinned = given.a_pin()["id"]
    marked = given.a_bad_mark(an_artifact("bad"))["id"]
    given.a_release(frozen)

    def listed(query=""):
        return [hold["id"] for hold in api.get(f"{PATH}{query}")["items"]]

    assert listed() == [marked, pinned, frozen]
    assert listed("?kind=pin") == [pinned]
    assert listed("?environment=production") == [frozen]
    assert listed(f"?artifact={an_artifact('bad')}") == [marked]
    assert listed("?state=active") == [marked, pinned]
    assert listed("?state=released") == [frozen]


def test_a_hold_is_found_only_at_its_own_address(api, given):
    given.the_usual()
    given.a_system("blue")
    own, shared = given.a_freeze()["id"], given.a_freeze_over_systems()["id"]

    for path in (f"/v1/systems/blue/holds/{own}", f"/v1/holds/{own}", f"{PATH}/{shared}"):
        assert api.get(path).problem == "not-found"
        assert api.post(f"{path}/release", RELEASE).problem == "not-found"
    assert api.get("/v1/systems/blue/holds")["items"] == []
    assert [hold["id"] for hold in api.get("/v1/holds")["items"]] == [shared]


def test_only_an_admin_holds_several_systems(api, given):
    given.a_system()
    body = freeze(production=True)

    created = api.post("/v1/holds", body)

    assert (created.status, created.headers["Location"]) == (201, f"/v1/holds/{created['id']}")
    assert (created["system"], created["production"]) == (None, True)
    for caller in (api.as_("maintainer", systems=[]), api.as_("maintainer"), api.as_member("all-maintainers")):
        assert caller.post("/v1/holds", body).problem == "forbidden"
        assert caller.post(f"/v1/holds/{created['id']}/release", RELEASE).problem == "forbidden"
        assert caller.get(f"/v1/holds/{created['id']}").json == created.json
    assert api.post(f"/v1/holds/{created['id']}/release", RELEASE)["state"] == "released"
    assert api.post(f"/v1/holds/{created['id']}/release", RELEASE).problem == "hold-ended"
    assert api.get("/v1/holds?state=active")["items"] == []


@pytest.mark.parametrize("field", ["environment", "artifact"])
def test_a_hold_over_systems_is_no_pin_and_no_bad_mark(api, field):
    assert refused(api.post("/v1/holds", freeze(**{field: "development"}))) == [f"#/{field}"]
    assert refused(api.post("/v1/holds", freeze(kind="bad"))) == ["#/kind"]


@pytest.mark.parametrize("path", [PATH, "/v1/holds"])
def test_the_number_of_freezes_that_are_not_over_is_bounded(api, given, path):
    given.a_system()
    first = api.post(path, freeze(ends_at=ahead(days=1)))["id"]
    copy(given, "holds", f"CROSS JOIN generate_series(1, {MOST_FREEZES - 2})", id="id")
    last = api.post(path, freeze())["id"]

    answer = api.post(path, freeze())

    assert (answer.status, answer.problem) == (409, "too-many-freezes")
    assert first != last
    api.post(f"{path}/{last}/release", RELEASE)
    assert api.post(path, freeze()).status == 201


def test_a_system_without_environments_that_was_held_cannot_be_deleted(api, given):
    given.a_system()
    given.a_freeze()

    assert api.delete("/v1/systems/azul", if_match="*").problem == "has-history"


def test_a_pipeline_writes_no_hold(api, given):
    given.the_usual()
    given.a_publisher()
    hold = given.a_freeze()["id"]

    assert api.as_run().post(PATH, freeze()).problem == "forbidden"
    assert api.as_run().post(f"{PATH}/{hold}/release", RELEASE).problem == "forbidden"
    assert api.as_run().get(f"{PATH}/{hold}").status == 200
