"""Checks that schemathesis.toml adds to Schemathesis's own checks.

The modules of tools/checks/fuzz list why the service may answer 400, 412 or 422 although the request fits the OpenAPI
document. A refusal without an entry is a fault of the document or of the service.
"""

import re
from typing import Any

import schemathesis
from schemathesis.specs.openapi.checks import is_unexpected_http_status_case

from tools.checks.fuzz import every

PROBLEMS = {slug: why for each in every() for slug, why in each.problems.items()}
RULES = {rule: why for each in every() for rule, why in each.rules.items()}

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
        raw = case.operation.definition.raw
        missing = missing_entries(raw["operationId"], problem)
        assert not missing, (
            f"The service refuses a request that the document allows: {problem['detail']}. Change the service or the "
            f"document. If no schema can express the rule, add it to FUZZ in {_module(raw)}: {', '.join(missing)}"
        )


@schemathesis.check
class every_operation_succeeds:  # noqa: N801 (checks are called like functions)
    """Require that every operation succeeds at least once. If every request got 404, the fuzz would test little."""

    def __init__(self) -> None:
        self._asked: dict[str, str] = {}  # the module of each operation
        self._succeeded: set[str] = set()

    def after_response(
        self, ctx: schemathesis.CheckContext, response: schemathesis.Response, case: "schemathesis.Case[Any]"
    ) -> None:
        self._asked[case.operation.label] = _module(case.operation.definition.raw)
        if response.status_code in (200, 201, 204):
            self._succeeded.add(case.operation.label)

    def after_run(self, ctx: schemathesis.CheckContext) -> None:
        missing = [_needs(label, self._asked[label]) for label in sorted(self._asked.keys() - self._succeeded)]
        assert not missing, "\n".join(["These operations never succeeded:", *missing])


def _needs(label: str, module: str) -> str:
    """Return a line that says what an operation, such as `GET /v1/systems/{system}`, needs to succeed."""
    method, path = label.split(" ")
    deletes = method == "DELETE"
    needs = f"`records` that {'requests can delete' if deletes else 'exist before the run'}"
    known = {parameter for each in every() for parameter in each.values}
    named = [f'"path.{name}"' for name in re.findall(r"{(\w+)}", path) if deletes or f"path.{name}" not in known]
    values = f", and `{'only' if deletes else 'values'}` that name them for {' and '.join(named)}" if named else ""
    return f"{label}: FUZZ in {module} needs {needs}{values}"


def _module(operation: dict[str, Any]) -> str:
    """Return the path of the module of the operation's package. An operation's tag is its package."""
    return f"tools/checks/fuzz/{operation['tags'][0].replace('-', '_')}.py"


def missing_entries(operation: str, problem: dict[str, Any]) -> list[str]:
    """Return the entries that FUZZ lacks to explain a refusal."""
    slug = str(problem["type"]).removeprefix("/problems/")
    if slug != "invalid":
        return [] if slug in PROBLEMS else [f'problems={{"{slug}": "why"}}']
    places = [str(error["pointer"]) for error in problem.get("errors", ())] or ["#"]
    return [f'rules={{("{operation}", "{place}"): "why"}}' for place in places if not _has_rule(operation, place)]


def _has_rule(operation: str, place: str) -> bool:
    return any(re.fullmatch(names, operation) and re.fullmatch(places, place) for names, places in RULES)
