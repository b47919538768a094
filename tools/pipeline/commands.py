"""The commands of `python -m tools pipeline`."""

from tools.checkout import ENVIRONMENTS
from tools.commands import Command, Option
from tools.slipway_client.commands import MAY_PROMOTE, OPEN, SLIPWAY, STATUS, TARGET, VERIFICATION

_ENV = Option("ENV", "the environment", ENVIRONMENTS)
_BUCKET = Option("ARTIFACT_BUCKET", "the bucket that keeps packages")
_EMULATED = Option("EMULATED", "1: the emulated account, a number: the one on that port")
_DIGEST = Option("DIGEST", "the package's digest, sha256:…")

COMMANDS = (
    Command(
        "artifact",
        "Find the package of this checkout's tree in the bucket, or make it",
        "tools.pipeline.artifact:find_or_make",
        (_ENV, _BUCKET, _DIGEST, _EMULATED),
    ),
    Command(
        "artifact-keep",
        "Keep the package that `artifact` made in the bucket",
        "tools.pipeline.artifact:keep",
        (_ENV, _BUCKET, _EMULATED),
    ),
    Command(
        "artifact-attested",
        "Require GitHub's attestation of where the package was built",
        "tools.pipeline.artifact:attested",
        (Option("GITHUB_REPOSITORY", "the repository that built it"),),
    ),
    Command(
        "may-promote",
        "Ask whether an artifact may enter an environment, and say what blocks it",
        "tools.pipeline.promotion:may_promote",
        (*SLIPWAY, *MAY_PROMOTE, _BUCKET, _EMULATED),
    ),
    Command(
        "check-merge",
        "Require that a pull request's merge is the tree that was tested",
        "tools.pipeline.promotion:check_merge",
    ),
    Command(
        "deployment-open", "Open a deployment in Slipway", "tools.pipeline.records:deployment_open", (*SLIPWAY, *OPEN)
    ),
    Command(
        "deployment-status",
        "Record how a deployment goes on",
        "tools.pipeline.records:deployment_status",
        (*SLIPWAY, *STATUS),
    ),
    Command(
        "verification",
        "Record a run of tests in Slipway",
        "tools.pipeline.records:verification",
        (*SLIPWAY, *VERIFICATION),
    ),
    Command(
        "current",
        "Put out which artifact and revision an environment runs",
        "tools.pipeline.records:current",
        (*SLIPWAY, *TARGET),
    ),
    Command(
        "note-verified",
        "Note in the artifact bucket that an environment runs the artifact, verified",
        "tools.pipeline.promotion:note_verified",
        (_ENV, Option("ARTIFACT", "the artifact"), _DIGEST, _BUCKET, _EMULATED),
    ),
    Command("oidc-token", "Print a token of this job for SLIPWAY_AUDIENCE", "tools.pipeline.records:oidc_token"),
    Command(
        "emulated-plan",
        "Plan an environment in an emulated account that is gone afterwards",
        "tools.pipeline.emulated_plan:main",
        (_ENV,),
    ),
    Command(
        "plan-comment",
        "Print what plans would change, as a comment for a pull request",
        "tools.pipeline.plan_comment:main",
        (
            Option("PLANS", "titles and files: development=plan.json production=…"),
            Option("POLICY", "a file with what the policies said"),
            Option("POLICY_OUTCOME", "how they ended"),
            _DIGEST,
            Option("ARTIFACT", "the artifact"),
        ),
    ),
)
