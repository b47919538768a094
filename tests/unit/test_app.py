"""A cold start loads few modules, because the first request to a new process waits for them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Only the authorizer verifies tokens. Only tools and the functions for maintenance use the AWS SDK.
NOT_LOADED = (
    "jwt",
    "cryptography",
    "chalicelib.identity.keys",
    "chalicelib.identity.published_keys",
    "chalicelib.identity.fetching",
    "boto3",
    "botocore",
)


@pytest.fixture(scope="module")
def loaded():
    """The modules that `import app` loads in a new process."""
    script = "import app, sys; print(*sys.modules)"
    return set(subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, text=True).split())


@pytest.mark.parametrize("module", NOT_LOADED)
def test_a_cold_start_does_not_load_modules_that_few_requests_need(loaded, module):
    assert "chalicelib.rest.operation" in loaded
    assert not {name for name in loaded if name == module or name.startswith(f"{module}.")}
