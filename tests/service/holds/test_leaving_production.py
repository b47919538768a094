"""No maintainer takes an environment out of production to leave an admin's freeze of all production environments."""

import pytest

from tests.support.given import BECAUSE, ahead

PATH = "/v1/systems/azul/environments"
PRODUCTION = f"{PATH}/production"
REASON = "It is a test environment now"
ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
FREEZES = {
    "active": {},
    "scheduled": {"starts_at": ahead(days=1)},
    "repeating": {"recurrence": {"by_day": ["MO"], "from": "03:00", "to": "03:01", "days": 0, "time_zone": "UTC"}},
}
LEAVING = {
    "no longer production": lambda api: _change(api, production=False),
    "no account": lambda api: _change(api, aws_account_id=None),
    "another account": lambda api: _change(api, aws_account_id=OTHER_ACCOUNT),
    "deleted": lambda api: api.delete(PRODUCTION + BECAUSE, if_match="*"),
}


@pytest.fixture
def maintainer(api, given):
    given.the_usual(aws_account_id=ACCOUNT)
    return api.as_("maintainer")


@pytest.mark.parametrize("freeze", FREEZES.values(), ids=FREEZES)
@pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING)
def test_only_an_admin_leaves_a_freeze_of_production_that_is_not_over(api, given, maintainer, leave, freeze):
    hold = given.a_freeze_over_systems(production=True, **freeze)["id"]
    before = api.get(PRODUCTION).json

    refused = leave(maintainer)

    assert (refused.status, refused.problem) == (403, "forbidden")
    assert f"Hold {hold} " in refused["detail"]
    assert api.get(PRODUCTION).json == before
    assert leave(api).status in (200, 204)


@pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING)
def test_a_maintainer_leaves_after_the_freeze(api, given, maintainer, leave):
    hold = given.a_freeze_over_systems(production=True)["id"]
    given.a_freeze_over_systems(production=True, ends_at=ahead(hours=1))
    given.time_passes(2 * 3600)
    assert api.post(f"/v1/holds/{hold}/release", {"reason": REASON}).status == 200

    assert leave(maintainer).status in (200, 204)


def test_a_maintainer_may_leave_while_only_other_freezes_hold(given, maintainer):
    given.a_freeze_over_systems()
    given.a_freeze(production=True)

    assert _change(maintainer, production=False).status == 200


def test_a_freeze_of_production_stops_no_other_change_of_environments(given, maintainer):
    given.a_freeze_over_systems(production=True)

    answers = [
        _change(maintainer, production=True, aws_account_id=ACCOUNT, region="eu-central-1"),
        _change(maintainer, required_soak_seconds=60),
        maintainer.patch(f"{PATH}/preproduction", {"production": False, "rank": 9, "reason": REASON}, if_match="*"),
        maintainer.delete(f"{PATH}/development{BECAUSE}", if_match="*"),
    ]

    assert [answer.status for answer in answers] == [200, 200, 200, 204]


def _change(api, **fields):
    return api.patch(PRODUCTION, {**fields, "reason": REASON}, if_match="*")
