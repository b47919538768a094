"""A page of a long list costs as much as a page of a short one: PostgreSQL reads an index in order, and stops."""

import pytest

from tests.support.growth import pages_read
from tests.support.largest import copy
from tools.checks.bench.exchanges import recorded

MANY = 3000
MOST_PAGES_READ = 60

LATER = "+ n * '1 s'::interval"
# The lists, and what makes a copy of a row another record.
COPIES = {
    "deployments": {
        "started_at": f"t.started_at {LATER}",
        "finished_at": f"t.finished_at {LATER}",
        "revision": "lpad(n::text, 40, '0')",
    },
    "verifications": {"finished_at": f"t.finished_at {LATER}"},
    "promotions": {"decided_at": f"t.decided_at {LATER}"},
}


@pytest.mark.parametrize("of_environment", [False, True])
@pytest.mark.parametrize("list_", COPIES)
def test_a_page_reads_only_its_rows(api, given, list_, of_environment):
    given.two_of_everything()
    first = f"(SELECT min(id) FROM {list_})"
    copy(given, list_, f", generate_series(1, {MANY}) AS n WHERE t.id = {first}", **COPIES[list_])
    address = f"/v1/systems/azul/{list_}?limit=50"
    newest = api.get(address)["items"][0]

    with recorded() as exchanges:
        page = api.get(address + (f"&environment={newest['environment']}" if of_environment else ""))

    assert len(page["items"]) == 50
    [exchange] = exchanges
    assert pages_read(given, exchange.message) < MOST_PAGES_READ
