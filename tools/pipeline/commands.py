"""The commands of `python -m tools pipeline`."""

from tools.checkout import ENVIRONMENTS
from tools.commands import Command, Option
from tools.slipway_client.commands import BINDINGS, MAY_PROMOTE, OPEN, SLIPWAY, STATUS, TARGET, VERIFICATION

_ENV = Option("ENV", "the environment", ENVIRONMENTS)
_BUCKET = Option("ARTIFACT_BUCKET", "the bucket that keeps packages")
_EMULATED = Option("EMULATED", "1 for the emulated account on its usual port, or another port")
_DIGEST = Option("DIGEST", "the package's digest, sha256:…")
_GITHUB = (
    Option("GH_TOKEN", "a token that may read the repository"),
    Option("GITHUB_REPOSITORY", "the repository"),
    Option("GITHUB_API_URL", "the address of GitHub's API", default="https://api.github.com"),
)

COMMANDS = (
    Command(
        "newest",
        "Check if the commit of a push is still the newest of its branch",
        "tools.pipeline.commits:newest",
        _GITHUB,
    ),
    Command(
        "workspace-ref",
        "Find the commit that a run for a workspace may check out, or refuse the run",
        "tools.pipeline.commits:workspace_ref",
        (
            Option("ACTION", "what to do with the workspace", ("create", "extend", "destroy"), default="create"),
            Option("ENV", "the environment", ENVIRONMENTS, required=True),
            Option("WORKSPACE", "the workspace's name", required=True),
            Option("PURPOSE", "the purpose", ("personal", "debug", "preview"), default="personal"),
            Option("DATABASE", "the source of the data", ("empty", "clone", "live"), default="empty"),
            Option("REF", "a branch, or the commit of a preview; the default is the environment's branch"),
            *_GITHUB,
        ),
    ),
    Command(
        "reviewed-commit",
        "Require that the commit that an environment runs is on the environment's branch",
        "tools.pipeline.commits:reviewed_commit",
        (_ENV, Option("REVISION", "the commit; the default is the newest of the branch")),
    ),
    Command(
        "artifact",
        "Find the package of this checkout's tree in the bucket, or build it",
        "tools.pipeline.artifact:find_or_make",
        (_ENV, _BUCKET, _DIGEST, _EMULATED),
    ),
    Command(
        "artifact-keep",
        "Put the package that `artifact` built into the bucket",
        "tools.pipeline.artifact:keep",
        (_ENV, _BUCKET, _EMULATED),
    ),
    Command(
        "artifact-attested",
        "Require GitHub's attestation that the deploy workflow built the package from this tree",
        "tools.pipeline.attestation:attested",
        (
            Option("GITHUB_REPOSITORY", "the repository that built the package"),
            Option("GITHUB_SERVER_URL", "the address of GitHub", default="https://github.com"),
            Option("NO_ATTESTATIONS", "skip the check, because the plan of GitHub has no attestations", flag=True),
        ),
    ),
    Command(
        "may-promote",
        "Check if an artifact may enter an environment, and print each blocker",
        "tools.pipeline.promotion:may_promote",
        (*SLIPWAY, *MAY_PROMOTE, _BUCKET, _EMULATED),
    ),
    Command(
        "check-merge",
        "Require that a pull request's merge has the tree that was tested",
        "tools.pipeline.promotion:check_merge",
    ),
    Command(
        "count-verification",
        "Count in CloudWatch that the acceptance tests have passed in an environment",
        "tools.aws.counting:verification",
        (_ENV, _EMULATED),
    ),
    Command(
        "deployment-open",
        "Open a deployment in the registry",
        "tools.pipeline.records:deployment_open",
        (*SLIPWAY, *OPEN, *_GITHUB),
    ),
    Command(
        "deployment-status",
        "Record a deployment's new state",
        "tools.pipeline.records:deployment_status",
        (*SLIPWAY, *STATUS),
    ),
    Command(
        "verification",
        "Record a test run in the registry",
        "tools.pipeline.records:verification",
        (*SLIPWAY, *VERIFICATION),
    ),
    Command(
        "current",
        "Print the artifact and revision that an environment runs",
        "tools.pipeline.records:current",
        (*SLIPWAY, *TARGET),
    ),
    Command(
        "must-repeat",
        "Ask if a suite must be repeated in an environment, because its results age for the gate of the next one",
        "tools.pipeline.records:must_repeat",
        (
            *SLIPWAY,
            _ENV,
            Option("SUITE", "the test suite", required=True),
            Option("DEPLOYMENT", "the deployment that the environment runs"),
        ),
    ),
    Command(
        "bindings",
        "Record which instances of its dependencies an environment uses",
        "tools.pipeline.records:bindings",
        (*SLIPWAY, *BINDINGS, Option("PLAN", "the plan as JSON; by default the one that `make plan` saved for ENV")),
    ),
    Command(
        "note-verified",
        "Note in the artifact bucket that the artifact was verified in an environment",
        "tools.pipeline.promotion:note_verified",
        (_ENV, Option("ARTIFACT", "the artifact"), _DIGEST, _BUCKET, _EMULATED),
    ),
    Command("oidc-token", "Print this job's token for SLIPWAY_AUDIENCE", "tools.pipeline.records:oidc_token"),
    Command(
        "emulated-plan",
        "Plan an environment in a temporary emulated account",
        "tools.pipeline.emulated_plan:main",
        (_ENV,),
    ),
    Command(
        "plan-comment",
        "Print the planned changes as a comment for a pull request",
        "tools.pipeline.plan_comment:main",
        (
            Option("PLANS", "the plans' titles and files: development=plan.json production=…"),
            Option("POLICY", "a file with the output of the policy check"),
            Option("POLICY_OUTCOME", "the outcome of the policy check: success or failure"),
            _DIGEST,
            Option("ARTIFACT", "the artifact"),
        ),
    ),
)
