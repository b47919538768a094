"""Rules 1 and 3 of docs/registry/rules.md: the gate decides from facts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.approvals.model import ApprovalFact, Person
from chalicelib.holds.model import HoldFact
from chalicelib.identity.roles import Role
from chalicelib.promotions.model import (
    MOST_BLOCKERS,
    EnvironmentBefore,
    GateFacts,
    NewPromotion,
    RolledBack,
    StillRequired,
    Verdict,
)
from chalicelib.promotions.rules import MAX_AHEAD, decide, moment_of, role_to_decide, rollback_blockers
from chalicelib.rest.problems import Problem

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def facts(**known: Any) -> GateFacts:
    """Return the facts for preproduction about an artifact that was deployed and verified in development."""
    proof = {
        "deployed_at": NOW - timedelta(hours=1),
        "replaced_at": None,
        "rolled_back": None,
        "verdicts": (verified(),),
    }
    usual = {
        "system": "azul",
        "environment": "preproduction",
        "artifact": "tree:2",
        "required_approvals": 0,
        "approvals": (),
        "holds": (),
        "required_soak_seconds": 0,
        "verification_max_age_seconds": None,
        "required_suites": (),
        "before": EnvironmentBefore(name="development", **{name: known.pop(name, proof[name]) for name in proof}),
    }
    return GateFacts(**(usual | known))


def verified(suite: str = "acceptance", outcome: Any = "success", seconds_ago: float = 60) -> Verdict:
    return Verdict(suite=suite, outcome=outcome, counts_at=NOW - timedelta(seconds=seconds_ago))


def a_hold(kind: Any, id_: str = "1", **fields: Any) -> HoldFact:
    usual = {
        "environment": None,
        "over_systems": False,
        "production": False,
        "artifact": None,
        "reason": "Release week",
        "created_by": "jane",
        "starts_at": NOW - timedelta(hours=1),
        "ends_at": None,
        "recurrence": None,
        "blocks_rollbacks": False,
    }
    return HoldFact(id=id_, kind=kind, **(usual | fields))


def an_approval(subject: str, expires_at: datetime = NOW + timedelta(days=14)) -> ApprovalFact:
    return ApprovalFact(issuer="i", subject=subject, expires_at=expires_at)


ROLLED_BACK = RolledBack(environment="preproduction", artifact="tree:1", at=NOW - timedelta(minutes=1))


def codes(known: GateFacts, at: datetime = NOW) -> list[tuple[str, str | None]]:
    return [(blocker.code, blocker.suite) for blocker in decide(known, at).blockers]


def test_an_artifact_deployed_and_verified_before_is_granted():
    assert decide(facts(), NOW).word == "granted"


def test_the_lowest_environment_requires_nothing():
    lowest = facts(before=None, required_soak_seconds=3600, required_suites=("acceptance",))

    assert decide(lowest, NOW).word == "granted"


def test_an_artifact_not_deployed_before_is_denied():
    assert codes(facts(deployed_at=None, verdicts=())) == [("not-deployed", None)]


def test_no_verification_means_not_verified():
    assert codes(facts(verdicts=())) == [("not-verified", None)]


def test_a_decision_has_the_first_blockers_and_says_if_there_are_more():
    suites = tuple(f"{number:03}" for number in range(MOST_BLOCKERS + 1))

    all_of_them = decide(facts(required_suites=suites[1:], verdicts=()), NOW)
    cut = decide(facts(required_suites=suites, verdicts=()), NOW)

    assert (len(all_of_them.blockers), all_of_them.more_blockers) == (MOST_BLOCKERS, False)
    assert (cut.word, [blocker.suite for blocker in cut.blockers], cut.more_blockers) == (
        "denied",
        list(suites[:MOST_BLOCKERS]),
        True,
    )


def test_each_missing_required_suite_is_named():
    known = facts(required_suites=("smoke", "load", "acceptance"))

    assert codes(known) == [("not-verified", "load"), ("not-verified", "smoke")]


def test_without_a_verification_only_the_missing_required_suite_is_named():
    assert codes(facts(required_suites=("smoke",), verdicts=())) == [("not-verified", "smoke")]


def test_one_failed_suite_denies():
    known = facts(verdicts=(verified("acceptance"), verified("smoke", "failure")))

    assert codes(known) == [("verification-failed", "smoke")]


def test_a_verification_expires_after_its_age_and_not_before():
    known = facts(verification_max_age_seconds=600, verdicts=(verified(seconds_ago=600),))

    assert codes(known) == []
    assert codes(known, NOW + timedelta(microseconds=1)) == [("verification-expired", "acceptance")]


def test_an_artifact_soaks_until_the_last_second():
    known = facts(required_soak_seconds=3600, deployed_at=NOW - timedelta(seconds=3599))

    (blocker,) = decide(known, NOW).blockers

    assert (blocker.code, blocker.available_at) == ("soaking", NOW + timedelta(seconds=1))
    assert codes(known, NOW + timedelta(seconds=1)) == []


def test_only_required_suites_expire_if_there_are_any():
    known = facts(
        verification_max_age_seconds=30,
        required_suites=("smoke",),
        verdicts=(verified("acceptance"), verified("smoke", seconds_ago=10)),
    )

    assert codes(known) == []
    assert codes(known, NOW + timedelta(seconds=30)) == [("verification-expired", "smoke")]


@pytest.mark.parametrize(("replaced_after", "available"), [(3599, None), (3600, "soaked")])
def test_an_artifact_soaks_only_while_it_is_current(replaced_after, available):
    deployed_at = NOW - timedelta(hours=2)
    known = facts(
        required_soak_seconds=3600,
        deployed_at=deployed_at,
        replaced_at=deployed_at + timedelta(seconds=replaced_after),
    )

    found = [(each.code, each.available_at) for each in decide(known, NOW).blockers]

    assert found == ([] if available else [("soaking", None)])


def test_a_rollback_behind_the_artifact_denies():
    (blocker,) = decide(facts(rolled_back=ROLLED_BACK), NOW).blockers

    assert (blocker.code, blocker.environment, blocker.available_at) == ("rolled-back", "preproduction", None)


def test_every_blocker_is_listed_in_a_fixed_order():
    known = facts(
        required_soak_seconds=7200,
        verification_max_age_seconds=30,
        required_suites=("acceptance", "smoke"),
        required_approvals=1,
        holds=(a_hold("bad", artifact="tree:2"), a_hold("pin", artifact="tree:1"), a_hold("freeze")),
        rolled_back=ROLLED_BACK,
        verdicts=(verified("load", "failure", seconds_ago=10), verified("acceptance")),
    )

    assert codes(known) == [
        ("rolled-back", None),
        ("not-verified", "smoke"),
        ("verification-failed", "load"),
        ("verification-expired", "acceptance"),
        ("soaking", None),
        ("not-approved", None),
        ("frozen", None),
        ("pinned", None),
        ("marked-bad", None),
    ]


def test_holds_and_approvals_count_in_the_lowest_environment_too():
    lowest = facts(before=None, required_approvals=1, holds=(a_hold("freeze"),))

    assert codes(lowest) == [("not-approved", None), ("frozen", None)]


def test_each_freeze_says_when_it_alone_lifts():
    soon, later = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    known = facts(holds=(a_hold("freeze", "1", ends_at=later), a_hold("freeze", "2", ends_at=soon)))

    blockers = decide(known, NOW).blockers

    assert [(each.hold, each.available_at) for each in blockers] == [("1", later), ("2", soon)]
    assert codes(known, soon) == [("frozen", None)]
    assert codes(known, later) == []


def test_a_freeze_in_the_future_does_not_block_today():
    known = facts(holds=(a_hold("freeze", starts_at=NOW + timedelta(days=1)),))

    assert codes(known) == []
    assert codes(known, NOW + timedelta(days=1)) == [("frozen", None)]


def test_a_pin_stops_other_artifacts_only():
    assert codes(facts(holds=(a_hold("pin", artifact="tree:2"),))) == []
    assert codes(facts(holds=(a_hold("pin", artifact="tree:1"),))) == [("pinned", None)]


def test_the_approval_of_the_opener_does_not_count():
    jane, joe = Person(issuer="i", subject="jane"), Person(issuer="i", subject="joe")
    known = facts(required_approvals=1, approvals=(an_approval("jane"),))

    assert decide(known, NOW, joe).word == "granted"
    assert decide(known, NOW, jane).word == "denied"


def test_an_approval_expires():
    known = facts(required_approvals=1, approvals=(an_approval("jane", expires_at=NOW + timedelta(days=1)),))

    assert codes(known) == []
    assert codes(known, NOW + timedelta(days=1)) == [("not-approved", None)]


def test_a_blocker_names_the_hold_its_owner_and_the_request_that_helps():
    here, everywhere = decide(facts(holds=(a_hold("freeze"), a_hold("freeze", over_systems=True))), NOW).blockers

    assert "jane (Release week)" in here.detail
    assert "POST /v1/systems/azul/holds/1/release" in here.detail
    assert "POST /v1/holds/1/release" in everywhere.detail


def test_a_long_reason_is_cut():
    (blocker,) = decide(facts(holds=(a_hold("freeze", reason="x" * 500),)), NOW).blockers

    assert len(blocker.detail) < 400


@pytest.mark.parametrize(("freeze", "found"), [({}, []), ({"blocks_rollbacks": True}, ["frozen"])])
def test_a_freeze_stops_rollbacks_only_if_it_says_so(freeze, found):
    known = facts(
        holds=(a_hold("freeze", **freeze), a_hold("bad", artifact="tree:2"), a_hold("pin", artifact="tree:1"))
    )

    assert [each.code for each in rollback_blockers(known, NOW)] == [*found, "pinned", "marked-bad"]


@pytest.mark.parametrize(
    "known",
    [
        {"deployed_at": None, "verdicts": ()},
        {"rolled_back": ROLLED_BACK},
        {"required_soak_seconds": 7200, "replaced_at": NOW},
    ],
)
def test_a_denial_says_what_starts_anew_with_another_deployment(known):
    known = {"required_suites": ("acceptance",), "required_soak_seconds": 60, **known}

    decision = decide(facts(**known), NOW)

    expected = StillRequired(suites=("acceptance",), soak_seconds=known["required_soak_seconds"], approvals=0)
    assert decision.still_required == expected


def test_nothing_starts_anew_if_the_deployment_can_stay():
    assert decide(facts(), NOW).still_required is None
    assert decide(facts(required_soak_seconds=7200, verdicts=()), NOW).still_required is None


@pytest.mark.parametrize(
    ("ahead", "accepted"),
    [(timedelta(), True), (MAX_AHEAD, True), (MAX_AHEAD + timedelta(seconds=1), False), (timedelta(hours=-1), False)],
)
def test_a_dry_run_may_ask_about_the_next_90_days(ahead, accepted):
    asked = NewPromotion(artifact="tree:1", environment="production", dry_run=True, at=NOW + ahead)

    if accepted:
        assert moment_of(asked, NOW) == NOW + ahead
    else:
        with pytest.raises(Problem):
            moment_of(asked, NOW)


def test_a_blocker_names_the_environment_of_the_missing_proof():
    (blocker,) = decide(facts(verdicts=()), NOW).blockers

    assert blocker.environment == "development"


def test_a_dry_run_needs_a_viewer_and_a_recorded_decision_a_pipeline():
    assert role_to_decide(dry_run=True) is Role.viewer
    assert role_to_decide(dry_run=False) is Role.pipeline
