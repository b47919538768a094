"""The rows about roles that a target's code or pipeline created. The boundary of their kind is their only limit.

A preview runs code that nobody has reviewed. So read these rows as the ways in for such code.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from chalicelib import SQL_NAME
from tools.checkout import ENVIRONMENTS
from tools.checks.walls.places import (
    OTHER_SECRETS,
    Place,
    Target,
    abroad,
    anything,
    artifact,
    cluster,
    debug,
    dependency_secret,
    elsewhere,
    foreign,
    function,
    key,
    log_group,
    log_stream,
    login,
    other_secret,
    part,
    preview,
    reader_secret,
    role,
    secret_of_master,
    security_group,
    site_file,
    state,
    untagged,
)
from tools.checks.walls.principals import MadeBy
from tools.checks.walls.table import Wall, acts, wall

VIA_SECRETS = {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}
VIA_RDS = {"kms:ViaService": "rds.eu-central-1.amazonaws.com"}


@dataclass(frozen=True)
class Kind:
    """A kind of target of an environment: the names of its boundary and its database logins end in these texts."""

    target: Target
    boundary: str
    logins: str

    @property
    def is_environment(self) -> bool:
        return self.target.workspace == "default"

    @property
    def made(self) -> MadeBy:
        """A created role, used by code in a function of this kind."""
        return MadeBy(self.target, f"{self.target.environment}{self.boundary}")

    @property
    def others(self) -> list[Target]:
        """Targets that the role must not reach. They may have the names of the other account's environments."""
        account = self.target.account_id
        moved = [
            each.target if each.target.account_id == account else replace(each.target, account=account)
            for each in KINDS
        ]
        return [each for each in moved if each != self.target]

    @property
    def outside(self) -> list[Target]:
        """The same, without workspaces of the environment itself, whose names begin with the environment's name."""
        own = self.target.environment if self.is_environment else None
        return [each for each in self.others if each.environment != own]


_CHANGES = "AssignPrivateIpAddresses DeleteNetworkInterface UnassignPrivateIpAddresses"


def _kinds(environment: str) -> Iterator[Kind]:
    of = Target(environment)
    yield Kind(of, "", "")
    yield Kind(preview(of), "-workspaces", "_w")
    yield Kind(debug(of), "-debug", "_d")


KINDS = tuple(kind for environment in ENVIRONMENTS for kind in _kinds(environment))


def _walls(kind: Kind) -> Iterator[Wall]:
    yield from _network(kind)
    yield from _logs(kind)
    yield from _logins(kind)
    yield from _database(kind)
    yield from _nothing_else(kind)


def _network(kind: Kind) -> Iterator[Wall]:
    # AWS Lambda makes interfaces in the name of the role: there is no function's code in the request.
    by_lambda = replace(kind.made, function=None)
    of, create = kind.target, acts("ec2", "CreateNetworkInterface")
    environment = Target(of.environment)
    # On live data, a debug workspace uses subnets and two security groups of its environment.
    shared = [environment] if kind.logins == "_d" else []
    far = [*(each for each in kind.others if each not in shared), *map(foreign, (of, *shared))]
    for place, name in ((part("subnet"), "subnets"), (security_group("functions"), "security groups")):
        row = wall(by_lambda, f"gets interfaces in {name}", create, place, [of, *shared], far)
        yield replace(row, not_on=(*row.not_on, untagged(place)(of)), not_by=(kind.made,))
    closed = tuple(security_group(name)(environment) for name in ("closed", "database"))
    clients = security_group("database-client")(environment)
    if kind.is_environment or shared:
        yield Wall(
            by_lambda,
            "gets interfaces in the environment's security groups",
            create,
            (clients, *(closed if kind.is_environment else ())),
            () if kind.is_environment else closed,
            not_by=(kind.made,),
        )
    yield replace(
        wall(by_lambda, "changes and removes interfaces", acts("ec2", _CHANGES), part("network-interface"), [of]),
        not_by=(kind.made,),
    )
    yield replace(
        wall(
            by_lambda, "looks for interfaces", acts("ec2", "DescribeNetworkInterfaces DescribeSubnets"), anything, [of]
        ),
        not_by=(kind.made,),
    )


def _logs(kind: Kind) -> Iterator[Wall]:
    write = acts("logs", "CreateLogStream PutLogEvents")
    of, outside = kind.target, [*kind.outside, elsewhere(kind.target), foreign(kind.target)]
    yield wall(kind.made, "writes logs", write, log_stream, [of], outside)
    # A policy with a star before the name of the group would match the name of a stream.
    others = tuple(_stream_like(of, each) for each in outside)
    yield Wall(kind.made, "writes into another's log, to a stream that is named like its own log", write, not_on=others)
    yield wall(kind.made, "looks for logs", acts("logs", "DescribeLogStreams"), log_group, [of], outside)
    traces = acts("xray", "PutTraceSegments PutTelemetryRecords")
    yield wall(kind.made, "writes traces", traces, anything, [of], [abroad(of)])


def _stream_like(of: Target, other: Target) -> Place:
    stream = f"/aws/lambda/{other.name}-api:log-stream:x/{of.name}-api"
    return Place(f"arn:aws:logs:{other.place}:log-group:{stream}", other.account_id)


