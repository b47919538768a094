"""The commands of `python -m tools slipway`, and their options, which those of `pipeline` share."""

from tools.commands import Command, Environ, Option
from tools.slipway_client import recording
from tools.slipway_client.client import Slipway

SLIPWAY = (
    Option("SLIPWAY_URL", "the address of Slipway; without it nothing is recorded"),
    Option("SLIPWAY_SYSTEM", "the key of the system"),
    Option("SLIPWAY_AUDIENCE", "the audience of the job's token", default="slipway"),
    Option("SLIPWAY_TOKEN", "a token, where GitHub issues none"),
    Option("SLIPWAY_REQUIRED", "0: go on where Slipway does not answer", ("0", "1")),
)
_ENV = Option("ENV", "the environment")
_WORKSPACE = Option("WORKSPACE", "the environment's workspace", default="default")
_ARTIFACT = Option("ARTIFACT", "the artifact, tree:… or sha256:…")
_DEPLOYMENT = Option("DEPLOYMENT", "the id of a deployment")
TARGET = (_ENV, _WORKSPACE)
MAY_PROMOTE = (_ENV, _WORKSPACE, _ARTIFACT, _DEPLOYMENT, Option("OVERRIDE_REASON", "why it goes past the gate"))
OPEN = (
    *TARGET,
    _ARTIFACT,
    _DEPLOYMENT,
    Option("KIND", "what it is", ("rollout", "rollback", "hotfix"), default="rollout"),
    Option("REVISION", "the commit"),
    Option("OVERRIDE_REASON", "why it goes past the gate"),
    Option("LEASE_SECONDS", "how long it holds its target"),
)
STATUS = (
    _DEPLOYMENT,
    Option("STATE", "in_progress, succeeded, failed or cancelled, or how GitHub calls that"),
    Option("DETAIL", "a sentence on it"),
)
VERIFICATION = (
    *TARGET,
    _ARTIFACT,
    Option("SUITE", "which tests they were", default="acceptance"),
    Option("TRIGGER", "what set them off"),
    Option("OUTCOME", "how they ended; without it as the report says"),
    Option("REPORT", "a JSON file with the numbers passed, failed and skipped"),
)

_HERE = "tools.slipway_client.commands"
COMMANDS = (
    Command(
        "may-promote",
        "Ask whether an artifact may enter an environment, and say what blocks it",
        f"{_HERE}:may_promote",
        (*SLIPWAY, *MAY_PROMOTE),
    ),
    Command("deployment-open", "Open a deployment", f"{_HERE}:deployment_open", (*SLIPWAY, *OPEN)),
    Command("deployment-status", "Record how a deployment goes on", f"{_HERE}:deployment_status", (*SLIPWAY, *STATUS)),
    Command("verification", "Record a run of tests", f"{_HERE}:verification", (*SLIPWAY, *VERIFICATION)),
    Command(
        "current",
        "Put out which artifact and revision an environment runs",
        f"{_HERE}:current",
        (*SLIPWAY, *TARGET),
    ),
)


def may_promote(environ: Environ) -> None:
    """Raise ToolError with every blocker. Unlike the others this fails where Slipway does not answer."""
    recording.may_promote(Slipway(environ), environ)


def deployment_open(environ: Environ) -> None:
    """Open a deployment."""
    recording.recorded(recording.deployment_open, environ)


def deployment_status(environ: Environ) -> None:
    """Record the status of a deployment."""
    recording.recorded(recording.deployment_status, environ)


def verification(environ: Environ) -> None:
    """Record a verification."""
    recording.recorded(recording.verification, environ)


def current(environ: Environ) -> None:
    """Put out what runs."""
    recording.recorded(recording.current, environ)
