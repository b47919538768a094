"""Require GitHub's attestation that this repository's pipeline built the package of this tree."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.checkout import ENVIRONMENTS, ROOT, ToolError, UsageError, git
from tools.pipeline.artifact import FOLDER, PACKAGE, Environ, tree
from tools.slipway_client.runner import say, warn

_WORKFLOW = ".github/workflows/deploy.yml"
_REFS = {f"refs/heads/{environment}" for environment in ENVIRONMENTS}

# By default, gh reads the 30 newest attestations of a package. Other workflows of this repository can attest the same
# package more often than that, so read as many as gh allows.
_MOST = "1000"


def attested(environ: Environ, folder: Path = FOLDER, root: Path = ROOT) -> None:
    """Require that the deploy workflow built the package on an environment's branch from this tree, or raise ToolError.

    Nothing else proves that the package in the bucket comes from this repository's pipeline. So only NO_ATTESTATIONS=1
    skips this check, and never an answer of GitHub.
    """
    if environ.get("NO_ATTESTATIONS") == "1":
        warn(
            environ,
            "NO_ATTESTATIONS is set, so nothing proves who built this package: let nobody but the role of `artifact` "
            "write to the artifact bucket",
        )
        return
    repository = environ.get("GITHUB_REPOSITORY")
    if not repository:
        raise UsageError(
            "GITHUB_REPOSITORY, the repository that built the package, is missing: set GITHUB_REPOSITORY=owner/name"
        )
    address = f"{environ.get('GITHUB_SERVER_URL') or 'https://github.com'}/{repository}"
    artifact = tree(root)
    refusals = []
    for certificate in _certificates(repository, folder / PACKAGE):
        refused = list(_refusals(certificate, address, artifact, root))
        if not refused:
            say(f"GitHub attests that the deploy workflow built this package from {artifact}")
            return
        refusals += refused
    raise _not_attested(repository, "; ".join(refusals))


def _certificates(repository: str, package: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the certificates of a package's attestations.

    GitHub fills in the certificate. The workflow itself writes the statement, so the statement proves nothing:
    https://cli.github.com/manual/gh_attestation_verify
    """
    # gh compares only the beginning of the workflow's path, and only one ref. So `_refusals` compares both again.
    command = ["gh", "attestation", "verify", str(package), "--repo", repository, "--format", "json"]
    command += ["--signer-workflow", f"{repository}/{_WORKFLOW}", "--deny-self-hosted-runners", "--limit", _MOST]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except FileNotFoundError:
        raise ToolError("gh, GitHub's command line, is not on the PATH: install gh to verify attestations") from None
    if done.returncode != 0:
        raise _not_attested(repository, done.stderr.strip())
    try:
        for found in json.loads(done.stdout):
            yield dict(found["verificationResult"]["signature"]["certificate"])
    except (ValueError, TypeError, LookupError):
        raise ToolError("gh's answer has no certificates: install a version of gh that has `--format json`") from None


def _refusals(certificate: Mapping[str, Any], address: str, artifact: str, root: Path) -> Iterator[str]:
    """Yield the reasons for which an attestation does not count."""
    ref, signer = certificate.get("sourceRepositoryRef"), certificate.get("buildSignerURI")
    if certificate.get("sourceRepositoryURI") != address:
        yield f"it is of the repository {certificate.get('sourceRepositoryURI')}"
    if ref not in _REFS:
        yield f"it is of {ref}, which is not the branch of an environment"
    if signer != f"{address}/{_WORKFLOW}@{ref}":
        yield f"it is of the workflow {signer}"
    if (runner := certificate.get("runnerEnvironment")) != "github-hosted":
        yield f"it is of a runner that is {runner}"
    commit = str(certificate.get("sourceRepositoryDigest"))
    if (built := _tree_of(commit, root)) != artifact:
        yield f"it is of the commit {commit}, which is {built or 'not in this checkout'}, not {artifact}"


def _tree_of(commit: str, root: Path) -> str | None:
    done = git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{tree}}")
    return f"tree:{done.stdout.strip()}" if done.returncode == 0 else None


def _not_attested(repository: str, reason: str) -> ToolError:
    return ToolError(
        f"GitHub does not attest that {repository} built this package from this tree: {reason or 'no attestation'}. So "
        "the package is not deployed, and the artifact bucket keeps it for ever. If nobody else can write to the "
        "bucket, commit any change, so that a new package is built and attested"
    )
