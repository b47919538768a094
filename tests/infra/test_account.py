"""infra/account: what its own tests say, and the order of a first deployment in an emulated account of its own."""

import shutil
from pathlib import Path

import pytest

from devtools.state import ROOT
from infra.tools.terraform import missing, terraform

ACCOUNT = ROOT / "infra" / "account"

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, since Terraform writes into the folder that it works in."""
    folder = tmp_path_factory.mktemp("account") / "account"
    shutil.copytree(ACCOUNT, folder, ignore=shutil.ignore_patterns(".terraform"))
    answer = terraform(["init", "-backend=false", "-input=false", "-no-color"], folder)
    assert answer.returncode == 0, answer.stderr
    return folder


def test_what_an_account_is_given(initialised: Path) -> None:
    answer = terraform(["test", "-no-color"], initialised)

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_it_is_valid_without_a_warning(initialised: Path) -> None:
    answer = terraform(["validate", "-no-color"], initialised)

    assert answer.returncode == 0, answer.stderr
    assert "Warning" not in answer.stdout + answer.stderr