def _logins(kind: Kind) -> Iterator[Wall]:
    allowed = {f"{SQL_NAME}_{role}_{kind.target.environment}{kind.logins}" for role in ("app", "migrator")}
    if kind.logins == "_d":
        allowed.add(f"{SQL_NAME}_app_{kind.target.environment}")
    every = {
        *(
            f"{SQL_NAME}_{role}_{each.target.environment}{each.logins}"
            for each in KINDS
            for role in ("app", "migrator")
        ),
        *(f"{SQL_NAME}_{role}" for role in ("app", "migrator", "reader")),
        "cluster_owner",
    }
    connect, of = acts("rds-db", "connect"), kind.target
    for user in sorted(allowed):
        yield wall(kind.made, f"logs in as {user}", connect, login(user), [of], [elsewhere(of), abroad(of)])
    yield Wall(
        kind.made,
        "logs in as another user",
        connect,
        not_on=tuple(login(user)(target) for user in sorted(every - allowed) for target in (of, kind.others[0])),
    )


def _database(kind: Kind) -> Iterator[Wall]:
    of, made = kind.target, kind.made
    # The ARN of another kind's function: its code must not use the role. Names of an environment begin like names of
    # its workspaces, so the environment's role may be used by their functions too.
    others = [
        {"lambda:SourceFunctionArn": function()(each).resource}
        for each in [*(kind.outside if kind.is_environment else kind.others), elsewhere(of)]
    ]
    outsider = (replace(made, function=None),)
    rows = (
        wall(
            made,
            "runs SQL as the master user",
            acts("rds-data", "BeginTransaction CommitTransaction ExecuteStatement RollbackTransaction"),
            cluster,
            [of],
            [*kind.others, elsewhere(of), abroad(of)],
        ),
        wall(
            made,
            "reads the master's password",
            acts("secretsmanager", "GetSecretValue"),
            secret_of_master,
            [of],
            [*kind.others, elsewhere(of)],
        ),
        wall(
            made,
            "keeps the reader's password",
            acts("secretsmanager", "DescribeSecret GetSecretValue PutSecretValue"),
            reader_secret,
            [of],
            [*kind.others, elsewhere(of), abroad(of)],
        ),
    )
    for row in rows:
        near = [other_secret(name)(of) for name in OTHER_SECRETS] if row is rows[-1] else []
        yield replace(row, not_on=(*row.not_on, *near), not_when=tuple(others), not_by=outsider)
    # The environment's functions may get a secret that a person made for it. Code of workspaces gets none.
    secrets = wall(
        made,
        "reads secrets of dependencies",
        acts("secretsmanager", "GetSecretValue"),
        dependency_secret,
        [of] if kind.is_environment else [],
        [*(kind.outside if kind.is_environment else kind.others), elsewhere(of), abroad(of), foreign(of)],
    )
    yield replace(secrets, not_when=tuple(others), not_by=outsider) if kind.is_environment else secrets
    yield Wall(
        made,
        "changes secrets of dependencies",
        acts("secretsmanager", "PutSecretValue"),
        not_on=(dependency_secret(of),),
    )
    yield wall(
        made,
        "uses the key of secrets",
        acts("kms", "Decrypt GenerateDataKey"),
        key,
        [of],
        [*kind.others, elsewhere(of)],
        VIA_SECRETS,
        [VIA_RDS, {}, *({**VIA_SECRETS, **each} for each in others)],
    )


def _nothing_else(kind: Kind) -> Iterator[Wall]:
    environments = [each for each in (kind.target, *kind.others) if each.workspace == "default" and not each.account]
    every = list(dict.fromkeys([kind.target, *environments]))
    yield wall(kind.made, "takes the role of a function", acts("sts", "AssumeRole"), role(), not_of=environments)
    for does, actions, place in (
        ("hands a role to a service", acts("iam", "PassRole"), role()),
        ("changes a role", acts("iam", "PutRolePolicy AttachRolePolicy UpdateAssumeRolePolicy CreateRole"), role()),
        ("removes its boundary", acts("iam", "DeleteRolePermissionsBoundary PutRolePermissionsBoundary"), role()),
        ("calls a function", acts("lambda", "InvokeFunction"), function()),
        ("changes a function", acts("lambda", "UpdateFunctionCode UpdateFunctionConfiguration"), function()),
        ("reads logs", acts("logs", "FilterLogEvents StartQuery"), log_group),
        ("reaches a state", acts("s3", "GetObject PutObject DeleteObject"), state),
        ("reaches a site", acts("s3", "GetObject PutObject DeleteObject"), site_file),
        ("reaches packages", acts("s3", "GetObject PutObject"), artifact),
        ("changes a cluster", acts("rds", "ModifyDBCluster DeleteDBCluster RestoreDBClusterToPointInTime"), cluster),
        ("changes a key", acts("kms", "PutKeyPolicy CreateGrant ScheduleKeyDeletion"), key),
        ("tags a subnet", acts("ec2", "CreateTags DeleteTags"), part("subnet")),
        ("opens a security group", acts("ec2", "AuthorizeSecurityGroupIngress"), part("security-group")),
    ):
        yield wall(kind.made, does, actions, place, not_of=every)


WALLS = tuple(row for kind in KINDS for row in _walls(kind))
