"""The endpoint of the overview: `/v1/overview`."""

from typing import Any

from chalice.app import Blueprint

from chalicelib.identity.roles import Role
from chalicelib.overview import store
from chalicelib.overview.model import OverviewQuery, SystemOverview
from chalicelib.overview.rules import overviews
from chalicelib.rest import paging
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Page

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/overview", role=Role.viewer)
def get_overview(call: Call, query: OverviewQuery) -> Page[SystemOverview]:
    """Read what runs in each environment of each system, what is on its way, and what needs attention, by key.

    The filters leave out environments, and systems without any left. With a filter, a page may be short or empty and
    still have a next page. A pipeline gets only the systems whose publishers trust it.
    """

    def scan(after: tuple[Any, ...] | None) -> tuple[list[SystemOverview], tuple[Any, ...] | None]:
        facts = store.scan(call.db, query, only=call.principal.readable, after=after)
        return [*overviews(facts, query)], (facts.end,) if facts.more else None

    return paging.sparse_page(call.address, query, store.ORDER, scan)
