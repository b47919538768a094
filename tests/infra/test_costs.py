"""The costs in docs/infrastructure.md are those of the environments' plans."""

import pytest

from tests.support import modules
from tests.support.page import text
from tools.aws.terraform import missing
from tools.checkout import ENVIRONMENTS
from tools.checks import costs
from tools.checks.policy.plans import RUNS

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")


@pytest.fixture(scope="module")
def plans() -> dict[str, costs.Plan]:
    # The plans of the tests have a function `clock`, which the service does not have.
    return {
        run.name: {address: each for address, each in modules.arguments(run).items() if "clock" not in address}
        for run in RUNS
        if run.name in ENVIRONMENTS
    }


# registry
def test_the_page_has_the_computed_costs(plans: dict[str, costs.Plan]) -> None:
    table = costs.table(plans)

    assert table in text("infrastructure.md"), f"run `make costs`, and copy its table into the page:\n{table}"


# /registry
def test_the_page_tells_the_date_of_the_prices() -> None:
    assert costs.AS_OF in text("infrastructure.md")


def test_a_database_that_pauses_costs_nothing_and_one_that_does_not_costs_88_dollars_for_each_instance(
    plans: dict[str, costs.Plan],
) -> None:
    idle = {
        name: {cost.part: round(cost.idle) for cost in costs.costs(plan)}["database: capacity"]
        for name, plan in plans.items()
    }

    assert idle == {"development": 0, "preproduction": 0, "production": 175}
