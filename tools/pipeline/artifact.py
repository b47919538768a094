"""Build the package of a git tree once, and have every environment deploy those bytes.

    python -m tools pipeline artifact         find the package of this checkout's tree in the store, or make it
    python -m tools pipeline artifact-keep    keep what was made there, unless somebody was faster

The store is a bucket (ARTIFACT_BUCKET). A package is one object in it, so it is there as a whole or not at all: the
zip, what Terraform reads of it for each stage, and its bill of materials. Without a store the package is not kept.
"""

import hashlib
import io
import json
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from tools.aws.emulator.account import emulated_client
from tools.checkout import ENVIRONMENTS, ToolError, UsageError
from tools.local import emulation
from tools.package import compose, sbom
from tools.slipway_client.runner import put_out, say, summarize, warn

Environ = Mapping[str, str]

FOLDER = compose.ROOT / ".local" / "artifact"

_ZIP, _GENERATED, _SBOM = "deployment.zip", "generated.tf.json", "sbom.cdx.json"
_MADE = "made"  # a package that is not in the store yet
_RUNTIME = f"python{compose.PYTHON[0]}.{compose.PYTHON[1]}"
_CONFLICTS = 5


class Store:
    """The bucket of packages. A package is found by the tree that it was made of, and written once."""

    def __init__(self, environ: Environ, pause: Callable[[float], None] = time.sleep) -> None:
        self.bucket = environ.get("ARTIFACT_BUCKET", "")
        self._client = client(environ)
        self._pause = pause

    def read(self, key: str) -> bytes | None:
        """Return the object, or None. Raises ToolError."""
        try:
            content: bytes = self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise ToolError(f"{key} can't be read from the bucket {self.bucket}: {error}") from None
        return content

    def write(self, key: str, content: bytes) -> bool:
        """Write it unless something is there; return whether it was written. Of several at once, one writes."""
        for attempt in range(_CONFLICTS):
            try:
                self._client.put_object(Bucket=self.bucket, Key=key, Body=content, IfNoneMatch="*")
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "PreconditionFailed":
                    return False
                # Somebody else is writing just now: afterwards we know whose is there.
                if code == "ConditionalRequestConflict":
                    self._pause(2**attempt)
                    continue
                raise ToolError(f"{key} can't be written to the bucket {self.bucket}: {error}") from None
            return True
        raise ToolError(f"{key} was being written by others again and again: run this again")


def find_or_make(environ: Environ, folder: Path = FOLDER, root: Path = compose.ROOT) -> None:
    """Put the package of the checkout's tree into `folder`; put out `artifact`, `digest`, `built`. Raises ToolError."""
    artifact = tree(root)
    stage = _stage(environ)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    kept = None
    if environ.get("ARTIFACT_BUCKET"):
        kept = Store(environ).read(_key(artifact))
    elif environ.get("GITHUB_ACTIONS"):
        raise ToolError("ARTIFACT_BUCKET is not set: make it a variable of the repository (docs/first-deployment.md)")
    else:
        warn(environ, "ARTIFACT_BUCKET is not set: the package is made here, and neither looked for nor kept")
    if kept is None:
        packaged = _make(artifact, root)
        (folder / _MADE).write_bytes(packaged)
    digest = _install(kept or packaged, folder, stage)
    if (wanted := environ.get("DIGEST")) and wanted != f"sha256:{digest}":
        raise ToolError(f"This is the package sha256:{digest}, and not {wanted}, which was to be deployed")
    _tell(environ, artifact, digest, built=kept is None)


def keep(environ: Environ, folder: Path = FOLDER, root: Path = compose.ROOT) -> None:
    """Keep the package in the store. If another run was faster, take what it kept. Raises ToolError."""
    artifact = tree(root)
    made = folder / _MADE
    if not made.exists():
        say("The package came from the store")
        return
    store = Store(environ)
    if not store.bucket:
        raise UsageError("There is no store to keep it in: say ARTIFACT_BUCKET=…")
    content = made.read_bytes()
    if (runtime := _runtime(content)) != _RUNTIME and not _is_emulated(environ):
        raise ToolError(f"It is packaged for {runtime}, and goes to AWS for {_RUNTIME} alone: make PYTHON={_RUNTIME}")
    if not store.write(_key(artifact), content):
        say("Another run has kept its package of this tree before: that one it is")
        kept = store.read(_key(artifact))
        if kept is None:
            raise ToolError(f"The package of {artifact} was there, and is gone: run this again")
        digest = _install(kept, folder, _stage(environ))
        _tell(environ, artifact, digest, built=False)
    made.unlink()


