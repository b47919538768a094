"""Approvals: rule 15 of docs/registry/rules.md."""

import msgspec
import pytest

from chalicelib.approvals.model import ApprovalFact
from chalicelib.approvals.store import approvals_fact
from chalicelib.database.connection import database
from chalicelib.identity.roles import Role
from tests.service.deployments.records import an_artifact
from tests.support.claims import ISSUER, PEOPLE
from tests.support.expected import WHOLE, Expected, Write

DAY_SECONDS = 24 * 3600


def _gives_an_approval(given):
    given.a_system_with_an_environment()
    body = {"environment": "development", "artifact": an_artifact()}
    return Write("/v1/systems/azul/approvals", "azul/approvals/{id}", body, {**body, "comment": "Tested by hand"})


def _withdraws_an_approval(given):
    given.a_system_with_an_environment()
    approval = given.an_approval(an_artifact())["id"]
    path = f"/v1/systems/azul/approvals/{approval}/withdraw"
    return Write(path, f"azul/approvals/{approval}", {"reason": "A mistake"}, {"reason": "It fails"})


def _two(given, system):
    for name in ("approved", "approved too"):
        approval = given.an_approval(an_artifact(name), system=system)
    given.post(f"/v1/systems/{system}/approvals/{approval['id']}/withdraw", {})


EXPECTED = Expected(
    roles={
        "GET /v1/systems/{system}/approvals": Role.viewer,
        "GET /v1/systems/{system}/approvals/{id}": Role.viewer,
        "POST /v1/systems/{system}/approvals": Role.maintainer,
        "POST /v1/systems/{system}/approvals/{id}/withdraw": Role.maintainer,
    },
    rights={
        "approvals": {
            "SELECT": WHOLE,
            "INSERT": "all but id withdrawn_at withdrawn_by withdrawal_reason",
            "UPDATE": "withdrawn_at withdrawn_by withdrawal_reason",
        },
    },
    open_records={"approvals": "withdrawn_at IS NULL"},
    out_of_reach={
        "approvals_are_not_truncated": "the service has no right to truncate a table",
    },
    writes={
        "POST /v1/systems/{system}/approvals": _gives_an_approval,
        "POST /v1/systems/{system}/approvals/{id}/withdraw": _withdraws_an_approval,
    },
    two=_two,
)


PATH = "/v1/systems/azul/approvals"
APPROVALS = approvals_fact("%(artifact)s")
FOR = {"environment": "production", "artifact": an_artifact()}


def approving(environment="production", artifact=None):
    """Return the people with an active approval, as the gate reads them."""
    facts = database().value(
        f"SELECT {approvals_fact('%(artifact)s')} FROM environments e WHERE e.name = %(environment)s",
        environment=environment,
        artifact=artifact or an_artifact(),
    )
    return sorted((each.issuer, each.subject) for each in msgspec.convert(facts, list[ApprovalFact]))


def state(api, approval):
    return api.get(f"{PATH}/{approval['id']}")["state"]


def test_an_approval_is_given_and_read(api, given):
    given.the_usual()

    created = api.as_("maintainer", sub="jane").post(PATH, {**FOR, "comment": "Tested by hand"})

    assert (created.status, created.headers["Location"]) == (201, f"{PATH}/{created['id']}")
    assert (created["state"], created["created_by"], created["comment"]) == ("active", "jane", "Tested by hand")
    assert api.as_("viewer").get(f"{PATH}/{created['id']}").json == created.json
    assert api.get(PATH)["items"] == [created.json]
    assert approving() == [(ISSUER, "jane")]


def test_a_person_approves_once(api, given):
    given.the_usual()
    jane = api.as_("maintainer", sub="jane")
    first = jane.post(PATH, FOR)

    again = jane.post(PATH, {**FOR, "comment": "Again"})
    namesake = api.as_member("azul-maintainers", sub="jane").post(PATH, FOR)
    other = api.as_("admin", sub="john").post(PATH, FOR)

    assert (again.status, again.json) == (200, first.json)
    assert (namesake.status, other.status) == (201, 201)
    assert approving() == sorted([(ISSUER, "jane"), (ISSUER, "john"), (PEOPLE, "jane")])


def test_an_approval_is_for_one_artifact_in_one_environment(given):
    given.the_usual()
    given.an_approval(an_artifact(), "production")

    assert len(approving("production")) == 1
    assert approving("preproduction") == []
    assert approving("production", an_artifact("other")) == []


def test_only_maintainers_approve_and_no_run_does(api, given):
    given.the_usual()
    given.a_publisher()
    callers = [
        api.as_run(),
        api.as_("pipeline"),
        api.as_member("azul-pipelines"),
        api.as_("maintainer", of="blue"),
        api.as_("maintainer", run_id="4711"),
    ]

    assert [caller.post(PATH, FOR).problem for caller in callers] == ["forbidden"] * len(callers)
    assert api.get(PATH)["items"] == []


