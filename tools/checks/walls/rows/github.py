"""The jobs on GitHub that get a role, and the jobs that do not."""

from collections.abc import Iterator
from dataclasses import replace

from tools.checkout import ENVIRONMENTS
from tools.checks.walls.places import Place
from tools.checks.walls.principals import Administrator, Job, OfAccount, account_id, variables
from tools.checks.walls.table import Wall, acts

ASSUME = acts("sts", "AssumeRoleWithWebIdentity")
DEFAULT = "development"
PULL = "repo:%s:pull_request"
KINDS = ("apply", "workspaces", "debug", "reap", "reap-debug", "verify")


def role(name: str, *, production: bool = False) -> Place:
    """Return the place of a role of infra/account."""
    of = OfAccount(name, production=production)
    return Place(of.arn, account_id(production=of.is_in_production))


def roles(*, production: bool) -> list[Place]:
    """Return the roles that jobs of an account can take."""
    of = [each for each in ENVIRONMENTS if (each == "production") == production]
    names = ["plan", *(() if production else ("artifacts",)), *(f"{kind}-{each}" for each in of for kind in KINDS)]
    return [role(name, production=production) for name in names]


def strangers(job: Job) -> tuple[Job, ...]:
    """Return jobs that differ from a job in one thing each, and must not get its role."""
    github = variables(production=job.production)["github"]
    repository = github["repository"]
    name = repository.partition("/")[2]
    subject = f"repo:{repository}:environment:{job.environment}" if job.environment else job.subject
    found = [
        replace(job, name="a foreign repository", repository=f"mallory/{name}", repository_id="99", owner_id="98"),
        replace(job, name="a fork's pull request", repository=f"mallory/{name}", repository_id="99", environment=None),
        replace(job, name="a repository that took the name", repository_id="99", owner_id="98"),
        replace(job, name="the repository with another name", repository=f"{repository}-2", subject=None),
        replace(job, name="a token for another audience", audience="https://example.org"),
        replace(job, name="another GitHub environment", environment=f"{job.environment}-2", subject=None),
        replace(job, name="another subject", subject=f"repo:{repository}:environment:anything"),
        replace(job, name="a push", environment=None, subject=f"repo:{repository}:ref:{job.ref}"),
    ]
    if job.environment:
        found += [
            replace(job, name="another branch", ref="refs/heads/mallory"),
            replace(job, name="a tag with the branch's name", ref=job.ref.replace("heads", "tags")),
            replace(
                job, name="a claim of another GitHub environment", environment=f"{job.environment}-2", subject=subject
            ),
            replace(job, name="a pull request", environment=None, ref="refs/pull/7/merge", subject=PULL % repository),
        ]
    return tuple(found)


def _wall(job: Job, role_: Place) -> Wall:
    """Return the row of a job that gets one role, and no other one of its account."""
    others = tuple(each for each in roles(production=job.production) if each != role_)
    does = f"takes the role {role_.resource.partition('-account-')[2]}"
    return Wall(job, does, ASSUME, (role_,), others, not_by=strangers(job))


def _with_ids(job: Job) -> Job:
    """Return the same job of a repository in whose subject GitHub writes the ids too."""
    github = variables(production=job.production)["github"]
    owner, name = github["repository"].split("/")
    start = f"repo:{owner}@{github['repository_owner_id']}/{name}@{github['repository_id']}"
    end = f"environment:{job.environment}" if job.environment else "pull_request"
    return replace(job, name=f"{job.name}, with ids in its subject", subject=f"{start}:{end}")


def _jobs() -> Iterator[tuple[Job, Place]]:
    for environment in ENVIRONMENTS:
        production = environment == "production"
        for kind in KINDS:
            of = environment if kind == "apply" else f"{environment}-{kind}"
            branch = environment if kind == "apply" else DEFAULT
            job = Job(f"a job in the GitHub environment {of}", of, f"refs/heads/{branch}", production=production)
            yield job, role(f"{kind}-{environment}")
    for production in (False, True):
        repository = variables(production=production)["github"]["repository"]
        pull = Job("a pull request", ref="refs/pull/7/merge", subject=PULL % repository, production=production)
        yield pull, role("plan", production=production)
    for branch in ENVIRONMENTS:
        yield Job(f"a build on the branch {branch}", "artifact", f"refs/heads/{branch}"), role("artifacts")


def _nobody_else() -> Iterator[Wall]:
    for production in (False, True):
        does = "takes a role of a pipeline without GitHub's token"
        yield Wall(Administrator(production), does, ASSUME, not_on=tuple(roles(production=production)))
        yield Wall(
            Administrator(production), does, acts("sts", "AssumeRole"), not_on=tuple(roles(production=production))
        )


WALLS = (
    *(_wall(job, role_) for job, role_ in _jobs()),
    *(_wall(_with_ids(job), role_) for job, role_ in _jobs()),
    *_nobody_else(),
)
