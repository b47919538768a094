"""A publisher: a rule that lets a pipeline's OIDC identity write for a system."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from msgspec import Meta

from chalicelib.identity.trust import Event, RecordKind
from chalicelib.patterns import matching
from chalicelib.rest import problems
from chalicelib.rest.constraints import constraint
from chalicelib.rest.problems import Fault, problem_type
from chalicelib.rest.types import Answer, HttpsUrl, Id, Request, Timestamp
from chalicelib.vocabulary import EnvironmentName, LooseningReason, PrincipalName, Purpose, Slug

_REPOSITORY = r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}"
# The name of the file may have what git and most file systems allow: up to 255 characters, also blanks. `*` is left
# out, because it would be a wildcard in CalledWorkflow.
_WORKFLOW = r"\.github/workflows/[^/*\u0000-\u001f\u007f]{1,250}\.ya?ml"
# A system has at most this number of publishers, and at most MOST_FOR_A_REPOSITORY for one repository. A request of a
# pipeline reads the latter. docs/first-deployment.md makes 18: six for each of three environments.
MOST_IN_A_SYSTEM = 50
MOST_FOR_A_REPOSITORY = 20
# A request that names no system reads at most this number of publishers, of all systems: one more than /v1/me lists.
MOST_READ = 201

# Git allows no ASCII blank or control character in a ref ("git check-ref-format"), but all others, such as U+3000. At
# most three wildcards, so that a pattern stays readable, and no `**`: elsewhere it also stands for `/`.
_LITERAL = r"[^*\u0000-\u0020\u007f]"
_PATTERN = rf"{_LITERAL}*(\*({_LITERAL}+\*){{0,2}}{_LITERAL}*)?"

GitHubId = Annotated[str, matching("[0-9]{1,20}", "74")]
Repository = Annotated[str, matching(_REPOSITORY, "acme/shop", "Owner and name on GitHub; case does not matter")]
Workflow = Annotated[str, matching(_WORKFLOW, ".github/workflows/deploy.yml", "Path of the workflow that is started")]
CalledWorkflow = Annotated[
    str,
    matching(
        rf"{_REPOSITORY}/{_WORKFLOW}@{_PATTERN}",
        "acme/pipelines/.github/workflows/deploy.yml@refs/heads/main",
        "The reusable workflow that has the job, with repository and ref; null if the job must be in none. `*` stands "
        "for any text without `/`; `**` is refused",
        max_length=750,
    ),
]
Ref = Annotated[
    str,
    matching(
        rf"refs/(heads|tags)/{_PATTERN}",
        "refs/heads/main",
        "The branch or tag of the run; `*` stands for any text without `/`; `**` is refused",
        max_length=255,
    ),
]
Events = Annotated[
    tuple[Event, ...],
    Meta(
        min_length=1,
        max_length=5,
        extra_json_schema={"uniqueItems": True},
        description="The events that may start the workflow. Pull requests are never allowed, because their code is "
        "not merged yet. `workflow_run` is not a default, because this event can follow a run of any code",
    ),
]
GitHubEnvironment = Annotated[
    str, matching(r"[^\u0000-\u001f]{1,255}", "production", "An environment on GitHub; case does not matter")
]
Environments = Annotated[
    dict[EnvironmentName, GitHubEnvironment | None],
    Meta(
        min_length=1,
        max_length=50,
        description="The environments that the pipeline may write for. Each names the GitHub environment that the job "
        "must run in. Null accepts any GitHub environment, or none",
        examples=[{"development": None, "production": "production"}],
    ),
]
Kinds = Annotated[
    tuple[RecordKind, ...],
    Meta(
        min_length=1,
        max_length=4,
        description="The kinds of records that the pipeline may write",
        examples=[["deployments", "verifications"]],
        extra_json_schema={"uniqueItems": True},
    ),
]
Purposes = Annotated[
    tuple[Purpose, ...],
    Meta(
        min_length=1,
        max_length=3,
        description="The purposes of the workspaces that the pipeline may write, if `kinds` has `workspaces`",
        examples=[["personal", "preview"]],
        extra_json_schema={"uniqueItems": True},
    ),
]
AnyRevision = Annotated[bool, Meta(description="True if a rollout or hotfix may be of another commit than the run")]


class NewPublisher(Request, kw_only=True):
    issuer: Annotated[
        HttpsUrl | None,
        Meta(description="The issuer of the tokens; may be null if the stage trusts only one issuer of pipelines"),
    ] = None
    repository: Repository
    repository_id: GitHubId
    repository_owner_id: GitHubId
    workflow: Workflow
    called_workflow: CalledWorkflow | None = None
    events: Events = ("push", "workflow_dispatch", "schedule", "release")
    ref: Ref
    environments: Environments
    kinds: Kinds = ("deployments", "verifications")
    purposes: Purposes = ("personal", "preview")
    any_revision: AnyRevision = False
    reason: LooseningReason | None = None

    def faults(self) -> Iterator[Fault]:
        for name, values in {"events": self.events, "kinds": self.kinds, "purposes": self.purposes}.items():
            if len(set(values)) < len(values):
                yield Fault(f"#/{name}", "has a value twice: send each value once")


class Publisher(Answer, kw_only=True):
    id: Id
    system: Slug
    issuer: HttpsUrl
    repository: Repository
    repository_id: GitHubId
    repository_owner_id: GitHubId
    workflow: Workflow
    called_workflow: CalledWorkflow | None
    events: Events
    ref: Ref
    environments: Environments
    kinds: Kinds
    purposes: Purposes
    any_revision: AnyRevision
    created_at: Timestamp
    created_by: PrincipalName


class Surroundings(NamedTuple):
    """The facts that decide about a new publisher: its system, the environments, and how many publishers there are.

    `repository` is the URL of the system's own repository. `production` names the production environments.
    """

    repository: str | None
    environments: list[str]
    production: list[str]
    publishers: int
    of_repository: int


class TrustedRepository(NamedTuple):
    """A repository whose pipelines may write what the gate trusts. `own` is the URL of the system's own repository."""

    issuer: str
    repository: str
    own: str | None


too_many_publishers = problem_type(
    "too-many-publishers",
    409,
    "Too many publishers",
    f"A system has at most {MOST_IN_A_SYSTEM} publishers, and {MOST_FOR_A_REPOSITORY} for one repository: delete those "
    "that no pipeline uses.",
)


constraint(
    "publishers_events_known",
    problems.invalid,
    "The events are empty or contain one that no publisher may allow: send events such as `push`",
    "#/events",
)
constraint(
    "publishers_kinds_known",
    problems.invalid,
    "The kinds are empty or unknown: send `deployments`, `verifications`, `workspaces` or `bindings`",
    "#/kinds",
)
constraint(
    "publishers_wildcards_are_few",
    problems.invalid,
    "A pattern has `**`, or more than three `*`: send fewer",
    "#/called_workflow",
)
constraint(
    "publishers_purposes_known",
    problems.invalid,
    "The purposes are empty or unknown: send `personal`, `preview` or `debug`",
    "#/purposes",
)
constraint(
    "publisher_environments_keep_environment",
    problems.in_use,
    "Publishers name the environment: delete these publishers first",
)