def test_an_approval_ends_when_the_artifacts_next_deployment_there_succeeds(api, given):
    given.the_usual()
    given.a_deployment(environment="production")
    approval = given.an_approval(an_artifact(), "production")

    given.a_deployment(environment="production", state="failed")
    given.a_deployment(an_artifact("other"), environment="production")
    given.a_deployment(environment="preproduction")
    opened = given.a_deployment(environment="production", state="in_progress")["id"]
    before = state(api, approval), len(approving())
    given.a_status(opened, "succeeded")

    assert before == ("active", 1)
    assert (state(api, approval), approving()) == ("used", [])
    assert given.an_approval(an_artifact(), "production").status == 201
    assert len(approving()) == 1


def test_an_approval_ends_by_a_bad_mark_for_good(api, given):
    given.the_usual()
    approval = given.an_approval(an_artifact(), "production")
    other = given.an_approval(an_artifact("other"), "production")

    bad = given.a_bad_mark(an_artifact())["id"]
    refused = api.post(PATH, FOR)
    given.a_release(bad)

    assert (refused.status, refused.problem) == (409, "conflict")
    assert (state(api, approval), state(api, other), approving()) == ("void", "active", [])
    assert given.an_approval(an_artifact(), "production").status == 201


def test_an_approval_ends_after_14_days(api, given):
    given.the_usual()
    approval = given.an_approval(an_artifact(), "production")

    given.time_passes(14 * DAY_SECONDS - 60)
    before = state(api, approval), len(approving())
    given.time_passes(61)

    assert before == ("active", 1)
    assert (state(api, approval), approving()) == ("expired", [])
    assert given.an_approval(an_artifact(), "production").status == 201


def test_what_ended_an_approval_first_gives_its_state(api, given):
    given.the_usual()
    expired = given.an_approval(an_artifact(), "production")
    used = given.an_approval(an_artifact("used"), "production")
    void = given.an_approval(an_artifact("void"), "production")
    given.a_deployment(an_artifact("used"), environment="production")
    given.a_bad_mark(an_artifact("void"))
    given.a_deployment(an_artifact("void"), environment="production")
    given.time_passes(15 * DAY_SECONDS)

    given.a_deployment(environment="production")
    given.a_bad_mark(an_artifact("first"))
    given.a_bad_mark(an_artifact("used"))

    assert [state(api, each) for each in (expired, used, void)] == ["expired", "used", "void"]
    assert api.post(f"{PATH}/{used['id']}/withdraw", {}).problem == "approval-ended"


def test_the_giver_or_an_admin_withdraws_an_approval(api, given):
    given.the_usual()
    first = given.an_approval(an_artifact(), "production", by="jane")
    second = given.an_approval(an_artifact(), "production", by="john")

    def withdraw(approval, caller, **body):
        return caller.post(f"{PATH}/{approval['id']}/withdraw", body)

    jane = api.as_("maintainer", sub="jane")
    strangers = [jane, api.as_member("azul-maintainers", sub="john"), api.as_("maintainer", sub="john", run_id="1")]
    assert [withdraw(second, stranger).problem for stranger in strangers] == ["forbidden"] * 3
    own = withdraw(first, jane, reason="It fails")
    by_admin = withdraw(second, api)

    assert [own[name] for name in ("state", "withdrawn_by", "withdrawal_reason")] == ["withdrawn", "jane", "It fails"]
    assert [by_admin[name] for name in ("state", "withdrawn_by")] == ["withdrawn", "admin@local"]
    assert approving() == []
    assert withdraw(first, jane).problem == "approval-ended"
    assert given.an_approval(an_artifact(), "production", by="jane").status == 201


def test_approvals_are_listed_newest_first_with_filters(api, given):
    given.the_usual()
    first = given.an_approval(an_artifact(), "production")["id"]
    second = given.an_approval(an_artifact("other"), "production")["id"]
    third = given.an_approval(an_artifact(), "preproduction")["id"]
    api.post(f"{PATH}/{first}/withdraw", {})

    def listed(query=""):
        return [approval["id"] for approval in api.get(f"{PATH}{query}")["items"]]

    assert listed() == [third, second, first]
    assert listed("?environment=production") == [second, first]
    assert listed(f"?artifact={an_artifact()}") == [third, first]
    assert listed("?state=active") == [third, second]
    assert listed("?state=withdrawn") == [first]
    assert listed("?state=used") == []


@pytest.mark.parametrize(
    ("fields", "status", "pointers"),
    [
        ({"artifact": f"sha256:{'0' * 64}"}, 422, ["#/artifact"]),
        ({"artifact": "latest"}, 422, ["#/artifact"]),
        ({"comment": "x" * 2001}, 422, ["#/comment"]),
        ({"environment": "nowhere"}, 404, []),
    ],
)
def test_an_approval_of_something_unknown_is_refused(api, given, fields, status, pointers):
    given.the_usual()

    answer = api.post(PATH, {**FOR, **fields})

    assert (answer.status, [fault["pointer"] for fault in answer.json.get("errors", ())]) == (status, pointers)


def test_an_approval_is_found_only_in_its_own_system(api, given):
    given.the_usual()
    given.a_system("blue")
    approval = given.an_approval(an_artifact())["id"]

    assert api.get(f"/v1/systems/blue/approvals/{approval}").problem == "not-found"
    assert api.post(f"/v1/systems/blue/approvals/{approval}/withdraw", {}).problem == "not-found"
    assert api.get("/v1/systems/blue/approvals")["items"] == []
    assert api.get("/v1/systems/green/approvals").problem == "not-found"
