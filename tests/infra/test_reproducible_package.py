"""A package has only locked wheels, and the same sources give the same bytes."""

import hashlib
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.packaged import sources
from tools.checkout import ToolError
from tools.package import compose


def test_two_checkouts_and_two_stages_give_one_digest(tmp_path: Path) -> None:
    one = compose.package("production", tmp_path / "a", sources(tmp_path / "one"))
    other = compose.package("development", tmp_path / "b", sources(tmp_path / "other"))

    assert one == other
    assert (tmp_path / "a" / "deployment.zip").read_bytes() == (tmp_path / "b" / "deployment.zip").read_bytes()


def a_wheel(folder: Path, name: str, needs: str = "") -> str:
    """Put version 1 of a package into a folder, and return the package's line for requirements.txt."""
    path = folder / f"{name}-1-py3-none-any.whl"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n" + (f"Requires-Dist: {needs}\n" if needs else "")
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        wheel.writestr(f"{name}-1.dist-info/METADATA", metadata)
        wheel.writestr(f"{name}-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{name}-1.dist-info/RECORD", "")
    return locked(path)


def locked(path: Path) -> str:
    return f"{path.name.partition('-')[0]}==1 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that pip takes packages from."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.mark.slow
def test_stages_packaged_together_or_alone_get_the_same_package(tmp_path: Path, index: Path) -> None:
    root = sources(tmp_path / "checkout")
    (root / "requirements.txt").write_text(f"{a_wheel(index, 'hull', needs='keel')}\n{a_wheel(index, 'keel')}\n")
    together = {stage: tmp_path / stage for stage in ("development", "production")}
    compose.packages(together, root)
    for stage, module in together.items():
        compose.package(stage, tmp_path / "alone", root)

        for name in ("generated.tf.json", "deployment.zip"):
            assert (module / name).read_bytes() == (tmp_path / "alone" / name).read_bytes(), (
                f"{name} of {stage} differs: keep the stages apart in compose.packages"
            )
    with zipfile.ZipFile(tmp_path / "production" / "deployment.zip") as package:
        assert {"hull.py", "keel.py"} <= set(package.namelist())


def a_changed_wheel(index: Path) -> str:
    line = a_wheel(index, "hull")
    a_wheel(index, "hull", needs="somewhat")
    return line


def a_dependency_that_is_not_locked(index: Path) -> str:
    a_wheel(index, "keel")
    return a_wheel(index, "hull", needs="keel")


def a_line_without_a_hash(index: Path) -> str:
    return a_wheel(index, "hull").partition(" ")[0]


def a_wheel_for_this_machine_alone(index: Path) -> str:
    a_wheel(index, "hull")
    return locked((index / "hull-1-py3-none-any.whl").rename(index / "hull-1-py3-none-linux_x86_64.whl"))


def a_source_to_build_from(index: Path) -> str:
    (index / "setup.py").write_text("from setuptools import setup; setup(name='hull', version='1')")
    with tarfile.open(index / "hull-1.tar.gz", "w:gz") as source:
        source.add(index / "setup.py", "hull-1/setup.py")
    return locked(index / "hull-1.tar.gz")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("requirement", "reason"),
    [
        (a_changed_wheel, "HASHES"),
        (a_dependency_that_is_not_locked, "keel"),
        (a_line_without_a_hash, "hull==1"),
        (a_wheel_for_this_machine_alone, "hull==1"),
        (a_source_to_build_from, "hull==1"),
    ],
)
def test_only_wheels_named_in_the_lock_are_packaged(
    tmp_path: Path, index: Path, requirement: Callable[[Path], str], reason: str
) -> None:
    root = sources(tmp_path / "checkout")
    (root / "requirements.txt").write_text(requirement(index))

    with pytest.raises(ToolError, match=reason):
        compose.package("production", tmp_path / "module", root)


def test_order_times_and_modes_of_files_do_not_change_the_package(tmp_path: Path) -> None:
    for name, order in {"one.zip": ("a.py", "b", "b.pyc"), "other.zip": ("b", "a.py")}.items():
        with zipfile.ZipFile(tmp_path / name, "w") as given:
            for index, each in enumerate(order):
                entry = zipfile.ZipInfo(each, date_time=(2020 + index, 1, 1, 0, 0, 0))
                entry.external_attr = (0o100600 + index) << 16
                given.writestr(entry, each)
        compose.normalize(tmp_path / name, tmp_path / f"normal-{name}")

    assert (tmp_path / "normal-one.zip").read_bytes() == (tmp_path / "normal-other.zip").read_bytes()


def test_a_cold_start_uses_the_packages_bytecode_instead_of_compiling(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("print('compiled before')")
    (tmp_path / "not_python.py").write_text("{{ a template }}")
    compose.add_bytecode(tmp_path)
    (tmp_path / "module.py").write_text("print('compiled now')")

    ran = subprocess.run([sys.executable, "-c", "import module"], cwd=tmp_path, env={}, capture_output=True, text=True)

    assert ran.stdout == "compiled before\n", ran.stderr


def test_bytecode_depends_on_the_source_alone(tmp_path: Path) -> None:
    made = []
    for name in ("one", "other"):
        module = tmp_path / name / "module.py"
        module.parent.mkdir()
        module.write_text(
            "NAMES = frozenset(['a', 'b', 'c'])\ndef first(name='a long text'): return name in {'d', 'e', 'f'}"
        )
        os.utime(module, (len(made), len(made)))
        compose.add_bytecode(module.parent)
        made += [path.read_bytes() for path in module.parent.rglob("*.pyc")]

    assert made[0] == made[1]
    assert str(tmp_path).encode() not in made[0]
