"""This repository's pipeline records the tree of its checkout."""

from typing import Any

import pytest

from tests.service.deployments.records import an_artifact
from tests.support.given import Given
from tools.pipeline import artifact, records


def test_a_deployment_opens_with_the_checkouts_tree(step: Any, given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact, "tree", lambda: an_artifact("checked out"))

    records.deployment_open({**step.variables, "ARTIFACT": ""})

    assert given.sql("SELECT artifact FROM deployments") == [(an_artifact("checked out"),)]