def attested(environ: Environ, folder: Path = FOLDER) -> None:
    """Require GitHub's attestation that this repository's deploy workflow built the zip. Raises ToolError.

    Only the attestation tells our pipeline's package from one that somebody else put into the bucket.
    """
    repository = environ.get("GITHUB_REPOSITORY")
    if not repository:
        raise UsageError("Say which repository built it: GITHUB_REPOSITORY=owner/name")
    command = ["gh", "attestation", "verify", str(folder / _ZIP), "--repo", repository]
    command += ["--signer-workflow", f"{repository}/.github/workflows/deploy.yml"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except FileNotFoundError:
        raise ToolError("gh, GitHub's command line, is not on the PATH, and verifies attestations") from None
    if done.returncode != 0:
        raise ToolError(
            f"GitHub does not attest that {repository} built this package: {done.stderr.strip()}. It is not deployed. "
            "If nobody else can have put it there, delete it from the artifact bucket and run the deployment again"
        )
    say("GitHub attests that the deploy workflow built this package")


def tree(root: Path = compose.ROOT) -> str:
    """Return the checkout's artifact: its tree. Raises ToolError where it has changes that are not committed."""
    if changed := _git(root, "status", "--porcelain"):
        raise ToolError(
            f"An artifact is a tree of git, and the checkout differs from its commit. Commit first:\n{changed}"
        )
    return f"tree:{_git(root, 'rev-parse', 'HEAD^{tree}')}"


def client(environ: Environ, service: str = "s3") -> Any:
    """Return a client of AWS; with EMULATED, one of the emulated account (1: its usual port, else that port)."""
    if not _is_emulated(environ):
        return boto3.client(service)
    port = emulation.PORT if environ["EMULATED"] == "1" else int(environ["EMULATED"])
    return emulated_client(service, port)


def digest_in(folder: Path = FOLDER) -> str | None:
    """Return the digest of the package that `find_or_make` left, or None."""
    package = folder / _ZIP
    return f"sha256:{hashlib.sha256(package.read_bytes()).hexdigest()}" if package.exists() else None


def _make(artifact: str, root: Path) -> bytes:
    """Package for every stage; all of them deploy one zip."""
    with tempfile.TemporaryDirectory(prefix="slipway-artifact-") as temporary:
        folder = Path(temporary)
        digest = compose.packages({stage: folder / stage for stage in ENVIRONMENTS}, root)
        package = folder / ENVIRONMENTS[0] / _ZIP
        bill = sbom.bill_of_materials(package, "slipway", artifact, digest)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as bundle:
            bundle.write(package, _ZIP)
            bundle.writestr(_SBOM, json.dumps(bill, indent=2) + "\n")
            for stage in ENVIRONMENTS:
                bundle.write(folder / stage / _GENERATED, _generated(stage))
        return content.getvalue()


def _install(content: bytes, folder: Path, stage: str | None) -> str:
    """Unpack, check that the parts belong together, and return the zip's digest.

    The folder named for the stage is what `make plan PACKAGE=…` takes.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        package = bundle.read(_ZIP)
        digest = hashlib.sha256(package).hexdigest()
        for name in ENVIRONMENTS:
            generated = bundle.read(_generated(name))
            told = json.loads(generated)["locals"]["package"]
            if (told["digest"], told["stage"]) != (digest, name):
                raise ToolError(
                    f"The package in the store is inconsistent: {_generated(name)} is of another zip or stage"
                )
            if stage == name:
                (folder / name).mkdir(exist_ok=True)
                (folder / name / _GENERATED).write_bytes(generated)
                (folder / name / _ZIP).write_bytes(package)
        (folder / _ZIP).write_bytes(package)
        (folder / _SBOM).write_bytes(bundle.read(_SBOM))
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
        raise UsageError(f"{stage!r} is no environment: ENV={'|'.join(ENVIRONMENTS)}")
    return stage


def _key(artifact: str) -> str:
    return f"{artifact.removeprefix('tree:')}/package.zip"


def _generated(stage: str) -> str:
    return f"{stage}.tf.json"


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise ToolError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()
