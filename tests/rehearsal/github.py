"""A stand-in for GitHub: a remote repository, its checkouts, runs with their own tokens, and attestations."""

import hashlib
import itertools
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from chalicelib import NAME
from tests.rehearsal.api import api_of
from tests.support.actions import Job, Step
from tests.support.checkout import ROOT
from tests.support.issuer import RUNNERS_OWN, IssuerServer, tokens_of_a_run
from tests.support.workflows import workflow
from tools.aws import terraform
from tools.local.emulation import access_key

# A job that has not signed in to AWS.
NOBODY = "nobody"
REPOSITORY = f"acme/{NAME}"
SECONDS = 600

# All checkouts use the virtual environment of the tests, and share compiled Python files. Otherwise `make` would make
# both in each checkout. `make` does nothing for the targets in LEFT_OUT.
_MAKE = f"""#!/bin/sh
case " ${{LEFT_OUT:-}} " in *" $1 "*) exit 0 ;; esac
exec {shutil.which("make")} -o venv python={sys.executable} PYTHONPYCACHEPREFIX="$PYTHONPYCACHEPREFIX" "$@"
"""
# On GitHub, the setup action puts the virtual environment's Python first on the PATH. Here, this program is first.
_PYTHON = f"""#!/bin/sh
exec {sys.executable} "$@"
"""
# `gh attestation verify` answers with the certificates of the package that the file `attestations` lists.
_GH = f"""#!{sys.executable}
import hashlib, json, pathlib, sys
command, verify, package, *options = sys.argv[1:]
digest = hashlib.sha256(pathlib.Path(package).read_bytes()).hexdigest()
ledger = map(json.loads, pathlib.Path(__file__).with_name("attestations").read_text().splitlines())
found = [each["certificate"] for each in ledger if each["digest"] == digest]
if not found:
    sys.exit(f"no attestation of {{digest}}")
print(json.dumps([{{"verificationResult": {{"signature": {{"certificate": each}}}}}} for each in found]))
"""

_print = threading.Lock()


class Failed(AssertionError):
    """A job did not end as expected. The message has the output of the job's steps."""


class Ran:
    """A finished job, with its steps and outputs."""

    def __init__(self, title: str, job: Job, steps: list[Step], outputs: Mapping[str, str]) -> None:
        self._title, self._job, self._steps, self.outputs = title, job, steps, outputs

    def succeeded(self) -> "Ran":
        if self._job.status != "success":
            raise Failed(f"{self._title} failed: correct the step that failed.\n{self._everything()}")
        return self

    def failed_at(self, name: str) -> str:
        """Require that only this step failed; return the step's output."""
        failed = [step for step in self._steps if step.outcome == "failure"]
        if [step.name for step in failed] != [name]:
            raise Failed(f"{self._title} did not fail at {name!r} only: correct the other steps.\n{self._everything()}")
        return failed[0].said

    def said(self, name: str) -> str:
        """Return a step's output; empty if the step was skipped."""
        [step] = [step for step in self._steps if step.name == name]
        return step.said

    def outcome(self, name: str) -> str:
        [step] = [step for step in self._steps if step.name == name]
        return step.outcome

    def _everything(self) -> str:
        return "\n".join(f"--- {step.name}: {step.outcome}\n{step.said[-4000:]}" for step in self._steps)


