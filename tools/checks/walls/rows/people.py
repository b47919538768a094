"""The people who get a role, and what they may do with it."""

from collections.abc import Iterator
from dataclasses import replace

from tools.checks.walls.places import (
    DEVELOPMENT,
    OTHER_SECRETS,
    PREPRODUCTION,
    PRODUCTION,
    Places,
    Target,
    abroad,
    anything,
    buckets,
    cluster,
    debug,
    elsewhere,
    foreign,
    function,
    key,
    log_group,
    log_stream,
    other_secret,
    preview,
    reader_secret,
    role,
    secret_of_master,
    site_file,
    state,
    state_bucket,
    untagged,
    user_pool,
)
from tools.checks.walls.plans import MEMBERS
from tools.checks.walls.principals import OfAccount, Person
from tools.checks.walls.rows import github
from tools.checks.walls.rows.created_roles import VIA_SECRETS
from tools.checks.walls.table import Wall, acts, wall

HOUR = 60 * 60
VIA_S3 = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}
# The role, the key of its members in `people`, if the role is in production's account, and the hours of a session.
ROLES = (
    ("developer", "developer", False, 8),
    ("on-call", "on_call", True, 2),
    ("administrator", "administrator", False, 2),
    ("administrator", "administrator", True, 2),
)


def _members() -> Iterator[Wall]:
    for name, members, production, hours in ROLES:
        arn = MEMBERS[members]
        account = arn.rpartition(":")[0]
        member = Person(f"a member of {name} with a second factor", arn)
        others = [each for each in ROLES if each[0] != name and each[2] == production]
        yield Wall(
            member,
            f"takes the role {name}",
            acts("sts", "AssumeRole"),
            (github.role(name, production=production),),
            tuple(github.role(each, production=production) for each, _, _, _ in others),
            not_by=(
                replace(member, name="a member without a second factor", mfa=False, mfa_age=None),
                replace(member, name="a member with a second factor of another session", mfa=False),
                replace(member, name="a member with a second factor of unknown age", mfa_age=None),
                replace(member, name="a member with an old second factor", mfa_age=hours * HOUR),
                replace(member, name="another person", arn=f"{arn}-2"),
                replace(member, name="the account of the member", arn=f"{account}:root"),
                replace(member, name="a person in the account of the role", arn=_moved(arn, production=production)),
                replace(member, name="a role with the member's name", arn=arn.replace(":user/", ":role/")),
            ),
        )
        yield Wall(
            member,
            "takes a role of a pipeline",
            acts("sts", "AssumeRole"),
            not_on=tuple(github.roles(production=production)),
        )


def _moved(arn: str, *, production: bool) -> str:
    return f"arn:aws:iam::{(PRODUCTION if production else DEVELOPMENT).account_id}:{arn.rpartition(':')[2]}"


def _watching(who: OfAccount, environments: list[Target], foreigner: Target, own: Target) -> Iterator[Wall]:
    """Yield the rows of a role that reads everything in its account, and changes the workspaces like `own`."""
    [of, *_] = environments
    targets = [*environments, preview(of), debug(of)]
    # The names of the other account's environment, in this account too.
    moved = replace(foreigner, account=of.account_id)
    outside = [foreigner, moved, foreign(of), abroad(of)]
    read = acts("logs", "DescribeLogStreams FilterLogEvents StartLiveTail StartQuery")
    yield wall(who, "reads logs", read, log_group, targets, [*outside, elsewhere(of)])
    yield wall(who, "reads a log", acts("logs", "GetLogEvents"), log_stream, targets, [*outside, elsewhere(of)])
    for actions in (
        acts("cloudwatch", "GetMetricData GetMetricStatistics ListDashboards ListMetrics"),
        acts("logs", "GetQueryResults StopQuery"),
        acts("xray", "BatchGetTraces GetServiceGraph GetTraceSummaries"),
    ):
        yield wall(who, "reads metrics, traces and results", actions, anything, [of], [foreigner, abroad(of)])
    row = wall(who, "lists the states", acts("s3", "ListBucket"), state_bucket, [of], [foreigner])
    yield replace(row, not_on=(*row.not_on, *buckets(of)))
    yield wall(who, "reads states", acts("s3", "GetObject"), state, targets, [foreigner, moved])
    ask = acts("rds-data", "BeginTransaction CommitTransaction ExecuteStatement RollbackTransaction")
    yield wall(who, "reads data by the Data API", ask, cluster, targets, [*outside, elsewhere(of)])
    secret = acts("secretsmanager", "GetSecretValue")
    row = wall(who, "reads the reader's password", secret, reader_secret, targets, [*outside, elsewhere(of)])
    yield replace(row, not_on=(*row.not_on, *(other_secret(name)(each) for name in OTHER_SECRETS for each in targets)))
    row = wall(
        who,
        "decrypts the reader's password",
        acts("kms", "Decrypt"),
        key,
        targets,
        [foreigner, foreign(of), abroad(of), elsewhere(of)],
        VIA_SECRETS,
        [VIA_S3, {}],
    )
    yield replace(row, not_on=(*row.not_on, untagged(key)(of)))
    yield wall(
        who, "changes the code of its workspaces", acts("lambda", "UpdateFunctionCode"), function(), [own], targets[:1]
    )
    for does, actions, place in CHANGES:
        yield wall(who, does, actions, place, not_of=[*environments, debug(of) if own == preview(of) else preview(of)])


CHANGES: tuple[tuple[str, tuple[str, ...], Places], ...] = (
    ("reads the master's password", acts("secretsmanager", "GetSecretValue"), secret_of_master),
    ("changes the reader's password", acts("secretsmanager", "PutSecretValue UpdateSecret"), reader_secret),
    ("changes code", acts("lambda", "UpdateFunctionCode UpdateFunctionConfiguration InvokeFunction"), function()),
    ("hands a role to a service", acts("iam", "PassRole"), role()),
    ("changes a role", acts("iam", "PutRolePolicy AttachRolePolicy UpdateAssumeRolePolicy"), role()),
    ("changes a cluster", acts("rds", "ModifyDBCluster DeleteDBCluster"), cluster),
    ("writes a state", acts("s3", "PutObject DeleteObject"), state),
    ("writes a site", acts("s3", "PutObject DeleteObject"), site_file),
    ("changes people", acts("cognito-idp", "AdminCreateUser AdminAddUserToGroup AdminSetUserPassword"), user_pool),
    ("deletes logs", acts("logs", "DeleteLogGroup"), log_group),
)
WALLS = (
    *_members(),
    *_watching(OfAccount("developer"), [DEVELOPMENT, PREPRODUCTION], PRODUCTION, preview(DEVELOPMENT)),
    *_watching(OfAccount("on-call", production=True), [PRODUCTION], DEVELOPMENT, debug(PRODUCTION)),
)
