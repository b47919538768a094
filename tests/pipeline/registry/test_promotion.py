"""A registry decides on a promotion. The notes in the artifact bucket then count for nothing."""

from typing import Any

import pytest

from tests.pipeline.account import BUCKET
from tests.service.deployments.records import an_artifact
from tests.support.given import Given
from tools.checkout import ToolError
from tools.local.issuer import token
from tools.pipeline import promotion


def test_a_registry_decides_if_there_is_one(bucket: Any, service: str, given: Given) -> None:
    given.the_usual()
    variables = {"ARTIFACT": an_artifact(), "ARTIFACT_BUCKET": BUCKET, "OVERRIDE_REASON": "The login is broken"}
    registry = {"SLIPWAY_URL": service, "SLIPWAY_SYSTEM": "azul", "SLIPWAY_TOKEN": token("pipeline", ["azul"])}
    promotion.note_verified({**variables, "ENV": "development"})

    with pytest.raises(ToolError, match="not-deployed"):
        promotion.may_promote({**variables, **registry, "ENV": "preproduction"})