class GitHub:
    """The repository and its `variables`. `environments` has the variables of each GitHub environment."""

    def __init__(self, folder: Path, issuer: IssuerServer, port: int) -> None:
        self._folder, self._issuer, self._port = folder, issuer, port
        self._remote = folder / "remote.git"
        self._work = folder / "work"
        self._bin = folder / "bin"
        self._runs = itertools.count(1)
        self.variables: dict[str, str] = {}
        self.environments: dict[str, dict[str, str]] = {}
        # In every step, these variables replace variables of the same name.
        self.overrides: dict[str, str] = {}
        self.after_step: Callable[[], None] = lambda: None
        self._bin.mkdir()
        (self._bin / "attestations").touch()
        for name, text in {"make": _MAKE, "python": _PYTHON, "gh": _GH}.items():
            (self._bin / name).write_text(text)
            (self._bin / name).chmod(0o755)
        self._begin()

    def commit(self, branch: str, message: str, path: str, old: str, new: str, count: int = -1) -> str:
        """Replace text in a file, everywhere or `count` times, and commit the file to a branch; return the commit."""
        self._git("checkout", "-q", branch)
        file = self._work / path
        text = file.read_text()
        assert old in text, f"{path} does not contain {old!r}: correct the rehearsal"
        file.write_text(text.replace(old, new, count))
        self._git("commit", "-qam", message)
        return self._pushed(branch)

    def branch(self, name: str, commit: str) -> None:
        """Push a new branch that points to a commit."""
        self._git("push", "-q", "origin", f"{commit}:refs/heads/{name}")

    def revert(self, branch: str) -> None:
        """Revert the newest commit of a branch."""
        self._git("checkout", "-q", branch)
        self._git("revert", "--no-edit", "HEAD")

    def merge(self, source: str, target: str) -> str:
        """Merge a branch into another, as a pull request does; return the merge commit."""
        self._git("checkout", "-q", target)
        self._git("merge", "-q", "--no-ff", "-m", f"Merge {source} into {target}", source)
        return self._pushed(target)

    def revision(self, branch: str) -> str:
        return self._git("rev-parse", branch)

    def tree(self, revision: str) -> str:
        return f"tree:{self._git('rev-parse', f'{revision}^{{tree}}')}"

    def checkout(self, ref: str, folder: Path) -> Path:
        """Delete the folder, and check out a commit there, as `actions/checkout` does; return the folder."""
        shutil.rmtree(folder, ignore_errors=True)
        self._run("git", "clone", "-q", str(self._remote), str(folder))
        self._run("git", "-C", str(folder), "checkout", "-q", ref)
        return folder

    def run(
        self,
        name: str,
        job: str,
        ref: str,
        event: str = "push",
        *,
        inputs: Mapping[str, str] | None = None,
        matrix: Mapping[str, str] | None = None,
        needs: Mapping[str, Mapping[str, str]] | None = None,
        sha: str | None = None,
        cancelled_after: str | None = None,
        after: Mapping[str, Callable[[], None]] | None = None,
    ) -> Ran:
        """Run a job of a workflow for an event on a branch, at the branch's newest commit or at `sha`.

        The run is cancelled after the step `cancelled_after`. `after` has actions of others, by the step after which
        they happen.
        """
        definition = workflow(name)
        number = next(self._runs)
        folder = self._folder / f"run-{number}"
        temporary = self._folder / f"run-{number}-temporary"
        temporary.mkdir()
        sha = sha or self._head(ref)
        assert sha, f"GitHub has no branch {ref}: push the branch first"
        reached: set[str] = set()
        signed_in = {"role": NOBODY}
        title = f"{name}: {job} on {ref}"

        def sign_in(given: Mapping[str, str]) -> None:
            signed_in["role"] = given["role"].rpartition("/")[2]

        def before_step(step: str) -> None:
            running.environ["AWS_ACCESS_KEY_ID"] = access_key(signed_in["role"], f"{name}.yml: {step}")

        def after_step(step: Step) -> None:
            reached.add(step.name)
            if step.outcome != "skipped":
                self.after_step()
                if after and step.name in after:
                    after[step.name]()
                if "/" not in step.name:  # skip steps without a name
                    say(f"{title:36} {step.outcome:8} {step.name} ({time.monotonic() - started:.0f} s)")

        content = definition.jobs[job]
        steps = {step.get("name") for step in content["steps"]}
        named = {cancelled_after, *(after or ())} - {None}
        assert named <= steps, f"{name} lacks one of the steps {named}: correct the rehearsal"
        running = Job(
            content,
            folder,
            {
                "github": {
                    "ref_name": ref,
                    "sha": sha,
                    "token": "t",
                    "actor": "jane",
                    "event_name": event,
                    "run_attempt": "1",
                },
                "inputs": inputs or {},
                "matrix": matrix or {},
                "needs": {each: {"outputs": outputs} for each, outputs in (needs or {}).items()},
            },
            env={**definition.content.get("env", {})},
            is_cancelled=lambda: cancelled_after in reached,
            temporary=temporary,
            actions={
                "$/.github/actions/aws": sign_in,
                "actions/checkout": lambda given: self._check_out(given, sha, folder),
                "actions/attest-build-provenance": lambda given: self._attest(given, folder, name, ref, sha),
            },
            overrides=self.overrides,
            before_step=before_step,
            after_step=after_step,
            seconds=SECONDS,
        )
        environment = content.get("environment", "")
        environment = running.fill(environment["name"] if isinstance(environment, dict) else environment)
        running.context["vars"] = {**self.variables, **self.environments.get(environment, {})}
        claims = {
            "repository": REPOSITORY,
            "ref": f"refs/heads/{ref}",
            "sha": sha,
            "event_name": event,
            "environment": environment,
            "workflow": f".github/workflows/{name}.yml",
            "run_id": str(number),
        }
        started = time.monotonic()
        with tokens_of_a_run(self._issuer, **claims) as url, api_of(REPOSITORY, self._head) as api:
            running.environ = {
                **self.machine(),
                "GITHUB_SHA": sha,
                "GITHUB_REF_NAME": ref,
                "GITHUB_EVENT_NAME": event,
                "GITHUB_RUN_ID": str(number),
                "GITHUB_RUN_ATTEMPT": "1",
                "GITHUB_REPOSITORY": REPOSITORY,
                "GITHUB_API_URL": api,
                "GITHUB_SERVER_URL": "https://github.com",
                "ACTIONS_ID_TOKEN_REQUEST_URL": url,
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": RUNNERS_OWN,
            }
            steps = running.run()
        outputs = {each: running.fill(value) for each, value in content.get("outputs", {}).items()}
        shutil.rmtree(folder)
        return Ran(title, running, steps, outputs)

    def machine(self) -> dict[str, str]:
        """Return the environment variables of a machine: of GitHub's runner, or of a person."""
        ours = terraform.environment()
        kept = ("HOME", "PATH", "LANG", "TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR", "CHECKPOINT_DISABLE")
        kept += ("PIP_INDEX_URL", "PIP_CONFIG_FILE", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE")
        return {
            **{each: ours[each] for each in kept if each in ours},
            "PATH": f"{self._bin}:{ours['PATH']}",
            "PYTHONPYCACHEPREFIX": str(self._folder / "pycache"),
            "EMULATED": str(self._port),
            "TF_CLI_ARGS": "-no-color",
        }

    def _begin(self) -> None:
        """Make the repository. All branches point to one commit with this checkout's files."""
        self._run("git", "init", "-q", "--bare", str(self._remote))
        self._run("git", "init", "-q", "-b", "production", str(self._work))
        listed = self._run("git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (self._work / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self._work / name)
        self._git("remote", "add", "origin", str(self._remote))
        self._git("add", "-A")
        self._git("commit", "-q", "-m", "Add the files of the checkout")
        for branch in ("preproduction", "development"):
            self._git("branch", branch)
        self._git("push", "-q", "--all", "origin")

    def _pushed(self, branch: str) -> str:
        self._git("push", "-q", "origin", branch)
        return self.revision(branch)

    def _head(self, branch: str) -> str | None:
        """Return the newest commit of a branch on GitHub."""
        ref = f"refs/heads/{branch}"
        return self._run("git", "-C", str(self._remote), "for-each-ref", "--format=%(objectname)", ref) or None

    def _check_out(self, given: Mapping[str, str], sha: str, folder: Path) -> None:
        ref = given.get("ref")
        self.checkout(ref if ref else sha, folder)

    def _attest(self, given: Mapping[str, str], folder: Path, name: str, branch: str, commit: str) -> None:
        address, ref = f"https://github.com/{REPOSITORY}", f"refs/heads/{branch}"
        certificate = {
            "sourceRepositoryURI": address,
            "sourceRepositoryRef": ref,
            "sourceRepositoryDigest": commit,
            "buildSignerURI": f"{address}/.github/workflows/{name}.yml@{ref}",
            "runnerEnvironment": "github-hosted",
        }
        with (self._bin / "attestations").open("a") as ledger:
            for subject in given["subject-path"].split():
                digest = hashlib.sha256((folder / subject).read_bytes()).hexdigest()
                ledger.write(json.dumps({"digest": digest, "certificate": certificate}) + "\n")

    def _git(self, *arguments: str) -> str:
        who = ("-c", "user.name=Jane", "-c", "user.email=jane@example.org", "-c", "commit.gpgsign=false")
        return self._run("git", "-C", str(self._work), *who, *arguments)

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout.strip()


def say(line: str) -> None:
    with _print:
        print(line, flush=True)  # noqa: T201 (pytest shows the line with `-s`)
