"""What the functions of the service may do."""

from collections.abc import Iterator

from tools.checks.walls.places import (
    DEVELOPMENT,
    PREPRODUCTION,
    PRODUCTION,
    Target,
    anything,
    cluster,
    debug,
    elsewhere,
    key,
    named,
    preview,
    secret_of_master,
)
from tools.checks.walls.principals import OfFunction
from tools.checks.walls.table import Wall, acts, wall

OWNERS = (DEVELOPMENT, PREPRODUCTION, PRODUCTION, preview(DEVELOPMENT), debug(DEVELOPMENT))
VIA_SECRETS = {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}


def neighbours(of: Target) -> list[Target]:
    """Return targets that a function of `of` must not reach."""
    return [each for each in OWNERS if each != of]


def _of(target: Target) -> Iterator[Wall]:
    bootstrap = OfFunction("bootstrap", target)
    others = neighbours(target)
    yield wall(
        bootstrap,
        "runs SQL as the master user of its cluster",
        acts("rds-data", "BeginTransaction ExecuteStatement CommitTransaction RollbackTransaction"),
        cluster,
        [target],
        [*others, elsewhere(target)],
    )
    yield wall(
        bootstrap,
        "reads the master's password of its cluster",
        acts("secretsmanager", "GetSecretValue"),
        secret_of_master,
        [target],
        others,
    )
    yield wall(
        bootstrap,
        "decrypts the master's password",
        acts("kms", "Decrypt"),
        key,
        [target],
        others,
        VIA_SECRETS,
        [{"kms:ViaService": "rds.eu-central-1.amazonaws.com"}],
    )
    for name in ("api", "authorizer", "migrate", "sweep", "bootstrap"):
        stream = named(f"arn:aws:logs:{{place}}:log-group:/aws/lambda/{{name}}-{name}:log-stream:1")
        yield wall(
            OfFunction(name, target),
            "writes its log",
            acts("logs", "CreateLogStream PutLogEvents"),
            stream,
            [target],
            [*others, elsewhere(target)],
        )
        yield wall(
            OfFunction(name, target),
            "reads secrets of other environments",
            acts("secretsmanager", "GetSecretValue"),
            secret_of_master,
            not_of=others,
        )
    for name in ("api", "migrate", "sweep"):
        yield wall(
            OfFunction(name, target, code=False),
            "gets interfaces in its network",
            acts("ec2", "DescribeNetworkInterfaces"),
            anything,
            [target],
            when={},
            not_when=[{"lambda:SourceFunctionArn": f"arn:aws:lambda:{target.place}:function:{target.name}-{name}"}],
        )


WALLS = tuple(row for target in OWNERS for row in _of(target))
