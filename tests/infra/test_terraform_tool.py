"""Where Terraform gets its provider from."""

import platform
from pathlib import Path

import pytest

from tools.aws import terraform
from tools.aws.terraform import AWS_PROVIDER

TARGET = {"x86_64": "linux_amd64", "aarch64": "linux_arm64"}.get(platform.machine(), "linux_amd64")

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="the folders are named for Linux")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform, "STATE", tmp_path / "state")


def registry(monkeypatch: pytest.MonkeyPatch, *, answers: bool) -> None:
    monkeypatch.setattr(terraform, "_registry_answers", lambda: answers)


def a_mirror(folder: Path, version: str = AWS_PROVIDER) -> Path:
    (folder / "registry.terraform.io" / "hashicorp" / "aws" / version / TARGET).mkdir(parents=True)
    return folder


def test_a_cli_configuration_decides_even_without_a_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry(monkeypatch, answers=False)
    configuration = tmp_path / "terraform.rc"
    configuration.write_text("")

    found = terraform.environment({"TF_CLI_CONFIG_FILE": str(configuration)})

    assert found["TF_CLI_CONFIG_FILE"] == str(configuration)


def test_a_named_mirror_goes_before_the_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry(monkeypatch, answers=True)

    found = terraform.environment({"TF_PLUGIN_MIRROR": str(tmp_path), "HOME": str(tmp_path)})

    assert f'path = "{tmp_path}"' in Path(found["TF_CLI_CONFIG_FILE"]).read_text()


def test_a_configuration_that_does_not_exist_is_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry(monkeypatch, answers=True)

    found = terraform.environment({"TF_CLI_CONFIG_FILE": str(tmp_path / "missing"), "HOME": str(tmp_path)})

    assert "TF_CLI_CONFIG_FILE" not in found
    assert Path(found["TF_PLUGIN_CACHE_DIR"]).is_dir()


def test_without_a_way_out_a_mirror_is_found_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    registry(monkeypatch, answers=False)
    mirror = a_mirror(tmp_path / "share" / "plugins")
    monkeypatch.setattr(terraform, "mirrors", lambda: iter([mirror]))
    terraform._found.cache_clear()

    found = terraform.environment({"HOME": str(tmp_path)})
    terraform._found.cache_clear()

    assert f'path = "{mirror}"' in Path(found["TF_CLI_CONFIG_FILE"]).read_text()
    assert str(mirror) in capsys.readouterr().err


def test_the_search_is_shallow_and_wants_the_version(tmp_path: Path) -> None:
    near = a_mirror(tmp_path / "a" / "plugins")
    a_mirror(tmp_path / "b" / "plugins", version="5.99.0")
    a_mirror(tmp_path / "c" / "too" / "deep")
    a_mirror(tmp_path / "proc" / "plugins")

    assert list(terraform.mirrors(tmp_path, home=tmp_path / "home")) == [near]


def test_a_terraform_that_is_not_there_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    terraform.missing.cache_clear()
    monkeypatch.setenv("PATH", "/nowhere")

    reason = terraform.missing()
    terraform.missing.cache_clear()

    assert reason is not None
    assert "terraform" in reason


def test_without_a_provider_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if terraform.missing():
        pytest.skip("there is no terraform on the PATH to ask for its version")
    terraform.missing.cache_clear()
    registry(monkeypatch, answers=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    monkeypatch.delenv("TF_PLUGIN_MIRROR", raising=False)
    monkeypatch.setattr(terraform, "_found", lambda: None)

    reason = terraform.missing()
    terraform.missing.cache_clear()

    assert reason is not None
    assert AWS_PROVIDER in reason
