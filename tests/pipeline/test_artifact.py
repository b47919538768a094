"""The first job packages a tree. All later jobs with this tree deploy the same package."""

import hashlib
import io
import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.pipeline.account import BUCKET
from tools.checkout import ToolError
from tools.package import compose
from tools.pipeline import artifact
from tools.pipeline.artifact import Store

PYTHON = f"python{compose.PYTHON[0]}.{compose.PYTHON[1]}"


class Job:
    """A job on the checkout `root`. The steps `find()` and `keep()` return their outputs."""

    def __init__(self, root: Path, folder: Path, **variables: str) -> None:
        self.root, self.folder = root, folder
        folder.mkdir()
        self._output = folder / "output"
        self.environ = {"ARTIFACT_BUCKET": BUCKET, "GITHUB_OUTPUT": str(self._output), **variables}

    def find(self, **variables: str) -> dict[str, str]:
        return self._run(artifact.find_or_make, variables)

    def keep(self, **variables: str) -> dict[str, str]:
        return self._run(artifact.keep, variables)

    def _run(self, step: Callable[..., None], variables: dict[str, str]) -> dict[str, str]:
        self._output.write_text("")
        step({**self.environ, **variables}, self.folder / "artifact", self.root)
        return dict(line.split("=", 1) for line in self._output.read_text().splitlines())


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "app.py").write_text("first")
    git(root, "init", "-q")
    commit(root, "First")
    return root


