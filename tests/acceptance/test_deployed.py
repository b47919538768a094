"""The service runs what was deployed: it knows its package of itself, and the caller knows what should run."""

import pytest

from tools.local.acceptance.service import Service


def test_the_package_that_runs_is_the_one_that_was_deployed(service: Service) -> None:
    if service.settings.digest is None:
        pytest.skip("DIGEST is not set: set DIGEST to the digest of the package that should run")

    answer = service.ask("GET", "/v1/health", authorization=None).expect(200)

    found = answer.json.get("package")
    assert found == service.settings.digest, (
        f"{answer}: {found} runs, but {service.settings.digest} was deployed last: read the latest runs of the "
        "workflow Deploy, and look for a rollback by hand"
    )
