"""Deployments and decisions of the gate are counted, if they are recorded."""

from tests.service.deployments.records import an_artifact
from tests.service.test_sweep import sweep
from tests.support.claims import RUN

DEPLOYMENTS = "/v1/systems/azul/deployments"
PROMOTIONS = "/v1/systems/azul/promotions"


def counted(log, *names):
    """Return the values of these metrics, with their own dimension, and forget the lines."""
    found = {}
    for line in log:
        for name, own in names:
            if name in line:
                key = (name, line[own]) if own else name
                found[key] = found.get(key, 0) + line[name]
    log.clear()
    return found


OF_GATE = (("promotions", "decision"), ("denials", "blocker"))
OF_ENDS = (("deployments", "end"), ("lease_expiries", None))


def test_a_decision_counts_with_each_of_its_blockers(api, given, log):
    given.the_usual()
    given.a_freeze(environment="preproduction")
    log.clear()

    for dry_run in (False, True):
        api.post(PROMOTIONS, {"environment": "preproduction", "artifact": an_artifact(), "dry_run": dry_run})
    api.post(DEPLOYMENTS, {"environment": "preproduction", "artifact": an_artifact()})
    api.post(DEPLOYMENTS, {"environment": "development", "artifact": an_artifact()})

    assert counted(log, *OF_GATE) == {
        ("promotions", "denied"): 2,
        ("promotions", "granted"): 1,
        ("denials", "not-deployed"): 2,
        ("denials", "frozen"): 2,
    }


def test_the_end_of_a_deployment_counts_once(api, given, log):
    given.the_usual()
    deployment = given.a_deployment(state="in_progress")["id"]
    log.clear()

    for state in ("in_progress", "succeeded", "failed"):
        api.post(f"{DEPLOYMENTS}/{deployment}/statuses", {"state": state})

    assert counted(log, *OF_ENDS) == {("deployments", "succeeded"): 1}


def test_an_expired_lease_counts_when_the_next_deployment_or_the_sweep_ends_it(api, given, log):
    given.the_usual()
    given.a_deployment(state="in_progress", lease_seconds=60)
    given.time_passes(61)
    log.clear()

    api.post(DEPLOYMENTS, {"environment": "development", "artifact": an_artifact(), "lease_seconds": 60})
    assert counted(log, *OF_ENDS) == {"lease_expiries": 1, ("deployments", "cancelled"): 1}

    api.post(DEPLOYMENTS, {"environment": "development", "artifact": an_artifact()})  # refused: the target is busy
    assert counted(log, *OF_ENDS) == {}

    given.time_passes(61)
    sweep()
    assert counted(log, *OF_ENDS) == {"lease_expiries": 1, ("deployments", "cancelled"): 1}


def test_a_superseded_attempt_counts_as_cancelled(api, given, log):
    given.the_usual()
    given.a_publisher()
    body = {"environment": "development", "artifact": an_artifact(), "revision": RUN["sha"]}
    api.as_run().post(DEPLOYMENTS, body)
    log.clear()

    again = api.as_run(run_attempt="2").post(DEPLOYMENTS, body)

    assert again.status == 201
    assert counted(log, *OF_ENDS) == {("deployments", "cancelled"): 1}
