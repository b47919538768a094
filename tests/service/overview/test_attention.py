"""The filter `attention`: each reason for it, and each state that is no reason."""

import pytest

from tests.service.overview.test_overview import FIRST, OVERVIEW, SECOND, commits, environments_of
from tests.support.given import ahead

HOUR = 3600


def attention(api, environment="development"):
    return environments_of(api)[environment].get("attention", [])


@pytest.fixture
def two(given):
    """A system with development, where an artifact is verified, and production, where nothing runs."""
    given.a_system()
    given.an_environment("development")
    given.an_environment("production")
    given.a_deployment(FIRST)
    given.a_verification()


@pytest.mark.parametrize(("state", "reasons"), [("failed", ["failed"]), ("cancelled", []), ("succeeded", [])])
def test_a_failed_attempt(api, given, two, state, reasons):
    given.a_deployment(SECOND, state=state)

    assert attention(api) == reasons


def test_a_newer_attempt_ends_the_failure(api, given, two):
    given.a_deployment(SECOND, state="failed")
    given.a_deployment(SECOND, state="in_progress")

    assert attention(api) == []


@pytest.mark.parametrize("hold", ["freeze", "pin", "bad"])
def test_a_promotion_that_a_hold_blocks(api, given, two, hold):
    given.a_deployment(SECOND, environment="production")
    given.a_verification(environment="production")
    assert attention(api, "production") == []

    match hold:
        case "freeze":
            given.a_freeze(production=True, ends_at=ahead(hours=1))
        case "pin":
            given.a_pin("production")
        case "bad":
            given.a_bad_mark(FIRST)

    assert attention(api, "production") == ["blocked"]


def test_a_promotion_that_waits_for_approval_is_blocked(api, given):
    given.a_system()
    given.an_environment("development")
    given.an_environment("production", required_approvals=1)
    given.a_deployment(FIRST)
    given.a_verification()

    assert attention(api, "production") == ["blocked"]


def test_a_promotion_after_a_failed_verification_is_blocked(api, given, two):
    given.a_verification(outcome="failure")

    assert attention(api, "production") == ["blocked"]


def test_a_promotion_that_soaks_is_not_blocked(api, given):
    given.a_system()
    given.an_environment("development")
    given.an_environment("production", required_soak_seconds=9 * HOUR)
    given.a_deployment(FIRST)
    given.a_verification()
    given.time_passes(2 * HOUR)

    assert environments_of(api)["production"]["blocked"]["codes"] == ["soaking"]
    assert attention(api, "production") == []


def test_a_promotion_whose_required_suite_may_still_come_is_not_blocked(api, given):
    given.a_system()
    given.an_environment("development")
    given.an_environment("production", required_suites=["smoke"])
    given.a_deployment(FIRST)
    given.a_verification()
    given.time_passes(HOUR - 10)
    assert attention(api, "production") == []

    given.time_passes(11)

    assert environments_of(api)["production"]["blocked"]["codes"] == ["not-verified"]
    assert attention(api, "production") == ["blocked"]


def test_nothing_is_blocked_if_the_environment_before_has_nothing_newer(api, given):
    given.a_system()
    given.an_environment("development")
    given.an_environment("production")
    for day, artifact, commit in (("01", FIRST, "a"), ("02", SECOND, "b")):
        given.an_import(artifact, at=f"2026-01-{day}T00:00:00Z", commits=commits(commit))
        given.an_import(artifact, environment="production", at=f"2026-01-{day}T06:00:00Z", commits=commits(commit))
    given.a_verification(environment="production")
    given.an_import(FIRST, at="2026-01-03T00:00:00Z", kind="rollback")
    given.a_freeze()

    production = environments_of(api)["production"]

    assert (production["blocked"]["codes"][-1], production["commits_behind"]) == ("frozen", 0)
    assert "attention" not in production


def test_a_deployment_without_a_status_for_half_of_its_lease_is_stuck(api, given, two):
    opened = given.a_deployment(SECOND, state="in_progress", lease_seconds=HOUR)["id"]
    given.time_passes(HOUR // 2 - 10)
    assert attention(api) == []

    given.time_passes(11)
    assert attention(api) == ["stuck"]

    given.a_status(opened, "in_progress")
    assert attention(api) == []


def test_a_deployment_that_no_suite_verifies_in_time(api, given):
    given.a_system_with_an_environment()
    given.a_deployment(FIRST)
    given.a_verification(outcome="error")
    given.time_passes(HOUR - 10)
    assert attention(api) == []

    given.time_passes(11)
    assert attention(api) == ["unverified"]

    given.a_verification()
    assert attention(api) == []


def test_a_failed_verification_of_what_runs(api, given, two):
    given.a_verification(suite="smoke", outcome="failure")

    assert attention(api) == ["unverified"]


def test_an_expired_lease(api, given, two):
    given.a_deployment(SECOND, state="in_progress", lease_seconds=60)
    given.time_passes(61)
    assert attention(api) == ["lease-expired"]

    given.sql(
        """
        UPDATE deployments SET state = 'cancelled', detail = 'The lease expired', finished_at = lease_expires_at
        WHERE state = 'in_progress'
        """
    )

    assert attention(api) == ["lease-expired"]


def test_several_reasons_come_in_one_order(api, given, two):
    given.a_deployment(SECOND, environment="production")
    given.a_verification(environment="production", outcome="failure")
    given.a_deployment(SECOND, environment="production", state="failed")
    given.a_freeze()

    assert attention(api, "production") == ["failed", "blocked", "unverified"]


def test_the_filter_leaves_out_the_rest(api, given, two):
    given.a_system("shop")
    given.an_environment(system="shop")
    given.a_deployment(SECOND, state="failed")

    assert [(each["key"], [*map(name, each["environments"])]) for each in items(api, "attention=true")] == [
        ("azul", ["development"])
    ]
    assert items(api, "attention=true&production=true") == []


def items(api, query):
    return api.get(f"{OVERVIEW}?{query}")["items"]


def name(environment):
    return environment["name"]
