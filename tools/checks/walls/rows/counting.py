"""The rows about jobs that count their runs. AWS can limit a metric to its namespace only."""

from collections.abc import Iterator

from chalicelib import NAME
from tools.checks.walls.places import (
    DEVELOPMENT,
    PREPRODUCTION,
    PRODUCTION,
    Places,
    anything,
    cluster,
    function,
    log_group,
    role,
    state,
    state_bucket,
)
from tools.checks.walls.principals import OfAccount
from tools.checks.walls.table import Wall, acts

COUNT = acts("cloudwatch", "PutMetricData")
# The daily verification has a role for this alone.
NOTHING_ELSE: tuple[tuple[str, tuple[str, ...], Places], ...] = (
    ("reads states", acts("s3", "GetObject"), state),
    ("lists the states", acts("s3", "ListBucket"), state_bucket),
    ("reads logs", acts("logs", "FilterLogEvents"), log_group),
    ("runs SQL", acts("rds-data", "ExecuteStatement"), cluster),
    ("calls a function", acts("lambda", "InvokeFunction"), function()),
    ("takes a function's role", acts("iam", "PassRole"), role()),
)


def _rows() -> Iterator[Wall]:
    for of in (DEVELOPMENT, PREPRODUCTION, PRODUCTION):
        name, production = of.environment, of == PRODUCTION
        others = (
            *(OfAccount(f"{kind}-{name}") for kind in ("workspaces", "debug")),
            OfAccount("plan", production=production),
        )
        for kind in ("apply", "reap", "reap-debug", "verify"):
            yield Wall(
                OfAccount(f"{kind}-{name}"),
                "counts its runs",
                COUNT,
                (anything(of),),
                when={"cloudwatch:namespace": NAME},
                not_when=({}, {"cloudwatch:namespace": "AWS/RDS"}, {"cloudwatch:namespace": f"{NAME}2"}),
                not_by=others,
            )
        for does, actions, place in NOTHING_ELSE:
            yield Wall(OfAccount(f"verify-{name}"), does, actions, not_on=(place(of),))


WALLS = tuple(_rows())
