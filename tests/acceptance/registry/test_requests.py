"""Requests that a pipeline may send: their headers and their problems."""

import secrets
from typing import Any

import pytest

from tests.acceptance.test_errors import UNUSABLE, is_problem
from tools.local.acceptance.service import Service

ARTIFACT = f"tree:{'0' * 40}"
OF_A_PROMOTION = {
    "a value in the wrong form": (
        {"artifact": "tree:0", "environment": "development", "dry_run": True},
        {},
        422,
        "invalid",
    ),
    "an unknown environment": ({"artifact": ARTIFACT, "environment": "nothing", "dry_run": True}, {}, 404, "not-found"),
}


@pytest.mark.parametrize(
    ("body", "headers", "status", "slug"),
    [*UNUSABLE.values(), *OF_A_PROMOTION.values()],
    ids=[*UNUSABLE, *OF_A_PROMOTION],
)
def test_an_unusable_body_of_a_promotion_gets_a_problem(
    service: Service, system: str, body: Any, headers: dict[str, str], status: int, slug: str
) -> None:
    is_problem(service.ask("POST", f"{system}/promotions", body, headers), status, slug)


def test_an_artifact_without_records_is_not_found(service: Service) -> None:
    is_problem(service.get(f"/v1/systems/{service.settings.system}/artifacts/{ARTIFACT}"), 404, "not-found")


def test_a_promotion_is_not_cached(service: Service, system: str) -> None:
    body = {"artifact": f"tree:{secrets.token_hex(20)}", "environment": "preproduction", "dry_run": True}

    answer = service.post(f"{system}/promotions", body).expect(200)

    assert answer.headers.get("Cache-Control") == "no-store", f"the header Cache-Control is not `no-store`: {answer}"
