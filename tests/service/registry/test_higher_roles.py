"""Some requests need a higher role than their operation."""

import pytest

from tests.service.deployments.records import an_artifact
from tests.support.claims import ISSUER

DEPLOYMENTS = "/v1/systems/azul/deployments"
VERIFICATIONS = "/v1/systems/azul/verifications"
PROMOTIONS = "/v1/systems/azul/promotions"
OVER = {"started_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:00:00Z"}
TARGET = {"environment": "development", "artifact": an_artifact()}
IMPORT = {**TARGET, **OVER, "imported": True, "state": "succeeded"}
OVERRIDE = {**TARGET, "override_reason": "The incident can't wait"}
IMPORTED_VERIFICATION = {
    **TARGET,
    **OVER,
    "imported": True,
    "suite": "acceptance",
    "trigger": "manual",
    "outcome": "success",
}


@pytest.mark.parametrize(
    ("path", "body"),
    [(DEPLOYMENTS, IMPORT), (DEPLOYMENTS, OVERRIDE), (VERIFICATIONS, IMPORTED_VERIFICATION)],
    ids=["imported deployment", "override", "imported verification"],
)
def test_imports_and_overrides_need_a_maintainer_of_the_system(api, given, path, body):
    given.the_usual()
    if path == VERIFICATIONS:
        given.an_import()

    assert api.as_("pipeline").post(path, body).problem == "forbidden"
    assert api.as_("maintainer", of="blue").post(path, body).problem == "forbidden"
    assert api.get(path)["items"] == []
    assert api.as_("maintainer").post(path, body).status == 201


def test_a_pipeline_may_open_a_plain_deployment(api, given):
    given.the_usual()

    assert api.as_("pipeline").post(DEPLOYMENTS, TARGET).status == 201


def test_a_recorded_decision_needs_a_pipeline_and_a_dry_run_a_viewer(api, given):
    given.the_usual()

    assert api.as_("viewer").post(PROMOTIONS, {**TARGET, "dry_run": True}).status == 200
    assert api.as_("pipeline", of="blue").post(PROMOTIONS, {**TARGET, "dry_run": True}).status == 200
    assert api.as_("viewer").post(PROMOTIONS, TARGET).problem == "forbidden"
    assert api.as_("pipeline", of="blue").post(PROMOTIONS, TARGET).problem == "forbidden"
    assert api.get(PROMOTIONS)["items"] == []
    assert api.as_("pipeline").post(PROMOTIONS, TARGET).status == 200


def test_a_record_names_the_caller_as_its_creator(api, given):
    given.the_usual()

    opened = api.as_("pipeline", sub="repo:azul:main").post(DEPLOYMENTS, TARGET)

    assert opened["created_by"] == "repo:azul:main"
    assert given.sql("SELECT issuer FROM deployments") == [(ISSUER,)]
