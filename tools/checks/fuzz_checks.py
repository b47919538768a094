"""Checks that schemathesis.toml adds to Schemathesis's own checks.

The tables list why the service may answer 400, 412 or 422 although the request fits the OpenAPI document. A refusal
without an entry is a fault of the document or of the service.
"""

import re
from typing import Any

import schemathesis
from schemathesis.specs.openapi.checks import is_unexpected_http_status_case

PROBLEMS = {
    "cursor-unusable": "a cursor must come from the same list with the same filters",
    "idempotency-key-reused": "the Idempotency-Key was used with another body before",
    "precondition-failed": "If-Match must be the current ETag",
    "rollback-refused": "the target's history decides if a rollback is allowed",
}

# Rules behind the problem `invalid`. A key has a pattern of operations and a pattern of places in their requests.
RULES: dict[tuple[str, str], str] = {
    ("create_publisher", "#/issuer"): "only some issuers are trusted",
    ("create_publisher", "#/environments/.+"): "the environment must exist",
    ("open_deployment", "#/workspace"): "the workspace must exist",
    ("record_verification", "#/workspace"): "the workspace must exist",
    ("open_deployment|record_verification|decide_promotion", "#/artifact"): "a system uses one kind of artifact",
    (
        "open_deployment",
        "#/(state|started_at|finished_at)",
    ): "imported deployments must have these fields, and other deployments must not have them",
    ("open_deployment", "#/override_reason"): "an imported deployment passes no gate, so it can't override a gate",
    ("record_verification", "#/(artifact|started_at|finished_at)"): "an imported verification must have these fields",
    (
        "open_deployment|record_verification",
        "#/(started_at|finished_at)",
    ): "the times must be in order, after 1969 and not in the future",
    ("list_.+", "#/(from|to|expires_before)"): "the time in UTC must be in the years 1 to 9999",
    ("create_workspace", "#/name"): "the name must fit into names of AWS resources, and must not be `default`",
    ("create_workspace", "#/database"): "only debug workspaces may use live data",
    ("create_workspace|change_workspace", "#/expires_at"): "the time must be in the future, and not too late",
    ("change_workspace", "#/reason"): "an extension must have a reason",
    ("set_route", "#/until"): "the time must be in the future, and not after the workspace expires",
    ("open_deployment", "#/commits"): "no commit may be listed twice",
    ("open_deployment", "#/commits/[0-9]+/authored_at"): "the time must be after 1969",
}

_STATUSES = (400, 412, 422)


@schemathesis.check
def refusal_is_explained(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: "schemathesis.Case[Any]"
) -> None:
    """Require that PROBLEMS or RULES explains why the service refuses a request that fits the document."""
    if case.meta is None or not case.meta.generation.mode.is_positive or is_unexpected_http_status_case(case):
        return
    if response.status_code in _STATUSES:
        problem = response.json()
        missing = missing_entries(case.operation.definition.raw["operationId"], problem)
        assert not missing, (
            f"The service refuses a request that the document allows: {problem['detail']}. Change the service or the "
            f"document. If no schema can express the rule, add it to tools/checks/fuzz_checks.py: {', '.join(missing)}"
        )


@schemathesis.check
class every_operation_succeeds:  # noqa: N801 (checks are called like functions)
    """Require that every operation succeeds at least once. If every request got 404, the fuzz would test little."""

    def __init__(self) -> None:
        self._asked: set[str] = set()
        self._succeeded: set[str] = set()

    def after_response(
        self, ctx: schemathesis.CheckContext, response: schemathesis.Response, case: "schemathesis.Case[Any]"
    ) -> None:
        self._asked.add(case.operation.label)
        if response.status_code in (200, 201, 204):
            self._succeeded.add(case.operation.label)

    def after_run(self, ctx: schemathesis.CheckContext) -> None:
        never = sorted(self._asked - self._succeeded)
        assert not never, (
            f"These operations never succeeded: {', '.join(never)}. Add data for them to _DATA in tools/checks/fuzz.py"
        )


def missing_entries(operation: str, problem: dict[str, Any]) -> list[str]:
    """Return the lines of code that PROBLEMS and RULES lack to explain a refusal."""
    slug = str(problem["type"]).removeprefix("/problems/")
    if slug != "invalid":
        return [] if slug in PROBLEMS else [f'PROBLEMS["{slug}"] = "why"']
    places = [str(error["pointer"]) for error in problem.get("errors", ())] or ["#"]
    return [f'RULES["{operation}", "{place}"] = "why"' for place in places if not _has_rule(operation, place)]


def _has_rule(operation: str, place: str) -> bool:
    return any(re.fullmatch(names, operation) and re.fullmatch(places, place) for names, places in RULES)
