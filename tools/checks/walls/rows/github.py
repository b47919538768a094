"""The jobs on GitHub that get a role, and the jobs that do not."""

from collections.abc import Iterator
from dataclasses import replace

from tools.checkout import ENVIRONMENTS
from tools.checks.walls.places import Place
from tools.checks.walls.principals import Job, OfAccount, account_id, variables
from tools.checks.walls.table import Wall, acts

ASSUME = acts("sts", "AssumeRoleWithWebIdentity")
BRANCH = "refs/heads/development"


def role(name: str, *, production: bool = False) -> Place:
    """Return the place of a role of infra/account."""
    of = OfAccount(name, production=production)
    return Place(of.arn, account_id(production=of.is_in_production))


def strangers(job: Job) -> tuple[Job, ...]:
    """Return jobs that differ from a job in one thing each, and must not get its role."""
    github = variables(production=job.production)["github"]
    name = github["repository"].partition("/")[2]
    return (
        replace(job, name="a foreign repository", repository=f"mallory/{name}", repository_id="99", owner_id="98"),
        replace(job, name="a repository that took the name", repository_id="99"),
        replace(job, name="a token for another audience", audience="https://example.org"),
        replace(job, name="another branch", ref="refs/heads/mallory", subject=job.subject)
        if job.environment
        else replace(job, name="a push", subject=f"repo:{github['repository']}:ref:{job.ref}"),
        replace(job, name="another GitHub environment", environment="anything", subject=None),
    )


def _pipelines() -> Iterator[Wall]:
    for environment in ENVIRONMENTS:
        production = environment == "production"
        for kind, github, branch in (
            ("apply", environment, environment),
            ("workspaces", f"{environment}-workspaces", "development"),
            ("reap", f"{environment}-reap", "development"),
        ):
            job = Job(
                f"a job in the GitHub environment {github}", github, f"refs/heads/{branch}", production=production
            )
            others = tuple(role(f"{each}-{environment}") for each in ("apply", "workspaces", "reap") if each != kind)
            yield Wall(job, "takes its role", ASSUME, (role(f"{kind}-{environment}"),), others, not_by=strangers(job))


def _readers() -> Iterator[Wall]:
    for production in (False, True):
        github = variables(production=production)["github"]["repository"]
        job = Job(
            "a pull request", ref="refs/pull/7/merge", subject=f"repo:{github}:pull_request", production=production
        )
        environment = "production" if production else "development"
        others = tuple(role(f"{each}-{environment}") for each in ("apply", "workspaces", "reap"))
        yield Wall(
            job,
            "takes the role that plans",
            ASSUME,
            (role("plan", production=production),),
            others,
            not_by=strangers(job),
        )
    builder = Job("a build of merged code", "artifact")
    yield Wall(
        builder,
        "takes the role that stores packages",
        ASSUME,
        (role("artifacts"),),
        (role("plan"),),
        not_by=strangers(builder),
    )


WALLS = (*_pipelines(), *_readers())
