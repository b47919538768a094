"""In an emulated account: Terraform publishes a version of changed code, and leaves the alias where it points."""

import base64
import hashlib
import json
import shutil
import zipfile

import pytest

from tools.aws.terraform import missing, terraform
from tools.checkout import ROOT

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")

FUNCTION = {"handler": "app.answer", "memory_size": 128, "timeout": 3, "environment": {}}
VARIABLES = {
    "name": "slipway-development",
    "stage": "development",
    "subnet_ids": ["subnet-1", "subnet-2"],
    "security_group_ids": ["sg-1"],
    "issuers": "[]",
    "log_retention_days": 14,
    "throttling": {"rate": 1, "burst": 1},
    "schedules_enabled": False,
    "database": {"host": "db.example", "port": 5432, "name": "slipway", "resource_id": "cluster-A"},
    "bootstrap": None,
}


@pytest.fixture
def module(tmp_path, client):
    """infra/modules/api, told of one function outside of the VPC."""
    folder = tmp_path / "api"
    shutil.copytree(
        ROOT / "infra" / "modules" / "api",
        folder,
        ignore=shutil.ignore_patterns(".terraform*", "tests", "generated.tf.json", "deployment.zip"),
    )
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    (folder / "terraform.tfvars.json").write_text(json.dumps({**VARIABLES, "kms_key_arn": key}))
    answer = terraform(["init", "-input=false"], folder)
    assert answer.returncode == 0, answer.stderr
    return folder


def apply(module, emulated, code):
    with zipfile.ZipFile(module / "deployment.zip", "w") as package:
        package.writestr("app.py", code)
    digest = hashlib.sha256((module / "deployment.zip").read_bytes())
    package = {
        "stage": "development",
        "digest": digest.hexdigest(),
        "source_code_hash": base64.b64encode(digest.digest()).decode(),
        "runtime": "python3.13",
        "architecture": "x86_64",
        "minimum_compression_size": None,
    }
    composed = {"package": package, "functions": {"authorizer": FUNCTION}, "schedules": {}, "openapi": {}}
    (module / "generated.tf.json").write_text(json.dumps({"locals": composed}))
    target = "-target=aws_lambda_alias.live"
    answer = terraform(["apply", "-input=false", "-auto-approve", "-no-color", target], module, emulated)
    assert answer.returncode == 0, answer.stderr


def test_an_apply_of_changed_code_publishes_it_and_does_not_serve_it(module, emulated, client):
    functions = client("lambda")

    apply(module, emulated, "first = 1")
    apply(module, emulated, "second = 2")

    versions = functions.list_versions_by_function(FunctionName="slipway-development-authorizer")["Versions"]
    assert {version["Version"] for version in versions} == {"$LATEST", "1", "2"}
    alias = functions.get_alias(FunctionName="slipway-development-authorizer", Name="live")
    assert alias["FunctionVersion"] == "1"
