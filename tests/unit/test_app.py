"""What a cold start loads: every request to a new function waits for it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# The authorizer function verifies tokens, AWS's library is for tools.
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
    """The modules that importing the app leaves in a new process."""
    script = "import app, sys; print(*sys.modules)"
    return set(subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, text=True).split())


@pytest.mark.parametrize("module", NOT_LOADED)
def test_a_cold_start_does_not_wait_for_what_few_requests_need(loaded, module):
    assert "chalicelib.rest.operation" in loaded
    assert not {name for name in loaded if name == module or name.startswith(f"{module}.")}
