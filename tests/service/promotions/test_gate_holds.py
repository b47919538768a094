"""Rules 1, 2, 4, 14 and 15 of docs/registry/rules.md: holds stop deployments, and approvals let them pass."""

import pytest

from tests.service.deployments.records import an_artifact
from tests.support.given import ahead
from tests.support.largest import copy

DEPLOYMENTS = "/v1/systems/azul/deployments"
PROMOTIONS = "/v1/systems/azul/promotions"
REASON = "The incident can't wait"


def rollout(environment="development", artifact="first", **fields):
    return {"environment": environment, "artifact": an_artifact(artifact), **fields}


def codes(answer):
    return [blocker["code"] for blocker in answer["blockers"]]


def test_a_freeze_stops_deployments_until_its_release(api, given):
    given.the_usual()
    hold = given.a_freeze("development")["id"]

    denied = api.as_("pipeline").post(DEPLOYMENTS, rollout())
    given.a_release(hold)

    assert (denied.problem, codes(denied)) == ("promotion-denied", ["frozen"])
    assert (denied["blockers"][0]["hold"], denied["blockers"][0]["environment"]) == (hold, "development")
    assert api.as_("pipeline").post(DEPLOYMENTS, rollout()).status == 201


def test_a_freeze_of_all_systems_stops_each_of_them(api, given):
    given.the_usual()
    given.a_freeze_over_systems()

    assert codes(api.post(DEPLOYMENTS, rollout())) == ["frozen"]


def test_a_deployment_that_runs_when_a_freeze_begins_finishes(api, given):
    given.the_usual()
    opened = given.a_deployment(state="in_progress")["id"]
    given.a_freeze("development")

    assert given.a_status(opened, "succeeded").status == 201


def test_a_workspace_is_never_frozen(api, given):
    given.the_usual()
    given.a_workspace("jane")
    given.a_freeze_over_systems(blocks_rollbacks=True)
    given.a_bad_mark(an_artifact("first"))
    for name in ("first", "second"):
        given.a_deployment(an_artifact(name), workspace="jane")

    assert api.post(DEPLOYMENTS, rollout(workspace="jane", kind="rollback")).status == 201


def test_a_pin_stops_other_artifacts_and_rollbacks_to_them(api, given):
    given.the_usual()
    for name in ("first", "second"):
        given.a_deployment(an_artifact(name))
    given.a_pin("development")

    assert codes(api.post(DEPLOYMENTS, rollout(artifact="third"))) == ["pinned"]
    assert codes(api.post(DEPLOYMENTS, rollout(kind="rollback"))) == ["pinned"]
    assert api.post(DEPLOYMENTS, rollout(artifact="second")).status == 201


def test_a_bad_artifact_enters_no_environment_and_is_no_goal_of_a_rollback(api, given):
    given.the_usual()
    for name in ("first", "second"):
        given.a_deployment(an_artifact(name))
    given.a_bad_mark(an_artifact("first"))

    assert codes(api.post(DEPLOYMENTS, rollout())) == ["marked-bad"]
    refused = api.post(DEPLOYMENTS, rollout(kind="rollback"))
    assert (refused.problem, codes(refused)) == ("rollback-refused", ["marked-bad"])


@pytest.mark.parametrize(("blocks", "status"), [(False, 201), (True, 422)])
def test_a_freeze_stops_a_rollback_only_if_it_says_so(api, given, blocks, status):
    given.the_usual()
    for name in ("first", "second"):
        given.a_deployment(an_artifact(name))
    given.a_freeze("development", blocks_rollbacks=blocks)

    assert api.post(DEPLOYMENTS, rollout(kind="rollback")).status == status


def test_a_maintainer_deploys_past_the_holds_of_the_system(api, given):
    given.the_usual()
    given.a_freeze()
    given.a_bad_mark(an_artifact())

    opened = api.as_("maintainer").post(DEPLOYMENTS, rollout(override_reason=REASON))

    assert opened["overridden"] == ["frozen", "marked-bad"]


