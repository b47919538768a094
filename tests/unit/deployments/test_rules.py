"""Rules for open deployments, tested at exact times that a real request can't hit."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.deployments.model import LEASE_EXPIRED, Deployment
from chalicelib.deployments.rules import require_open
from chalicelib.rest.problems import Problem

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_deployment(state="in_progress", *, lease_expires_at=NOW, finished_at=None, detail=None):
    return Deployment(
        id="1",
        system="azul",
        environment="development",
        workspace="default",
        artifact=f"tree:{'0' * 40}",
        revision=None,
        kind="rollout",
        state=state,
        detail=detail,
        imported=False,
        commit_count=0,
        run_url=None,
        run_id=None,
        run_attempt=None,
        run_sha=None,
        run_actor=None,
        override_reason=None,
        overridden=None,
        promotion_id=None,
        lease_expires_at=lease_expires_at,
        started_at=NOW - timedelta(hours=1),
        finished_at=finished_at,
        created_by="pipeline@local",
    )


def refusal(deployment, at=NOW):
    with pytest.raises(Problem) as raised:
        require_open(deployment, at)
    return raised.value.type.slug


def test_a_lease_holds_until_just_before_its_end():
    require_open(a_deployment(), NOW - timedelta(microseconds=1))

    assert refusal(a_deployment(), NOW) == "lease-expired"


def test_a_lease_that_expires_while_a_status_waits_has_expired():
    read_as_open = a_deployment("in_progress", lease_expires_at=NOW)

    assert refusal(read_as_open, NOW + timedelta(seconds=1)) == "lease-expired"


def test_a_cancellation_by_the_lease_differs_from_one_by_a_caller():
    by_lease = a_deployment("cancelled", finished_at=NOW, detail=LEASE_EXPIRED)
    by_somebody = a_deployment("cancelled", finished_at=NOW - timedelta(seconds=1), detail=LEASE_EXPIRED)

    assert refusal(by_lease) == "lease-expired"
    assert refusal(by_somebody) == "deployment-final"