@pytest.fixture
def packaged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the packaging with a fast stand-in, and list the packaged stages. Each build makes a different zip."""
    stages: list[str] = []
    made = {"number": 0}

    def packages(modules: dict[str, Path], root: Path) -> str:
        made["number"] += 1
        stages.extend(modules)
        for stage, module in modules.items():
            module.mkdir(parents=True)
            with zipfile.ZipFile(module / "deployment.zip", "w") as code:
                code.writestr(zipfile.ZipInfo("app.py"), f"{(root / 'app.py').read_text()}, build {made['number']}")
            digest = hashlib.sha256((module / "deployment.zip").read_bytes()).hexdigest()
            generated = {"locals": {"package": {"stage": stage, "digest": digest, "runtime": PYTHON}}}
            (module / "generated.tf.json").write_text(json.dumps(generated))
        return digest

    monkeypatch.setattr(compose, "packages", packages)
    return stages


@pytest.fixture
def job(checkout: Path, tmp_path: Path, bucket: Any, packaged: list[str]) -> Callable[..., Job]:
    numbers = iter(range(100))
    return lambda **variables: Job(checkout, tmp_path / f"job-{next(numbers)}", **variables)


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=Jane", "-c", "user.email=jane@example.org", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.strip()


def commit(root: Path, message: str, *options: str) -> str:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message, *options)
    return git(root, "rev-parse", "HEAD")


def objects(bucket: Any) -> list[str]:
    return [each["Key"] for each in bucket.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def test_a_package_is_made_for_all_stages_and_stored(job: Callable[..., Job], packaged: list[str], bucket: Any) -> None:
    first = job()

    outputs = first.find(ENV="development")
    first.keep()

    tree = git(first.root, "rev-parse", "HEAD^{tree}")
    assert outputs["artifact"] == f"tree:{tree}"
    assert outputs["built"] == "true"
    assert packaged == ["development", "preproduction", "production"]
    assert objects(bucket) == [f"{tree}/package.zip"]


def test_another_commit_of_the_same_tree_deploys_the_same_bytes(
    job: Callable[..., Job], packaged: list[str], checkout: Path
) -> None:
    first, sha = job(), git(checkout, "rev-parse", "HEAD")
    built = first.find(ENV="development")
    first.keep()
    packaged.clear()
    merged = commit(checkout, "Merge development into preproduction", "--allow-empty")

    second = job()
    found = second.find(ENV="preproduction")

    assert merged != sha
    assert packaged == []
    assert found == {**built, "built": "false"}
    assert second.keep() == {}
    zips = [each.folder / "artifact" / "deployment.zip" for each in (first, second)]
    assert zips[0].read_bytes() == zips[1].read_bytes()


def test_another_tree_gets_another_package(job: Callable[..., Job], checkout: Path, packaged: list[str]) -> None:
    first = job()
    built = first.find()
    first.keep()
    (checkout / "app.py").write_text("second")
    commit(checkout, "Second")

    found = job().find()

    assert found["built"] == "true"
    assert found["artifact"] != built["artifact"]


def test_two_jobs_at_once_deploy_the_package_that_was_stored_first(job: Callable[..., Job], bucket: Any) -> None:
    fast, slow = job(), job()
    won = fast.find(ENV="development")
    lost = slow.find(ENV="development")
    assert lost["digest"] != won["digest"]
    fast.keep()

    outputs = slow.keep(ENV="development")

    assert outputs == {**won, "built": "false"}
    for place in ("deployment.zip", "development/deployment.zip"):
        assert (slow.folder / "artifact" / place).read_bytes() == (fast.folder / "artifact" / place).read_bytes()
    assert len(objects(bucket)) == 1


def test_a_package_that_lost_is_not_stored_again(job: Callable[..., Job]) -> None:
    fast, slow = job(), job()
    fast.find()
    slow.find()
    fast.keep()
    slow.keep()

    assert slow.keep() == {}


@pytest.mark.parametrize("stage", ["development", "production"])
def test_the_plan_finds_the_package_of_its_stage(job: Callable[..., Job], stage: str) -> None:
    one = job()
    outputs = one.find(ENV=stage)

    folder = one.folder / "artifact" / stage
    told = json.loads((folder / "generated.tf.json").read_text())["locals"]["package"]
    digest = hashlib.sha256((folder / "deployment.zip").read_bytes()).hexdigest()
    assert (told["stage"], f"sha256:{told['digest']}", f"sha256:{digest}") == (
        stage,
        outputs["digest"],
        outputs["digest"],
    )
    assert [path.name for path in folder.parent.iterdir() if path.is_dir()] == [stage]


def test_uncommitted_changes_are_no_artifact(job: Callable[..., Job]) -> None:
    one = job()
    (one.root / "app.py").write_text("changed")

    with pytest.raises(ToolError, match=r"app\.py"):
        one.find()


def test_an_edit_that_git_overlooks_is_not_in_the_package(job: Callable[..., Job]) -> None:
    one = job()
    git(one.root, "update-index", "--assume-unchanged", "app.py")
    (one.root / "app.py").write_text("edited")

    one.find()

    with zipfile.ZipFile(one.folder / "artifact" / "deployment.zip") as package:
        assert package.read("app.py").startswith(b"first, ")


def test_on_github_a_store_is_required(job: Callable[..., Job]) -> None:
    with pytest.raises(ToolError, match="ARTIFACT_BUCKET"):
        job(ARTIFACT_BUCKET="", GITHUB_ACTIONS="true").find()


def test_elsewhere_a_package_may_be_made_without_a_store(job: Callable[..., Job], bucket: Any) -> None:
    one = job(ARTIFACT_BUCKET="")

    assert one.find()["built"] == "true"
    with pytest.raises(ToolError, match="ARTIFACT_BUCKET"):
        one.keep()


def test_only_the_expected_package_is_deployed(job: Callable[..., Job]) -> None:
    one = job()
    outputs = one.find()
    one.keep()

    assert job().find(DIGEST=outputs["digest"])["digest"] == outputs["digest"]
    with pytest.raises(ToolError, match="not DIGEST="):
        job().find(DIGEST=f"sha256:{'0' * 64}")


def test_a_package_of_another_python_is_stored_in_the_emulator_only(
    job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch, bucket: Any
) -> None:
    monkeypatch.setattr(artifact, "_RUNTIME", "python3.99")
    one = job()
    one.find()

    with pytest.raises(ToolError, match=r"python3\.99"):
        one.keep()

    assert objects(bucket) == []


def test_chalices_error_is_shown(job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> str:
        raise ToolError("Chalice failed: correct the code")

    monkeypatch.setattr(compose, "packages", refuse)

    with pytest.raises(ToolError, match="Chalice failed"):
        job().find()


@pytest.mark.parametrize("part", ["deployment.zip", "preproduction.tf.json"])
def test_parts_of_different_packages_are_refused(job: Callable[..., Job], bucket: Any, part: str) -> None:
    one = job()
    one.find()
    content = (one.folder / "artifact" / "made").read_bytes()
    tree = git(one.root, "rev-parse", "HEAD^{tree}")
    bucket.put_object(Bucket=BUCKET, Key=f"{tree}/package.zip", Body=changed(content, part))

    with pytest.raises(ToolError, match="inconsistent"):
        job().find()


def changed(content: bytes, part: str) -> bytes:
    other = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            if name == part:
                text = text.replace(b'"preproduction"', b'"production"') if name.endswith(".json") else text + b"!"
            target.writestr(name, text)
    return other.getvalue()


def test_an_unknown_environment_is_named(job: Callable[..., Job]) -> None:
    with pytest.raises(ToolError, match="staging"):
        job().find(ENV="staging")


class Client:
    """An S3 client whose first `times` calls fail with the error `code`."""

    def __init__(self, code: str, times: int) -> None:
        self.code, self.times, self.asked = code, times, 0

    def put_object(self, **_: Any) -> None:
        self.asked += 1
        if self.asked <= self.times:
            raise ClientError({"Error": {"Code": self.code}}, "PutObject")


@pytest.mark.parametrize(("times", "written"), [(2, True), (99, None)])
def test_a_write_in_progress_is_waited_for(monkeypatch: pytest.MonkeyPatch, times: int, *, written: bool) -> None:
    client = Client("ConditionalRequestConflict", times)
    monkeypatch.setattr(artifact, "client", lambda environ: client)
    pauses: list[float] = []
    store = Store({"ARTIFACT_BUCKET": BUCKET}, pauses.append)

    if written:
        assert store.write("key", b"") is True
        assert pauses == [1, 2]
    else:
        with pytest.raises(ToolError, match="run the command again"):
            store.write("key", b"")


def test_a_bucket_that_refuses_is_an_error(monkeypatch: pytest.MonkeyPatch, bucket: Any) -> None:
    monkeypatch.setattr(artifact, "client", lambda environ: Client("AccessDenied", 99))
    with pytest.raises(ToolError, match="AccessDenied"):
        Store({"ARTIFACT_BUCKET": BUCKET}).write("key", b"")
    monkeypatch.undo()

    with pytest.raises(ToolError, match="NoSuchBucket"):
        Store({"ARTIFACT_BUCKET": "no-such-bucket"}).read("key")
