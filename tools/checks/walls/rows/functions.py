"""The rows about the functions of the service, and about the services that use their roles.

The names of an environment begin like the names of its workspaces, but a function's own policy has whole names.
"""

from collections.abc import Iterator
from dataclasses import replace

from chalicelib import SQL_NAME
from tools.checks.walls.places import (
    DEVELOPMENT,
    OTHER_SECRETS,
    PREPRODUCTION,
    PRODUCTION,
    STRANGER,
    Target,
    abroad,
    alias,
    anything,
    cluster,
    debug,
    dependency_secret,
    elsewhere,
    function,
    key,
    login,
    named,
    other_secret,
    part,
    preview,
    reader_secret,
    role,
    secret_of_master,
    state,
)
from tools.checks.walls.principals import Administrator, OfFunction, Service
from tools.checks.walls.rows.created_roles import VIA_RDS, VIA_SECRETS
from tools.checks.walls.table import Wall, acts, wall

# A workspace on live data has no cluster: it uses the environment's.
LIVE = tuple(debug(of, "live") for of in (DEVELOPMENT, PRODUCTION))
OWNERS = (DEVELOPMENT, PREPRODUCTION, PRODUCTION, preview(DEVELOPMENT), debug(DEVELOPMENT))
LAMBDA, GATEWAY, EVENTS = (f"{name}.amazonaws.com" for name in ("lambda", "apigateway", "events"))


def _of(target: Target) -> Iterator[Wall]:
    is_live = target in LIVE
    data = Target(target.environment) if is_live else target
    suffix = target.environment + {"d-": "_d", "w-": "_w"}.get("" if is_live else target.workspace[:2], "")
    others = [each for each in (*OWNERS, *LIVE, debug(DEVELOPMENT, "fix-2")) if each != target]
    in_network = ("api", "sweep") if is_live else ("api", "sweep", "migrate")
    for name in (*in_network, "authorizer", *(() if is_live else ("bootstrap",))):
        yield from _of_all(name, target, others)
    for name in in_network:
        user = f"{SQL_NAME}_{'migrator' if name == 'migrate' else 'app'}_{suffix}"
        yield from _in_network(name, target, data, user)
    if not is_live:
        yield from _of_bootstrap(target, others)
    yield from _callers(target)


def _of_all(name: str, target: Target, others: list[Target]) -> Iterator[Wall]:
    who = OfFunction(name, target)
    stream = named(f"arn:aws:logs:{{place}}:log-group:/aws/lambda/{{name}}-{name}:log-stream:1")
    write = acts("logs", "CreateLogStream PutLogEvents")
    yield wall(who, "writes its log", write, stream, [target], [*others, elsewhere(target)])
    traces = acts("xray", "PutTraceSegments PutTelemetryRecords")
    yield wall(who, "writes traces", traces, anything, [target], [abroad(target)])
    every = [target, *others]
    for does, actions, place in (
        ("reads the master's password", acts("secretsmanager", "GetSecretValue"), secret_of_master),
        ("reads the reader's password", acts("secretsmanager", "GetSecretValue"), reader_secret),
        ("runs SQL as the master user", acts("rds-data", "ExecuteStatement"), cluster),
    ):
        yield wall(who, does, actions, place, not_of=others if name == "bootstrap" else every)
    # No function uses a secret of a dependency yet. If one does, its environments are `of` in this row.
    read = acts("secretsmanager", "GetSecretValue")
    yield wall(who, "reads a secret of a dependency", read, dependency_secret, not_of=every)
    yield wall(who, "calls a function", acts("lambda", "InvokeFunction"), function(), not_of=every)
    yield wall(who, "reads a state", acts("s3", "GetObject"), state, not_of=every)
    source = f"arn:aws:lambda:{target.place}:function:{target.name}-{name}"
    yield from _trust(name, target, LAMBDA, source, f"{source}-2")


def _trust(name: str, target: Target, service: str, source: str, other: str) -> Iterator[Wall]:
    """Yield the row of a role that a service of AWS takes to work for `source`, and not for `other`."""
    account = {"aws:SourceAccount": target.account_id}
    own = Service(service, service, {**account, "aws:SourceArn": source})
    yield Wall(
        own,
        f"takes the role {target.name}-{name}",
        acts("sts", "AssumeRole"),
        (role(name)(target),),
        not_by=(
            replace(own, name="the service in another account", context={**own.context, "aws:SourceAccount": STRANGER}),
            replace(own, name="the service for another resource", context={**account, "aws:SourceArn": other}),
            replace(own, name="the service for nobody", context={}),
            Service("ec2.amazonaws.com", "another service", own.context),
            Administrator(production=target.environment == "production"),
        ),
    )


