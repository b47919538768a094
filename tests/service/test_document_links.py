"""The links of the OpenAPI document lead from the answer to a write to what it made."""

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.given import Given
from tests.support.writes import POSTS, WRITES, send


@pytest.mark.parametrize("route", POSTS)
def test_links_lead_to_the_address_in_location(api: Api, given: Given, route: str) -> None:
    write = WRITES[route](given)
    document = api.get("/v1/openapi.json").json

    answer = send(api, route, write)

    links = document["paths"][route.partition(" ")[2]]["post"]["responses"][str(answer.status)].get("links", {})
    paths = {each["operationId"]: path for path, found in document["paths"].items() for each in found.values()}
    templates = {link["operationId"]: paths[link["operationId"]] for link in links.values()}
    # Another path, such as a list below the new resource, is no address of it.
    reads = {name: path for name, path in templates.items() if name.startswith("get_") and path.endswith("}")}
    assert {address(path, links[name], route, write.path, answer.json) for name, path in reads.items()} == (
        {answer.headers["Location"]} if "Location" in answer.headers else set()
    )


def address(template: str, link: Any, route: str, path: str, body: Any) -> str:
    """Return the address that a link leads to, with the values of the request's `path` and of its answer `body`."""
    names, values = route.partition(" ")[2].split("/"), path.split("/")
    asked = {f"$request.path.{name[1:-1]}": value for name, value in zip(names, values, strict=True)}
    told = {f"$response.body#/{name}": value for name, value in body.items()}
    return template.format_map({name: (asked | told)[value] for name, value in link["parameters"].items()})
