"""Run the command of docs/branching.md that packages a commit and stores the package in a bucket."""

import hashlib
import json
import os
import re
import shutil
import subprocess

import pytest

from tests.support.checkout import ROOT
from tests.support.page import script, sh
from tools.local.emulation import REGION
from tools.package.compose import LEFT_OUT

BUCKET = "service-artifacts-of-the-page"


@pytest.fixture
def checkout(tmp_path):
    """A Git repository with one commit of the files that the command needs."""
    folder = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("__pycache__", ".terraform", "generated.tf.json", "deployment.zip")
    for name in ("chalicelib", "tools", "infra", ".chalice"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in (".gitignore", "app.py", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, folder / name)
    git = ["git", "-c", "user.name=Jane", "-c", "user.email=jane@example.org"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "First"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    return folder


@pytest.fixture
def bucket(client):
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})


@pytest.mark.slow
def test_one_real_package_serves_all_stages_is_stored_and_lists_its_contents(
    checkout, bucket, client, emulated, emulated_port
):
    environ = {**os.environ, **emulated, "ARTIFACT_BUCKET": BUCKET, "EMULATED": str(emulated_port)}

    artifact = script("branching.md", "Branches", ".local/venv/bin/python -m tools pipeline artifact")
    said = sh(artifact, checkout, environ, seconds=300)

    [tree] = re.findall("^artifact=tree:(.+)$", said, re.MULTILINE)
    assert [each["Key"] for each in client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]] == [f"{tree}/package.zip"]
    folder = checkout / ".local" / "artifact"
    digest = hashlib.sha256((folder / "production" / "deployment.zip").read_bytes()).hexdigest()
    bill = json.loads((folder / "sbom.cdx.json").read_text())
    components = {each["name"].lower(): each["version"] for each in bill["components"]}
    required = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert bill["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": digest}]
    assert required.pop(LEFT_OUT)
    assert components == {**required, "chalice": components["chalice"]}
    assert f"chalice=={components['chalice']} " in (ROOT / "requirements-dev.txt").read_text()
    assert all(each["purl"] == f"pkg:pypi/{each['name'].lower()}@{each['version']}" for each in bill["components"])