def _in_network(name: str, target: Target, data: Target, user: str) -> Iterator[Wall]:
    who = OfFunction(name, target)
    yield wall(
        who,
        f"logs in as {user}",
        acts("rds-db", "connect"),
        login(user),
        [data],
        [*(each for each in OWNERS if each != data), elsewhere(data)],
    )
    yield Wall(
        who,
        "logs in as another user",
        acts("rds-db", "connect"),
        not_on=tuple(
            login(other)(data)
            for other in (
                "cluster_owner",
                f"{SQL_NAME}_reader",
                user.replace("_app_", "_migrator_") if "_app_" in user else user.replace("_migrator_", "_app_"),
            )
        ),
    )
    for does, action, place in (
        ("gets interfaces", "CreateNetworkInterface", part("subnet")),
        ("looks for its interfaces", "DescribeNetworkInterfaces DescribeSubnets", anything),
        (
            "changes and removes its interfaces",
            "AssignPrivateIpAddresses DeleteNetworkInterface UnassignPrivateIpAddresses",
            part("network-interface"),
        ),
    ):
        # AWS Lambda makes the interfaces in the function's name. The function's code must not.
        row = wall(replace(who, code=False), f"{does} by AWS Lambda", acts("ec2", action), place, [data])
        yield replace(row, not_by=(who,))


def _of_bootstrap(target: Target, others: list[Target]) -> Iterator[Wall]:
    who, by_lambda = OfFunction("bootstrap", target), OfFunction("bootstrap", target, code=False)
    abroad_ = [*others, elsewhere(target)]
    if target.workspace != "default":
        abroad_.append(replace(target, workspace=f"{target.workspace}-2"))
    rows = (
        wall(
            who,
            "runs SQL as the master user of its cluster",
            acts("rds-data", "BeginTransaction ExecuteStatement CommitTransaction RollbackTransaction"),
            cluster,
            [target],
            abroad_,
        ),
        wall(
            who,
            "reads the master's password of its cluster",
            acts("secretsmanager", "GetSecretValue"),
            secret_of_master,
            [target],
            abroad_,
        ),
        wall(
            who,
            "keeps the reader's password",
            acts("secretsmanager", "GetSecretValue PutSecretValue"),
            reader_secret,
            [target],
            abroad_,
        ),
        wall(
            who,
            "uses the key of its secrets",
            acts("kms", "Decrypt GenerateDataKey"),
            key,
            [target],
            abroad_,
            VIA_SECRETS,
            [VIA_RDS, {}],
        ),
    )
    for row in rows:
        near = [other_secret(name)(target) for name in OTHER_SECRETS] if row is rows[2] else []
        yield replace(row, not_on=(*row.not_on, *near), not_by=(by_lambda,))


def _callers(target: Target) -> Iterator[Wall]:
    """Yield the rows of services that call the functions of a target."""
    call = acts("lambda", "InvokeFunction")
    gateway = Service(
        GATEWAY, "API Gateway", {"aws:SourceArn": f"arn:aws:execute-api:{target.place}:{target.name}/live/GET/"}
    )
    neighbour = next(each for each in OWNERS if each.name not in target.name)
    for name in ("api", "authorizer"):
        yield Wall(
            gateway,
            f"calls {name} of {target.name}",
            call,
            (alias(name)(target),),
            (function(name)(target), alias(name, "7")(target), alias("sweep")(target)),
            not_by=(
                replace(
                    gateway,
                    name="API Gateway for another API",
                    context={"aws:SourceArn": f"arn:aws:execute-api:{neighbour.place}:{neighbour.name}/live/GET/"},
                ),
                replace(gateway, name="API Gateway for nobody", context={}),
                replace(gateway, name="another service", service=EVENTS),
            ),
        )
    rule = Service(EVENTS, "EventBridge", {"aws:SourceArn": f"arn:aws:events:{target.place}:rule/{target.name}-sweep"})
    yield Wall(
        rule,
        f"calls sweep of {target.name}",
        call,
        (alias("sweep")(target),),
        (function("sweep")(target), alias("sweep", "7")(target), alias("api")(target)),
        not_by=(
            replace(
                rule,
                name="EventBridge for another rule",
                context={"aws:SourceArn": f"arn:aws:events:{neighbour.place}:rule/{neighbour.name}-sweep"},
            ),
            replace(rule, name="EventBridge for nobody", context={}),
            replace(rule, name="another service", service=GATEWAY),
        ),
    )


def _flow(target: Target) -> Iterator[Wall]:
    """Yield the rows of the role that writes the flow log of a network."""
    who = OfFunction("flow", target, code=False)
    others = [*(each for each in OWNERS if each != target), elsewhere(target)]
    # A request about a log group's streams has the group's ARN with this end.
    group = named("arn:aws:logs:{place}:log-group:/vpc/{name}/flow:log-stream:")
    stream = named("arn:aws:logs:{place}:log-group:/vpc/{name}/flow:log-stream:1")
    write = acts("logs", "CreateLogStream PutLogEvents")
    yield wall(who, "writes the flow log", write, stream, [target], others)
    yield wall(who, "looks for the flow log", acts("logs", "DescribeLogStreams"), group, [target], others)
    source, other = (f"arn:aws:ec2:{target.place}:{type_}/1" for type_ in ("vpc-flow-log", "vpc"))
    yield from _trust("flow", target, "vpc-flow-logs.amazonaws.com", source, other)


WALLS = (
    *(row for target in (*OWNERS, *LIVE) for row in _of(target)),
    *(row for target in OWNERS for row in _flow(target)),
)
