"""What Schemathesis can't know of this service: which well-formed requests may be refused, and that a run is worth it.

Checks of its, which schemathesis.toml loads. Every entry of the tables has its reason; a refusal without an entry is
a fault, of the document or of the service.
"""

import re
from typing import Any

import schemathesis
from schemathesis.specs.openapi.checks import is_unexpected_http_status_case

PROBLEMS = {
    "cursor-unusable": "a cursor is one that this list gave, for these filters",
    "idempotency-key-reused": "the key came with another body before",
    "precondition-failed": "it was changed, or If-Match never was its ETag",
    "rollback-refused": "it depends on what happened on the target before",
}

# Of the problem `invalid`: operations, and the places in their requests about which rules decide, as patterns.
RULES: dict[tuple[str, str], str] = {
    ("create_publisher", "#/issuer"): "only some issuers are trusted",
    ("create_publisher", "#/environments/.+"): "only some environments are there",
    ("open_deployment", "#/workspace"): "only some workspaces are there",
    ("record_verification", "#/workspace"): "only some workspaces are there",
    ("open_deployment|record_verification|decide_promotion", "#/artifact"): "a system uses one kind of artifact",
    ("open_deployment", "#/(state|started_at|finished_at)"): "given if, and only if, history is imported",
    ("open_deployment", "#/override_reason"): "history has passed no gate",
    ("record_verification", "#/(artifact|started_at|finished_at)"): "required if history is imported",
    ("open_deployment|record_verification", "#/(started_at|finished_at)"): "in order, after 1969, and not ahead",
    ("list_deployments|list_verifications", "#/(from|to)"): "in UTC, in the years 1 to 9999",
    ("list_workspaces", "#/expires_before"): "in UTC, in the years 1 to 9999",
    ("create_workspace", "#/name"): "part of resources' names, and not that of the environment itself",
    ("create_workspace", "#/database"): "live data is for debugging",
    ("create_workspace|change_workspace", "#/expires_at"): "ahead, and not too far",
    ("change_workspace", "#/reason"): "required to extend it",
    ("set_route", "#/until"): "ahead, and not after the end of the workspace",
    ("open_deployment", "#/commits"): "a commit is named once, whenever it was authored",
    ("open_deployment", "#/commits/[0-9]+/authored_at"): "after 1969",
}

_STATUSES = (400, 412, 422)


@schemathesis.check
def refusal_is_explained(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: "schemathesis.Case[Any]"
) -> None:
    """A request that fits the document is refused for a reason that is written here, or not at all."""
    if case.meta is None or not case.meta.generation.mode.is_positive or is_unexpected_http_status_case(case):
        return
    if response.status_code in _STATUSES:
        problem = response.json()
        missing = missing_entries(case.operation.definition.raw["operationId"], problem)
        assert not missing, (
            f"The document allows what the service refuses: {problem['detail']}. Change one of them; or, if no schema "
            f"can say it, explain it in tools/checks/fuzz_checks.py: {', '.join(missing)}"
        )


@schemathesis.check
class every_operation_succeeds:  # noqa: N801 (checks are called like functions)
    """A run that only ever asked for what is not there would find no fault anywhere."""

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
            f"Never answered as asked: {', '.join(never)}. Add what they find to _DATA in tools/checks/fuzz.py"
        )


def missing_entries(operation: str, problem: dict[str, Any]) -> list[str]:
    """The entries that would explain a refusal, as far as there are none."""
    slug = str(problem["type"]).removeprefix("/problems/")
    if slug != "invalid":
        return [] if slug in PROBLEMS else [f'PROBLEMS["{slug}"] = "why"']
    places = [str(error["pointer"]) for error in problem.get("errors", ())] or ["#"]
    return [f'RULES["{operation}", "{place}"] = "why"' for place in places if not _has_rule(operation, place)]


def _has_rule(operation: str, place: str) -> bool:
    return any(re.fullmatch(names, operation) and re.fullmatch(places, place) for names, places in RULES)
