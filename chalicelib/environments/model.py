"""An environment: a set of resources that work together."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chalicelib.patterns import matching
from chalicelib.rest import problems
from chalicelib.rest.constraints import constraint
from chalicelib.rest.problems import Fault, problem_type
from chalicelib.rest.types import Answer, Query, Request, Seconds, Timestamp
from chalicelib.vocabulary import EnvironmentName, EnvironmentUrl, LooseningReason, Suite

Rank = Annotated[int, Meta(ge=1, le=1000, description="Place in the order of promotion; unique in the system")]
AwsAccountId = Annotated[str, matching("[0-9]{12}", "111122223333")]
Region = Annotated[str, matching("[a-z]{2,4}(-[a-z]+)+-[0-9]", "eu-central-1", max_length=30)]
RequiredSoak = Annotated[
    Seconds,
    Meta(description="Seconds that an artifact must soak in the environment with the next lower rank"),
]
VerificationMaxAge = Annotated[
    int,
    Meta(
        ge=1,
        le=365 * 86400,
        description="The greatest age, in seconds, of verifications in the environment with the next lower rank; "
        "null if verifications never expire",
    ),
]
RequiredApprovals = Annotated[
    int, Meta(ge=0, le=5, description="The number of people who must approve an artifact for this environment")
]
RequiredSuites = Annotated[
    tuple[Suite, ...],
    Meta(
        max_length=50,
        description="The suites that must succeed in the environment with the next lower rank",
        extra_json_schema={"uniqueItems": True},
    ),
]

WorkspaceHost = Annotated[str, matching(r"\.?([a-z0-9-]+\.)+[a-z][a-z0-9-]*", ".azul.example.org", max_length=254)]
WorkspaceHosts = Annotated[
    tuple[WorkspaceHost, ...],
    Meta(
        max_length=50,
        description="The hosts to which maintainers may route others: a host, or a suffix such as `.azul.example.org` "
        "for all hosts below it. A suffix has three labels or more, and none of a shared domain such as `.on.aws`",
    ),
]

# Anybody can get a host below these domains, or some labels below them, such as a label for a region. The list is not
# complete: https://publicsuffix.org has more. Domains whose customers each get a name directly below them, such as
# `github.io`, need no entry: a suffix has three labels, so it belongs to one customer.
_SHARED = (
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.aws",
    ".app.github.dev",
    ".awsapprunner.com",
    ".azure.com",
    ".azurecontainerapps.io",
    ".azurestaticapps.net",
    ".azurewebsites.net",
    ".cloudfront.cn",
    ".cloudfront.net",
    ".devtunnels.ms",
    ".digitaloceanspaces.com",
    ".elasticbeanstalk.com",
    ".ngrok.app",
    ".ngrok.dev",
    ".ngrok.io",
    ".on.aws",
    ".r.appspot.com",
    ".run.app",
    ".up.railway.app",
    ".windows.net",
)
_FEWEST_LABELS = 3

account_holds_one_class = problem_type(
    "account-holds-one-class",
    409,
    "Account holds one class",
    "An AWS account holds either production environments or others: give the environment another account.",
)


class NewEnvironment(Request, kw_only=True):
    name: EnvironmentName
    rank: Rank
    aws_account_id: AwsAccountId | None = None
    region: Region | None = None
    base_url: EnvironmentUrl | None = None
    production: bool = False
    required_soak_seconds: RequiredSoak = 0
    verification_max_age_seconds: VerificationMaxAge | None = None
    required_suites: RequiredSuites = ()
    required_approvals: RequiredApprovals = 0
    workspace_hosts: WorkspaceHosts = ()
    reason: LooseningReason | None = None

    def faults(self) -> Iterator[Fault]:
        yield from _repeated(self.required_suites)
        yield from _shared(self.workspace_hosts)


class EnvironmentChange(Request, kw_only=True):
    rank: Rank | UnsetType = UNSET
    aws_account_id: AwsAccountId | UnsetType | None = UNSET
    region: Region | UnsetType | None = UNSET
    base_url: EnvironmentUrl | UnsetType | None = UNSET
    production: bool | UnsetType = UNSET
    required_soak_seconds: RequiredSoak | UnsetType = UNSET
    verification_max_age_seconds: VerificationMaxAge | UnsetType | None = UNSET
    required_suites: RequiredSuites | UnsetType = UNSET
    required_approvals: RequiredApprovals | UnsetType = UNSET
    workspace_hosts: WorkspaceHosts | UnsetType = UNSET
    reason: LooseningReason | None = None

    def faults(self) -> Iterator[Fault]:
        if self.required_suites is not UNSET:
            yield from _repeated(self.required_suites)
        if self.workspace_hosts is not UNSET:
            yield from _shared(self.workspace_hosts)


class EnvironmentDeletion(Query, kw_only=True):
    reason: LooseningReason | None = None


class Environment(Answer, kw_only=True):
    name: EnvironmentName
    rank: Rank
    aws_account_id: AwsAccountId | None
    region: Region | None
    base_url: EnvironmentUrl | None
    production: bool
    required_soak_seconds: RequiredSoak
    verification_max_age_seconds: VerificationMaxAge | None
    required_suites: RequiredSuites
    required_approvals: RequiredApprovals
    workspace_hosts: WorkspaceHosts
    created_at: Timestamp


def _repeated(suites: tuple[str, ...]) -> Iterator[Fault]:
    if len(set(suites)) < len(suites):
        yield Fault("#/required_suites", "names a suite twice: send each suite once")


def _shared(hosts: tuple[str, ...]) -> Iterator[Fault]:
    for index, host in enumerate(hosts):
        if not host.startswith("."):
            continue
        if host.endswith(_SHARED):
            yield Fault(
                f"#/workspace_hosts/{index}",
                "is a suffix of a shared domain, and anybody can get a host below it: name each host in full",
            )
        elif host.count(".") < _FEWEST_LABELS:
            yield Fault(
                f"#/workspace_hosts/{index}",
                f"is a suffix of fewer than {_FEWEST_LABELS} labels, and anybody could get a host below it: send a "
                "suffix like `.azul.example.org`, or name each host in full",
            )


constraint(
    "aws_accounts_id_is_twelve_digits",
    problems.invalid,
    "An AWS account's id has twelve digits: correct the id",
    "#/aws_account_id",
)
constraint(
    "environments_name_once",
    problems.already_exists,
    "Another environment of the system has this name: choose another name",
    "#/name",
)
constraint(
    "environments_rank_once",
    problems.already_exists,
    "Another environment of the system has this rank: choose another rank",
    "#/rank",
)
constraint(
    "environments_name_is_slug",
    problems.invalid,
    "A name is 2 to 39 lower-case letters, digits and hyphens, and starts with a letter: choose another name",
    "#/name",
)
constraint(
    "environments_base_url_is_https",
    problems.invalid,
    "The URL is not `https://`, a host in lower case and a path: send a URL like `https://azul.example.org`",
    "#/base_url",
)
constraint("environments_rank_is_bounded", problems.invalid, "A rank is 1 to 1000: send another rank", "#/rank")
constraint(
    "environments_region_known", problems.invalid, "A region has a form like `eu-central-1`: correct it", "#/region"
)
constraint(
    "environments_required_soak_is_bounded",
    problems.invalid,
    "The time to soak is 0 seconds to a year: send another time",
    "#/required_soak_seconds",
)
constraint(
    "environments_verification_max_age_is_bounded",
    problems.invalid,
    "The greatest age of verifications is 1 second to a year: send another age, or null",
    "#/verification_max_age_seconds",
)
constraint(
    "environments_required_approvals_are_few",
    problems.invalid,
    "The number of approvals is out of bounds: send 0 to 5",
    "#/required_approvals",
)
constraint(
    "environments_required_suites_known",
    problems.invalid,
    "The required suites are at most 50 names of suites: correct the list",
    "#/required_suites",
)
constraint(
    "environments_workspace_hosts_known",
    problems.invalid,
    "The workspace hosts are at most 50 hosts or suffixes: correct the list",
    "#/workspace_hosts",
)
constraint(
    "environments_account_holds_one_class",
    account_holds_one_class,
    "An AWS account holds either production environments or others: choose another account",
    "#/aws_account_id",
)
