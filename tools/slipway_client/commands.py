"""The commands of `python -m tools client`. The commands of `pipeline` that call Slipway have the same options."""

from tools.commands import Command, Environ, Option
from tools.slipway_client import recording
from tools.slipway_client.client import RegistryClient

SLIPWAY = (
    Option("SLIPWAY_URL", "the address of Slipway; without SLIPWAY_URL, nothing is recorded"),
    Option("SLIPWAY_SYSTEM", "the key of the system"),
    Option("SLIPWAY_AUDIENCE", "the audience of the job's token", default="slipway"),
    Option("SLIPWAY_TOKEN", "a token, if GitHub issues none"),
    Option("SLIPWAY_REQUIRED", "0 to go on if Slipway does not answer", ("0", "1")),
)
_ENV = Option("ENV", "the environment")
_WORKSPACE = Option("WORKSPACE", "the environment's workspace", default="default")
_ARTIFACT = Option("ARTIFACT", "the artifact, tree:… or sha256:…")
_DEPLOYMENT = Option("DEPLOYMENT", "the id of a deployment")
TARGET = (_ENV, _WORKSPACE)
MAY_PROMOTE = (_ENV, _WORKSPACE, _ARTIFACT, _DEPLOYMENT, Option("OVERRIDE_REASON", "the reason to override the gate"))
OPEN = (
    *TARGET,
    _ARTIFACT,
    _DEPLOYMENT,
    Option("KIND", "the kind of deployment", ("rollout", "rollback", "hotfix"), default="rollout"),
    Option("REVISION", "the commit, or a tag of it"),
    Option("OVERRIDE_REASON", "the reason to override the gate"),
    Option("LEASE_SECONDS", "how many seconds the deployment holds its target"),
)
STATUS = (
    _DEPLOYMENT,
    Option("STATE", "in_progress, succeeded, failed, cancelled, or GitHub's success, failure or skipped"),
    Option("DETAIL", "a sentence about the state"),
)
VERIFICATION = (
    _DEPLOYMENT,
    Option("LAST_ATTEMPT", "the last attempt to deploy before the tests, printed by `current`; by default DEPLOYMENT"),
    Option("SUITE", "the test suite", default="acceptance"),
    Option("TRIGGER", "the cause of the run: deployment, schedule or manual"),
    Option("OUTCOME", "the outcome; without OUTCOME, the report decides"),
    Option("REPORT", "a JSON file with the numbers passed, failed and skipped"),
)
BINDINGS = (
    _ENV,
    Option("DRY_RUN", "only ask if the bindings are accepted", flag=True),
)

_HERE = "tools.slipway_client.commands"
COMMANDS = (
    Command(
        "may-promote",
        "Check if an artifact may enter an environment, and print each blocker",
        f"{_HERE}:may_promote",
        (*SLIPWAY, *MAY_PROMOTE),
    ),
    Command("deployment-open", "Open a deployment", f"{_HERE}:deployment_open", (*SLIPWAY, *OPEN)),
    Command("deployment-status", "Record a deployment's new state", f"{_HERE}:deployment_status", (*SLIPWAY, *STATUS)),
    Command("verification", "Record a test run", f"{_HERE}:verification", (*SLIPWAY, *VERIFICATION)),
    Command(
        "current",
        "Print the deployment, artifact and revision that an environment runs",
        f"{_HERE}:current",
        (*SLIPWAY, *TARGET),
    ),
    Command(
        "bindings",
        "Record which instances of its dependencies an environment uses",
        f"{_HERE}:bindings",
        (*SLIPWAY, *BINDINGS, Option("BINDINGS", "JSON: the instance, access and exclusive of each dependency by key")),
    ),
)


def may_promote(environ: Environ) -> None:
    """Raise ToolError unless the artifact may enter the environment. Ignore SLIPWAY_REQUIRED."""
    recording.may_promote(RegistryClient(environ), environ)


def deployment_open(environ: Environ) -> None:
    recording.recorded(recording.deployment_open, environ)


def deployment_status(environ: Environ) -> None:
    recording.recorded(recording.deployment_status, environ)


def verification(environ: Environ) -> None:
    recording.recorded(recording.verification, environ)


def current(environ: Environ) -> None:
    recording.recorded(recording.current, environ)


def bindings(environ: Environ) -> None:
    recording.recorded(recording.bindings, environ)
