"""A cursor of a list of records is valid only with the filters that it comes from."""

import pytest


@pytest.mark.parametrize(
    ("resource", "given_for", "used_for"),
    [
        ("deployments", "environment=development", "environment=production"),
        ("deployments", "state=succeeded", ""),
        ("deployments", "", "kind=rollout"),
        ("deployments", "from=2020-01-01T00:00:00Z", "from=2020-01-01T00:00:01Z"),
        ("deployments", "from=2020-01-01T00:00:00Z", "to=2020-01-01T00:00:00Z"),
        ("verifications", "outcome=success", "trigger=deployment"),
        ("promotions", "decision=granted", ""),
    ],
)
def test_a_cursor_is_valid_with_its_filters_only(api, given, resource, given_for, used_for):
    given.two_of_everything()
    path = f"/v1/systems/azul/{resource}"
    cursor = api.get(f"{path}?limit=1&{given_for}")["next"]

    answer = api.get(f"{path}?cursor={cursor}&{used_for}")

    assert (answer.status, answer.problem) == (400, "cursor-unusable")
    assert api.get(f"{path}?cursor={cursor}&{given_for}").status == 200
