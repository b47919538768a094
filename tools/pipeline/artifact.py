"""Build the package of a git tree once, so that every environment deploys the same bytes."""

import hashlib
import io
import json
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from chalicelib import NAME
from tools.aws.emulator.account import emulated_client
from tools.checkout import ENVIRONMENTS, ToolError, UsageError, git
from tools.local import emulation
from tools.package import compose, sbom
from tools.package.tree import NAMED, extract
from tools.slipway_client.runner import put_out, say, summarize, warn

Environ = Mapping[str, str]

FOLDER = compose.ROOT / ".local" / "artifact"

# The package as it is stored and attested. The parts are in the same folder.
PACKAGE = "package.zip"
_ZIP, _GENERATED, _SBOM = "deployment.zip", "generated.tf.json", "sbom.cdx.json"
_MADE = "made"  # a package that is not in the store yet
_RUNTIME = f"python{compose.PYTHON[0]}.{compose.PYTHON[1]}"
_CONFLICTS = 5


class Store:
    """The bucket of packages. Each key starts with the git tree of the package, and is written only once.

    A package is one object, so it is never incomplete.
    """

    def __init__(self, environ: Environ, pause: Callable[[float], None] = time.sleep) -> None:
        self.bucket = environ.get("ARTIFACT_BUCKET", "")
        self._client = client(environ)
        self._pause = pause

    def read(self, key: str) -> bytes | None:
        """Return the object, or None if the key does not exist. Raise ToolError if the bucket can't be read."""
        try:
            content: bytes = self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise ToolError(
                f"{key} can't be read from the bucket {self.bucket}: {error}. Check ARTIFACT_BUCKET "
                "and your permissions"
            ) from None
        return content

    def write(self, key: str, content: bytes) -> bool:
        """Write the object unless the key exists. Return True if the object was written, or raise ToolError."""
        for attempt in range(_CONFLICTS):
            try:
                self._client.put_object(Bucket=self.bucket, Key=key, Body=content, IfNoneMatch="*")
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "PreconditionFailed":
                    return False
                # Another run is writing this key: wait, then try again.
                if code == "ConditionalRequestConflict":
                    self._pause(2**attempt)
                    continue
                raise ToolError(
                    f"{key} can't be written to the bucket {self.bucket}: {error}. Check ARTIFACT_BUCKET "
                    "and your permissions"
                ) from None
            return True
        raise ToolError(f"Other runs kept writing {key}: run the command again")


def find_or_make(environ: Environ, folder: Path = FOLDER, root: Path = compose.ROOT) -> None:
    """Find the package of this git tree in the store, or build it, or raise ToolError. Put the package into `folder`.

    Set the outputs `artifact`, `digest` and `built`.
    """
    artifact = tree(root)
    stage = _stage(environ)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    kept = None
    if environ.get("ARTIFACT_BUCKET"):
        kept = Store(environ).read(_key(artifact))
    elif environ.get("GITHUB_ACTIONS"):
        raise ToolError("ARTIFACT_BUCKET is not set: add it to the repository's variables (docs/first-deployment.md)")
    else:
        warn(environ, "The package is built here and not kept: to keep it, set ARTIFACT_BUCKET")
    if kept is None:
        packaged = _make(artifact, root)
        (folder / _MADE).write_bytes(packaged)
    digest = _install(kept or packaged, folder, stage, artifact)
    if (wanted := environ.get("DIGEST")) and wanted != f"sha256:{digest}":
        raise ToolError(f"The package is sha256:{digest}, not DIGEST={wanted}: run the whole workflow again")
    _tell(environ, artifact, digest, built=kept is None)


def keep(environ: Environ, folder: Path = FOLDER, root: Path = compose.ROOT) -> None:
    """Put a new package into the store, or raise ToolError. If another run has stored a package first, use that one."""
    artifact = tree(root)
    made = folder / _MADE
    if not made.exists():
        say("The package is in the store already")
        return
    store = Store(environ)
    if not store.bucket:
        raise UsageError("There is no store to keep the package in: set ARTIFACT_BUCKET=…")
    content = made.read_bytes()
    if (runtime := _runtime(content)) != _RUNTIME and not _is_emulated(environ):
        raise ToolError(
            f"The package is for {runtime}, but AWS runs {_RUNTIME}: build it again with make PYTHON={_RUNTIME}"
        )
    if not store.write(_key(artifact), content):
        say("Another run has put its package of this tree into the store first: this run uses that package")
        kept = store.read(_key(artifact))
        if kept is None:
            raise ToolError(f"The package of {artifact} was in the store and is gone: run the command again")
        digest = _install(kept, folder, _stage(environ), artifact)
        _tell(environ, artifact, digest, built=False)
    made.unlink()


def tree(root: Path = compose.ROOT) -> str:
    """Return the checkout's artifact, which names the git tree. Raise ToolError if changes are not committed."""
    # Without a file system monitor, which can overlook changes.
    if changed := _git(root, "-c", "core.fsmonitor=false", "status", "--porcelain"):
        raise ToolError(
            f"An artifact is a git tree, but this checkout has uncommitted changes. Commit the changes:\n{changed}"
        )
    return f"tree:{_git(root, 'rev-parse', 'HEAD^{tree}')}"


