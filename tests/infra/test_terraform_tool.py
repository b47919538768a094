"""Terraform takes its provider from a mirror or the registry, but not from folders that other users can change."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.aws import terraform
from tools.aws.terraform import AWS_PROVIDER
from tools.checkout import ROOT

TARGET = {"x86_64": "linux_amd64", "aarch64": "linux_arm64"}.get(platform.machine(), "linux_amd64")

pytestmark = pytest.mark.skipif(
    platform.system() != "Linux", reason="this machine does not run Linux: run these tests on Linux"
)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform, "STATE", tmp_path / "state")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root folder of a made-up machine. Only this user can write there. The registry does not answer."""
    monkeypatch.setattr(terraform, "_registry_answers", lambda: False)
    top = tmp_path / "machine"
    top.mkdir(mode=0o755)
    monkeypatch.setattr(terraform, "found_mirror", lambda environ: FOUND_MIRROR(environ, top))
    return top


FOUND_MIRROR = terraform.found_mirror


def a_mirror(folder: Path, version: str = AWS_PROVIDER) -> Path:
    """Make a mirror with one provider in a folder, and return the path of the provider's program."""
    provider = folder / "registry.terraform.io" / "hashicorp" / "aws" / version / TARGET
    old = os.umask(0o022)
    provider.mkdir(parents=True)
    (provider / f"terraform-provider-aws_v{version}_x5").touch(mode=0o755)
    os.umask(old)
    return provider / f"terraform-provider-aws_v{version}_x5"


def source(environ: dict[str, str]) -> str:
    """Return the configuration that Terraform would read."""
    return Path(terraform.environment(environ)["TF_CLI_CONFIG_FILE"]).read_text()


