"""The outcome of a slow check is kept until its inputs change, such as the sources of a Terraform test."""

import os
import time
from pathlib import Path

import pytest

from tools.checks import kept

FILES = {
    "production/main.tf": 'module "main" {\n  source = "../modules/main"\n}\n',
    "production/tests/a.tftest.hcl": 'mock_provider "aws" {\n  source = "../modules/mocks"\n}\n',
    "production/tests/b.tftest.hcl": "",
    "production/terraform.tfvars.json": "{}",
    "production/.terraform/modules/modules.json": "{}",
    "modules/main/main.tf": 'module "site" {\n  source = "../site"\n}\n',
    "modules/site/viewer.js": "",
    "modules/site/tests/site.tftest.hcl": "",
    "modules/mocks/aws.tfmock.hcl": "",
    "modules/other/main.tf": "",
}


@pytest.fixture
def infra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kept, "FOLDER", tmp_path / "kept")
    (tmp_path / "terraform").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name, text in FILES.items():
        path = tmp_path / "infra" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "infra"


def outcome(infra: Path, answer: str, file: str = "tests/a.tftest.hcl", *others: object) -> str:
    return kept.once(lambda: answer, kept.sources(infra / "production", file), *others)


def test_a_test_of_the_same_sources_does_not_run_again(infra: Path) -> None:
    outcome(infra, "first")
    moved = infra.rename(infra.with_name("copy"))

    assert outcome(moved, "second") == "first"


@pytest.mark.parametrize("name", FILES)
def test_a_test_runs_again_if_terraform_reads_a_file_that_changed(infra: Path, name: str) -> None:
    outcome(infra, "first")
    with (infra / name).open("a") as file:
        file.write("\n")

    unread = ("b.tftest", "site.tftest", ".terraform", "modules/other")
    assert outcome(infra, "second") == ("first" if any(each in name for each in unread) else "second")


def test_a_new_file_and_another_terraform_run_the_test_again(infra: Path) -> None:
    outcome(infra, "first")
    (infra / "modules/site/new.tf").touch()
    assert outcome(infra, "second") == "second"

    (infra.parent / "terraform").write_text("new")
    assert outcome(infra, "third") == "third"


def test_other_files_and_other_settings_have_outcomes_of_their_own(infra: Path) -> None:
    outcome(infra, "first")

    assert outcome(infra, "second", "tests/b.tftest.hcl") == "second"
    assert outcome(infra, "third", "tests/a.tftest.hcl", "w-ann") == "third"
    assert outcome(infra, "fourth") == "first"


def test_a_failure_is_not_kept(infra: Path) -> None:
    def fails() -> str:
        raise AssertionError

    with pytest.raises(AssertionError):
        kept.once(fails, kept.sources(infra / "production", "tests/a.tftest.hcl"))

    assert outcome(infra, "second") == "second"


def test_an_outcome_that_is_not_final_is_not_kept(infra: Path) -> None:
    assert kept.once(lambda: "crashed", "x", final=lambda text: text != "crashed") == "crashed"
    assert kept.once(lambda: "passed", "x") == "passed"


def test_each_file_of_a_folder_has_a_hash(infra: Path) -> None:
    before = kept.hashes(infra)
    (infra / "modules/site/viewer.js").write_text("new")
    after = kept.hashes(infra)

    assert before.keys() == {each for each in FILES if ".terraform/" not in each}
    assert {each for each in before if before[each] != after[each]} == {"modules/site/viewer.js"}


def test_an_outcome_that_nothing_uses_is_deleted(infra: Path) -> None:
    outcome(infra, "first")
    outcome(infra, "used", "tests/a.tftest.hcl", "used")
    for each in kept.FOLDER.iterdir():
        os.utime(each, (time.time() - 30 * 86400,) * 2)
    outcome(infra, "used again", "tests/a.tftest.hcl", "used")

    outcome(infra, "new", "tests/b.tftest.hcl")

    assert outcome(infra, "second") == "second"
    assert outcome(infra, "third", "tests/a.tftest.hcl", "used") == "used"