def client(environ: Environ, service: str = "s3") -> Any:
    """Return an AWS client. EMULATED is the port of an emulated account, or 1 for the usual port."""
    if not _is_emulated(environ):
        return boto3.client(service)
    port = emulation.PORT if environ["EMULATED"] == "1" else int(environ["EMULATED"])
    return emulated_client(service, port)


def digest_in(folder: Path = FOLDER) -> str | None:
    """Return the digest of the package that `find_or_make` left, or None if there is no package."""
    package = folder / _ZIP
    return f"sha256:{hashlib.sha256(package.read_bytes()).hexdigest()}" if package.exists() else None


def _make(artifact: str, root: Path) -> bytes:
    """Build one package for all stages: the zip, its bill of materials, and Terraform's input for each stage.

    The tree names the package, so the sources come from the tree, not from the checkout's files.
    """
    _require_own_tools(root)
    with tempfile.TemporaryDirectory(prefix="artifact-") as temporary:
        folder = Path(temporary)
        extract(root, artifact.removeprefix("tree:"), folder / "source")
        digest = compose.packages({stage: folder / stage for stage in ENVIRONMENTS}, folder / "source")
        package = folder / ENVIRONMENTS[0] / _ZIP
        bill = sbom.bill_of_materials(package, NAME, artifact, digest)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as bundle:
            bundle.write(package, _ZIP)
            bundle.writestr(_SBOM, json.dumps(bill, indent=2) + "\n")
            for stage in ENVIRONMENTS:
                bundle.write(folder / stage / _GENERATED, _generated(stage))
        return content.getvalue()


def _require_own_tools(root: Path) -> None:
    """Raise ToolError if git was told to overlook changes of the tools, which also decide what the package is."""
    listed = _git(root, "ls-files", "-v", "--", "tools").splitlines()
    overlooked = [line[2:] for line in listed if not line.startswith("H ") and (root / line[2:]).exists()]
    if overlooked:
        raise ToolError(
            f"Git was told to overlook changes of {overlooked[0]}, so the package may not be the tree's. Run "
            f"`git update-index --no-assume-unchanged --no-skip-worktree {overlooked[0]}`"
        )


def _install(content: bytes, folder: Path, stage: str | None, artifact: str) -> str:
    """Store the package in `folder`, with its parts. Check that the parts match, and return the zip's digest.

    `make plan PACKAGE=…` takes the folder that is named like the stage, and takes infra/ and web/ from the same tree.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        package = bundle.read(_ZIP)
        digest = hashlib.sha256(package).hexdigest()
        for name in ENVIRONMENTS:
            generated = bundle.read(_generated(name))
            told = json.loads(generated)["locals"]["package"]
            if (told["digest"], told["stage"]) != (digest, name):
                raise ToolError(
                    f"The package is inconsistent: {_generated(name)} belongs to another zip or stage. "
                    "Commit any change, so that a new package is built: the store keeps this one for ever"
                )
            if stage == name:
                (folder / name).mkdir(exist_ok=True)
                (folder / name / _GENERATED).write_bytes(generated)
                (folder / name / _ZIP).write_bytes(package)
                (folder / name / NAMED).write_text(artifact.removeprefix("tree:"))
        (folder / _ZIP).write_bytes(package)
        (folder / _SBOM).write_bytes(bundle.read(_SBOM))
    (folder / PACKAGE).write_bytes(content)
    return digest


def _tell(environ: Environ, artifact: str, digest: str, *, built: bool) -> None:
    say("built" if built else "reused")
    put_out(environ, artifact=artifact, digest=f"sha256:{digest}", built=str(built).lower())
    how = "built" if built else "reused, not built again"
    summarize(environ, f"| artifact | package | |\n|---|---|---|\n| `{artifact}` | `sha256:{digest}` | {how} |")


def _is_emulated(environ: Environ) -> bool:
    return environ.get("EMULATED", "") not in ("", "0")


def _runtime(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        return str(json.loads(bundle.read(_generated(ENVIRONMENTS[0])))["locals"]["package"]["runtime"])


def _stage(environ: Environ) -> str | None:
    stage = environ.get("ENV") or None
    if stage is not None and stage not in ENVIRONMENTS:
        raise UsageError(f"{stage!r} is not an environment: set ENV={'|'.join(ENVIRONMENTS)}")
    return stage


def _key(artifact: str) -> str:
    return f"{artifact.removeprefix('tree:')}/{PACKAGE}"


def _generated(stage: str) -> str:
    return f"{stage}.tf.json"


def _git(root: Path, *arguments: str) -> str:
    done = git(root, *arguments)
    if done.returncode != 0:
        raise ToolError(f"git {' '.join(arguments)} failed: {done.stderr.strip()}. Run the command in a git checkout")
    return done.stdout.strip()