def test_places_are_searched_in_this_order(
    tmp_path: Path, machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = machine / "home"
    environ = {"HOME": str(home)}
    places = [
        home / ".terraform.d" / "plugins",
        home / ".local" / "share" / "terraform" / "plugins",
        machine / "usr" / "local" / "share" / "terraform" / "plugins",
        machine / "usr" / "share" / "terraform" / "plugins",
        machine / "opt" / "tf-plugins",
        machine / "usr" / "local" / "share" / "mirror",
    ]

    assert "direct {}" in source(environ)
    for place in reversed(places):
        a_mirror(place)
        assert f'"{place}"' in source(environ)
        assert str(place) in capsys.readouterr().err
    monkeypatch.setattr(terraform, "_registry_answers", lambda: True)
    assert "direct {}" in source(environ)
    assert f'"{tmp_path}"' in source({**environ, "TF_PLUGIN_MIRROR": str(tmp_path)})
    for name, variables in {".terraformrc": {}, "mine.tfrc": {"TF_CLI_CONFIG_FILE": str(home / "mine.tfrc")}}.items():
        (home / name).write_text("")
        found = terraform.environment({**environ, **variables, "TF_PLUGIN_MIRROR": str(tmp_path)})
        assert found.get("TF_CLI_CONFIG_FILE") == variables.get("TF_CLI_CONFIG_FILE")


def test_the_xdg_variables_set_the_shared_folders(machine: Path) -> None:
    shared = {"XDG_DATA_HOME": str(machine / "mine"), "XDG_DATA_DIRS": f"{machine}/a:{machine}/b"}
    for folder in ("b", "a", "mine"):
        a_mirror(machine / folder / "terraform" / "plugins")
        assert f'"{machine / folder}/terraform/plugins"' in source({"HOME": str(machine), **shared})


def test_a_packed_provider_is_used_and_another_version_is_not(machine: Path) -> None:
    a_mirror(machine / "opt" / "a", version="5.99.0")
    packed = machine / "opt" / "b" / "registry.terraform.io" / "hashicorp" / "aws"
    packed.mkdir(parents=True)
    (packed / f"terraform-provider-aws_{AWS_PROVIDER}_{TARGET}.zip").touch()

    assert f'"{machine / "opt" / "b"}"' in source({"HOME": str(machine)})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner of a file: run this test as root")
@pytest.mark.parametrize("depth", range(9))
def test_a_program_that_somebody_else_owns_is_never_run(machine: Path, depth: int) -> None:
    program = a_mirror(machine / "opt" / "mirror")
    os.chown([program, *program.parents][depth], 12345, -1)

    assert "direct {}" in source({"HOME": str(machine)})


@pytest.mark.parametrize("mode", [0o757, 0o775, 0o1777])
@pytest.mark.parametrize("depth", range(9))
def test_a_program_that_somebody_else_can_change_is_never_run(machine: Path, depth: int, mode: int) -> None:
    program = a_mirror(machine / "opt" / "mirror")
    [program, *program.parents][depth].chmod(mode)

    assert "direct {}" in source({"HOME": str(machine)})


@pytest.mark.parametrize("depth", range(8))
def test_a_link_to_a_folder_that_everybody_can_write_is_not_followed(tmp_path: Path, machine: Path, depth: int) -> None:
    writable = tmp_path / "writable"
    planted = a_mirror(writable / "opt" / "mirror")
    writable.chmod(0o1777)
    ours = a_mirror(machine / "opt" / "mirror")
    link, target = [ours, *ours.parents][depth], [planted, *planted.parents][depth]
    link.rename(tmp_path / "moved")
    link.symlink_to(target)

    assert "direct {}" in source({"HOME": str(machine)})


def test_the_path_given_to_terraform_contains_no_link(machine: Path) -> None:
    a_mirror(machine / "good")
    mirror = machine / "opt" / "mirror"
    mirror.mkdir(parents=True)
    (mirror / "registry.terraform.io").symlink_to(machine / "good" / "registry.terraform.io")
    assert f'"{machine / "good"}"' in source({"HOME": str(machine)})

    (mirror / "registry.terraform.io").unlink()
    program = a_mirror(mirror)
    program.parent.rename(machine / "elsewhere")
    program.parent.symlink_to(machine / "elsewhere")
    assert "direct {}" in source({"HOME": str(machine)})


def test_a_folder_below_tmp_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    everybodys = next((each for each in tmp_path.parents if each.stat().st_mode & 0o002), None)
    if everybodys is None:
        pytest.skip(
            "no parent of the tests' folder is writable for everybody: run this test with --basetemp below /tmp"
        )
    monkeypatch.setattr(terraform, "_registry_answers", lambda: False)
    a_mirror(tmp_path / "planted" / "terraform" / "plugins")

    found = terraform.found_mirror({"HOME": "/nonexistent", "XDG_DATA_DIRS": str(tmp_path / "planted")})

    assert found is None or tmp_path not in found.parents


def test_without_a_mirror_providers_are_downloaded_once_for_all_folders(machine: Path) -> None:
    found = terraform.environment({"TF_CLI_CONFIG_FILE": str(machine / "missing"), "HOME": str(machine)})

    assert Path(found["TF_PLUGIN_CACHE_DIR"]).is_dir()


def test_a_missing_terraform_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    terraform.missing.cache_clear()
    monkeypatch.setenv("PATH", "/nowhere")

    reason = terraform.missing()
    terraform.missing.cache_clear()

    assert reason is not None
    assert "terraform" in reason


def test_a_missing_provider_is_reported(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on the PATH: install Terraform")
    terraform.missing.cache_clear()
    monkeypatch.setenv("HOME", str(machine))
    for name in ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_MIRROR", "XDG_DATA_HOME", "XDG_DATA_DIRS"):
        monkeypatch.delenv(name, raising=False)

    reason = terraform.missing()
    terraform.missing.cache_clear()

    assert reason is not None
    assert AWS_PROVIDER in reason


_APPLIES = """
from pathlib import Path
from tools.aws import terraform
answer = terraform.terraform(["apply"], Path(), {"TF_CLI_CONFIG_FILE": "terraformrc"}, capture=False)
Path("ended").write_text(str(answer.returncode))
"""


def test_terraform_goes_on_when_the_reader_of_its_output_ends(tmp_path: Path) -> None:
    program = tmp_path / "terraform"
    program.write_text("#!/bin/sh\nfor line in $(seq 20000); do echo $line; done\ntouch applied\n")
    program.chmod(0o755)
    (tmp_path / "terraformrc").touch()
    line = f"{sys.executable} -c '{_APPLIES}' | head -1"

    done = subprocess.run(
        ["bash", "-c", line],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.stdout, done.stderr) == ("1\n", "")
    assert (tmp_path / "applied").exists()
    assert (tmp_path / "ended").read_text() == "0"
