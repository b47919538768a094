"""Call the deployment package through Lambda's own runtime client, without other packages on Python's path.

The stage is `local`, with the tests' database. Other tests cover IAM tokens and Amazon's certificates.
"""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.checks.lambda_runtime import NotCalled, call
from tools.checks.openapi.file import PATH
from tools.local.gateway_event import Routes, gateway_event
from tools.package import compose

PATHS = ["/v1/ready", "/v1/openapi.json"]
EVENTS = [gateway_event(Routes(PATHS), "GET", path, stage="production") for path in PATHS]


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with production's package. The package's zip is unpacked in `task`."""
    folder = tmp_path_factory.mktemp("module")
    compose.package("production", folder)
    with zipfile.ZipFile(folder / "deployment.zip") as package:
        package.extractall(folder / "task")
    return folder


def test_the_zip_verifies_tokens_without_other_packages(module: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-c", _VERIFY, str(module / "task")], capture_output=True, text=True, check=False
    )

    assert done.stdout == "jane\n", done.stderr


def test_the_zip_answers_alone_through_lambdas_runtime(module: Path, database_url: str) -> None:
    composed = json.loads((module / "generated.tf.json").read_text())["locals"]
    environ = {"SLIPWAY_STAGE": "local", "SLIPWAY_ISSUERS": "[]", "DATABASE_URL": database_url}

    called = call(module / "task", composed["functions"]["api"]["handler"], EVENTS, environ)

    assert [answer["statusCode"] for answer in called.answers] == [200, 200]
    ready, document = (json.loads(answer["body"]) for answer in called.answers)
    assert ready["status"] == "ready"
    assert document == json.loads(PATH.read_text())
    assert called.init > 0
    assert len(called.events) == 2


def test_a_function_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("raise ImportError('a package is missing')")

    with pytest.raises(NotCalled, match="a package is missing"):
        call(tmp_path, "app.app", EVENTS, {})


_VERIFY = """
import sys
sys.path.insert(0, sys.argv[1])
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
keys = {"ES256": ec.generate_private_key(ec.SECP256R1()), "RS256": rsa.generate_private_key(65537, 2048)}
for algorithm, key in keys.items():
    token = jwt.encode({"sub": "jane"}, key, algorithm)
    claims = jwt.decode(token, key.public_key(), [algorithm])
print(claims["sub"])
"""
