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
    "chalicelib.database.migrate",
    "botocore",
    # registry
    "chalicelib.metrics.store",
    # /registry
)


@pytest.fixture(scope="module")
def loaded():
    """The modules that `import app` loads in a new process."""
    script = "import app, sys; print(*sys.modules)"
    return set(subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, text=True).split())


def test_the_garbage_collector_rests_during_the_imports_and_works_afterwards():
    script = """
import gc
seen = []
gc.callbacks.append(lambda phase, info: seen.append(phase))
import app
print(len(seen), gc.isenabled(), gc.get_freeze_count() > 0)
"""
    printed = subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, text=True)
    assert printed.split() == ["0", "True", "True"]


@pytest.mark.parametrize("module", NOT_LOADED)
def test_a_cold_start_does_not_load_modules_that_few_requests_need(loaded, module):
    assert "chalicelib.rest.operation" in loaded
    assert not {name for name in loaded if name == module or name.startswith(f"{module}.")}
