"""The dashboard shows the two histories that `make replay` and `make demo` record."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tools.local.registry import demo, replay
from tools.local.registry.replay import Client

if TYPE_CHECKING:
    from playwright.sync_api import Page

SYSTEMS = demo.NAMES[:10]
LINKS = 8


@pytest.fixture
def send(page_url: str, token: Callable[..., str]) -> Iterator[replay.Send]:
    client = Client(page_url, token("admin"))
    with closing(client._connection):
        yield client.send


@pytest.mark.slow
def test_azul_shows_what_ran_at_the_end_of_its_history(send: replay.Send, open_as: Callable[..., "Page"]) -> None:
    deployments, graph = replay.read_history()
    replay.replay(send, deployments, graph)
    last = {each.environment: each for each in sorted(deployments, key=lambda each: each.deployed_at)}
    assert list(last) == ["dev", "integration", "staging", "prod"]

    page = open_as("viewer")

    assert page.get_by_role("columnheader").all_inner_texts() == ["System", *last]
    for name, deployment in last.items():
        cell = page.locator(f"td[data-column={name}]")
        assert cell.get_by_title(deployment.artifact).inner_text() == deployment.tree[:7]
    open_as("viewer", "#/systems/azul")
    for name, deployment in last.items():
        lane = page.get_by_role("region", name=name, exact=True)
        assert lane.locator(".now").get_by_title(deployment.artifact).inner_text() == deployment.tree[:7]


@pytest.mark.slow
def test_links_of_the_demo_lead_to_pages(send: replay.Send, open_as: Callable[..., "Page"]) -> None:
    assert demo.fill(send, send, SYSTEMS) == len(SYSTEMS)

    page = open_as("admin")

    assert page.get_by_role("rowheader").all_inner_texts() == SYSTEMS
    addresses = page.locator("a[href^='#/']").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    distinct = sorted(set(addresses))
    for address in distinct[:: len(distinct) // LINKS]:
        open_as("admin", address)
        assert page.locator("main h1").inner_text(), address
        assert page.locator("main .message").count() == 0, address
