"""The gate follows each rule, and decides like a simple implementation of the rules."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.identity.roles import Role
from chalicelib.promotions.model import MOST_BLOCKERS, CountedVerification, EnvironmentBefore, GateFacts
from chalicelib.promotions.rules import decide, role_to_decide

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def facts(**known: Any) -> GateFacts:
    """Return the facts for preproduction about an artifact that was deployed and verified in development."""
    proof = {"deployed_at": NOW - timedelta(hours=1), "verifications": (verified(),)}
    usual = {
        "environment": "preproduction",
        "required_soak_seconds": 0,
        "verification_max_age_seconds": None,
        "required_suites": (),
        "before": EnvironmentBefore(name="development", **{name: known.pop(name, proof[name]) for name in proof}),
    }
    return GateFacts(**(usual | known))


def verified(suite: str = "acceptance", outcome: Any = "success", seconds_ago: float = 60) -> CountedVerification:
    return CountedVerification(suite=suite, outcome=outcome, finished_at=NOW - timedelta(seconds=seconds_ago))


def codes(known: GateFacts, at: datetime = NOW) -> list[tuple[str, str | None]]:
    return [(blocker.code, blocker.suite) for blocker in decide(known, at).blockers]


def test_an_artifact_deployed_and_verified_before_is_granted():
    assert decide(facts(), NOW).word == "granted"


def test_the_lowest_environment_requires_nothing():
    lowest = facts(before=None, required_soak_seconds=3600, required_suites=("acceptance",))

    assert decide(lowest, NOW).word == "granted"


def test_an_artifact_not_deployed_before_is_denied():
    assert codes(facts(deployed_at=None, verifications=())) == [("not-deployed", None)]


def test_no_verification_means_not_verified():
    assert codes(facts(verifications=())) == [("not-verified", None)]


def test_a_decision_has_the_first_blockers_and_says_if_there_are_more():
    suites = tuple(f"{number:03}" for number in range(MOST_BLOCKERS + 1))

    all_of_them = decide(facts(required_suites=suites[1:], verifications=()), NOW)
    cut = decide(facts(required_suites=suites, verifications=()), NOW)

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
    assert codes(facts(required_suites=("smoke",), verifications=())) == [("not-verified", "smoke")]


def test_one_failed_suite_denies():
    known = facts(verifications=(verified("acceptance"), verified("smoke", "failure")))

    assert codes(known) == [("verification-failed", "smoke")]


def test_a_verification_expires_after_its_age_and_not_before():
    known = facts(verification_max_age_seconds=600, verifications=(verified(seconds_ago=600),))

    assert codes(known) == []
    assert codes(known, NOW + timedelta(microseconds=1)) == [("verification-expired", "acceptance")]


def test_an_artifact_soaks_until_the_last_second():
    known = facts(required_soak_seconds=3600, deployed_at=NOW - timedelta(seconds=3599))

    (blocker,) = decide(known, NOW).blockers

    assert (blocker.code, blocker.available_at) == ("soaking", NOW + timedelta(seconds=1))
    assert codes(known, NOW + timedelta(seconds=1)) == []


def test_every_blocker_is_listed_in_a_fixed_order():
    known = facts(
        required_soak_seconds=7200,
        verification_max_age_seconds=30,
        required_suites=("smoke",),
        verifications=(verified("load", "failure", seconds_ago=10), verified("acceptance")),
    )

    assert codes(known) == [
        ("not-verified", "smoke"),
        ("verification-failed", "load"),
        ("verification-expired", "acceptance"),
        ("soaking", None),
    ]


def test_a_blocker_names_the_environment_of_the_missing_proof():
    (blocker,) = decide(facts(verifications=()), NOW).blockers

    assert blocker.environment == "development"


def test_a_dry_run_needs_a_viewer_and_a_recorded_decision_a_pipeline():
    assert role_to_decide(dry_run=True) is Role.viewer
    assert role_to_decide(dry_run=False) is Role.pipeline


_suites = st.sampled_from(["acceptance", "load", "smoke"])
_seconds = st.integers(0, 300)
_verifications = st.dictionaries(_suites, st.tuples(st.sampled_from(["success", "failure"]), _seconds)).map(
    lambda by_suite: tuple(verified(suite, outcome, ago) for suite, (outcome, ago) in by_suite.items())
)


@given(
    known=st.builds(
        facts,
        required_soak_seconds=_seconds,
        verification_max_age_seconds=st.none() | st.integers(1, 300),
        required_suites=st.lists(_suites, unique=True).map(tuple),
        deployed_at=st.none() | _seconds.map(lambda ago: NOW - timedelta(seconds=ago)),
        verifications=_verifications,
    )
)
def test_the_decision_matches_the_words_of_the_rule(known: GateFacts):
    before = known.before
    age = known.verification_max_age_seconds
    in_words = (
        before is not None
        and before.deployed_at is not None
        and len(before.verifications) > 0
        and {each.suite for each in before.verifications} >= set(known.required_suites)
        and all(each.outcome == "success" for each in before.verifications)
        and (age is None or all(NOW - each.finished_at <= timedelta(seconds=age) for each in before.verifications))
        and NOW - before.deployed_at >= timedelta(seconds=known.required_soak_seconds)
    )

    assert (decide(known, NOW).word == "granted") == in_words
