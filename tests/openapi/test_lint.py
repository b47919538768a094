"""Redocly finds no fault in the OpenAPI document, and finds each fault in a broken document."""

import json
from pathlib import Path

import pytest

from tools.checks import npm
from tools.checks.openapi import lint
from tools.checks.openapi.file import PATH

pytestmark = pytest.mark.skipif(npm.missing() is not None, reason=f"OpenAPI: {npm.missing()}")


def test_redocly_finds_no_fault() -> None:
    assert list(lint.faults(PATH)) == []


def test_redocly_finds_each_fault(tmp_path: Path) -> None:
    document = json.loads(PATH.read_text())
    del document["info"]["license"]  # a warning
    document["components"]["examples"] = {"Unused": {"value": 1}}
    document["paths"]["/v1/health"]["get"]["operationId"] = "get_me"  # an error
    broken = tmp_path / "openapi.json"
    broken.write_text(json.dumps(document))

    rules = {fault.rpartition("(")[2].rstrip(")") for fault in lint.faults(broken)}

    assert rules == {"info-license", "no-unused-components", "operation-operationId-unique"}
