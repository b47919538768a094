"""Answers say who may cache them. An answer that has not changed is not sent again."""

import re
from collections.abc import Callable

import pytest

from tools.local.acceptance.service import Service

# The answers at these paths stay the same between two requests.
STEADY = ["/v1/health", "/v1/openapi.json", "/v1/me"]


@pytest.mark.parametrize("path", STEADY)
def test_an_unchanged_answer_is_not_sent_again(service: Service, path: str) -> None:
    first = service.get(path).expect(200)
    tag = first.headers.get("ETag", "")
    assert re.fullmatch(r'"[!#-~]+"', tag), f"{first}: the header ETag is {tag!r}: send a strong ETag"

    again = service.get(path, if_none_match=tag)

    assert again.status == 304, f"{again}: If-None-Match has no effect: send 304 if the ETag is the same"
    assert again.body == b""
    assert again.headers.get("ETag") == tag, f"{again}: the header ETag is {again.headers.get('ETag')!r}: send {tag!r}"


@pytest.mark.parametrize("path", STEADY)
def test_a_changed_answer_is_sent(service: Service, path: str) -> None:
    answer = service.get(path, if_none_match='"another"').expect(200)

    assert answer.json


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/v1/openapi.json", "public, max-age=300"),
        ("/v1/me", "private, no-cache"),
        ("/v1/systems", "private, no-cache"),
        ("/v1/systems/{system}/environments/nothing", "no-store"),
        ("/v1/systems?limit=0", "no-store"),
    ],
)
def test_an_answer_says_who_may_cache_it(service: Service, path: str, value: str) -> None:
    answer = service.get(path.format(system=service.settings.system))

    found = answer.headers.get("Cache-Control")
    assert found == value, f"{answer}: the header Cache-Control is {found!r}: send {value!r}"


def test_the_answer_to_a_write_is_not_cached(service: Service, system: str, may: Callable[..., bool]) -> None:
    if not may("maintainer", service.settings.system):
        pytest.skip("only a maintainer may change an environment: give a maintainer's token in TOKEN")
    environment = f"{system}/environments/development"
    before = service.get(environment).expect(200)

    same = {"rank": before.json["rank"]}
    answer = service.ask("PATCH", environment, same, {"If-Match": before.headers["ETag"]}).expect(200)

    found = answer.headers.get("Cache-Control")
    assert found == "no-store", f"{answer}: the header Cache-Control is {found!r}: send 'no-store'"
