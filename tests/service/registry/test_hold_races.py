"""Holds are set and released while pipelines deploy: no deployment begins under a hold, and nobody waits for ever."""

from collections.abc import Callable
from typing import Any

from tests.service.deployments.records import an_artifact
from tests.support.api import Answer, Api
from tests.support.given import Given
from tests.support.races import at_once, statuses

SYSTEMS = ("azul", "blue", "cyan")
EACH = 13  # two admins set so many holds over all systems and so many of a system; four pipelines open so many


def test_no_deployment_begins_under_a_hold(api: Api, given: Given) -> None:
    for system in SYSTEMS:
        given.a_system(system)
        given.an_environment(system=system)

    answers = at_once(*[lambda: _admin(api)] * 2, *[lambda n=n: _pipeline(api, n) for n in range(4)])

    opened = [answer for pipeline in answers[2:] for answer in pipeline]
    assert statuses([answer for admin in answers[:2] for answer in admin]) == {201: 4 * EACH, 200: 4 * EACH}
    assert sum(statuses(opened).values()) == 4 * EACH
    assert statuses(opened).keys() <= {201, 409}
    assert {answer.problem for answer in opened if answer.status == 409} <= {"promotion-denied", "target-busy"}
    assert _deployments_under_a_hold(given) == []


def _admin(api: Api) -> list[Answer]:
    answers = []
    for number in range(EACH):
        for path in ("/v1/holds", f"/v1/systems/{SYSTEMS[number % 3]}/holds"):
            held = api.as_("admin").post(path, {"kind": "freeze", "reason": "The systems rest"})
            answers += [
                held,
                api.as_("admin").post(f"{path}/{held['id']}/release", {"reason": "The systems have rested"}),
            ]
    return answers


def _pipeline(api: Api, first: int) -> list[Answer]:
    answers = []
    for number in range(EACH):
        path = f"/v1/systems/{SYSTEMS[(first + number) % 3]}/deployments"
        opened = api.post(path, {"environment": "development", "artifact": an_artifact()})
        if opened.status == 201:
            api.post(f"{path}/{opened['id']}/statuses", {"state": "cancelled"})
        answers.append(opened)
    return answers


def _deployments_under_a_hold(given: Given) -> list[Any]:
    """Return the deployments that the audit trail has between the begin and the end of a hold that concerns them."""
    held: dict[str, str | None] = {}
    found = []
    effects: dict[str, Callable[[str, str | None], Any]] = {
        "hold.create": lambda id_, system: held.update({id_: system}),
        "hold.release": lambda id_, _: held.pop(id_),
        "deployment.open": lambda id_, system: found.append(id_) if {None, system} & set(held.values()) else None,
    }
    for action, resource, system in given.sql(
        "SELECT action, resource, system_key FROM audit_events WHERE refusal IS NULL ORDER BY id"
    ):
        if action in effects:
            effects[action](resource.rpartition("/")[2], system)
    assert not held
    return found