def test_only_an_admin_deploys_past_a_hold_over_several_systems(api, given):
    given.the_usual()
    given.a_freeze_over_systems()

    refused = api.as_("maintainer").post(DEPLOYMENTS, rollout(override_reason=REASON))
    passed = api.as_("admin").post(DEPLOYMENTS, rollout(override_reason=REASON))

    assert (refused.status, refused.problem) == (403, "forbidden")
    assert passed["overridden"] == ["frozen"]


@pytest.mark.parametrize("which", ["own freezes", "failed suites"])
def test_many_other_blockers_do_not_hide_a_hold_over_several_systems(api, given, which):
    given.the_usual()
    given.a_deployment()
    if which == "own freezes":
        for _ in range(100):
            given.a_freeze("preproduction")
    else:
        given.a_verification(outcome="failure")
        copy(given, "verifications", ", generate_series(1, 100) AS n", suite="'suite-' || n")
    given.a_freeze_over_systems()
    override = rollout("preproduction", override_reason=REASON)

    refused = api.as_("maintainer").post(DEPLOYMENTS, override)
    passed = api.as_("admin").post(DEPLOYMENTS, override)

    assert refused.status == 403
    assert "frozen" in passed["overridden"]


def test_as_many_people_approve_as_the_environment_requires(api, given):
    given.the_usual()
    given.sql("UPDATE environments SET required_approvals = 2 WHERE name = 'development'")
    given.an_approval(an_artifact(), by="jane")
    given.an_approval(an_artifact(), by="jane")

    denied = api.as_("pipeline").post(DEPLOYMENTS, rollout())
    given.an_approval(an_artifact(), by="joe")

    assert codes(denied) == ["not-approved"]
    assert api.as_("pipeline").post(DEPLOYMENTS, rollout()).status == 201


def test_nobody_approves_their_own_deployment(api, given):
    given.the_usual()
    given.sql("UPDATE environments SET required_approvals = 1 WHERE name = 'development'")
    given.an_approval(an_artifact(), by="jane")

    assert codes(api.as_("maintainer", sub="jane").post(DEPLOYMENTS, rollout())) == ["not-approved"]
    assert api.as_("maintainer", sub="joe").post(DEPLOYMENTS, rollout()).status == 201


def test_an_approval_is_used_up_by_the_next_deployment(api, given):
    given.the_usual()
    given.sql("UPDATE environments SET required_approvals = 1 WHERE name = 'development'")
    given.an_approval(an_artifact(), by="jane")
    opened = api.as_("pipeline").post(DEPLOYMENTS, rollout())["id"]
    given.a_status(opened, "succeeded")

    assert codes(api.as_("pipeline").post(DEPLOYMENTS, rollout())) == ["not-approved"]


def test_a_dry_run_looks_ahead(api, given):
    given.the_usual()
    given.a_freeze("development", starts_at=ahead(days=1), ends_at=ahead(days=2))

    def asked(**fields):
        answer = api.as_("viewer").post(PROMOTIONS, {**rollout(), "dry_run": True, **fields})
        return (answer.status, answer.json.get("decision"))

    assert asked() == (200, "granted")
    assert asked(at=ahead(days=1, hours=1)) == (200, "denied")
    assert asked(at=ahead(days=2, hours=1)) == (200, "granted")
    assert asked(at=ahead(days=91))[0] == asked(at=ahead(hours=-1))[0] == 422
    assert asked(at=ahead(days=1), dry_run=False)[0] == 422


def test_an_artifact_that_must_be_deployed_again_says_what_starts_anew(api, given):
    given.the_usual(required_soak_seconds=60, required_suites=["acceptance"], required_approvals=1)

    denied = api.as_("pipeline").post(DEPLOYMENTS, rollout("production"))

    assert denied["still_required"] == {"suites": ["acceptance"], "soak_seconds": 60, "approvals": 1}
    assert api.get(PROMOTIONS)["items"][0]["still_required"] == denied["still_required"]
