"""Trust in pipelines: decide by a GitHub Actions run's claims whether a publisher lets the run write for a system."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import msgspec

from chalicelib.vocabulary import Claim, Purpose

Event = Literal["push", "workflow_dispatch", "schedule", "release", "workflow_run"]
RecordKind = Literal["deployments", "verifications", "workspaces", "bindings"]


class GitHubClaims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of a run that the service reads. See "OpenID Connect reference" in the docs of GitHub Actions."""

    exp: float
    repository: str
    repository_id: str
    repository_owner_id: str
    workflow_ref: str
    job_workflow_ref: str | None = None
    event_name: str
    ref: str
    environment: str | None = None
    sha: Claim
    run_id: Claim
    run_attempt: Claim
    actor: Claim | None = None


class TrustRule(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a publisher: the claims that it trusts, and the records that a trusted run may write.

    `workflow` is the path of the workflow that was started. `called_workflow` is the reusable workflow that has the
    job, with its repository and ref; None if the job must be in none. The keys of `environments` are the environments
    that the run may write for. Each value is the required claim `environment`; None accepts any. `purposes` limits the
    workspaces that the run may write. With `any_revision`, a rollout or hotfix may be of another commit than the run.
    """

    id: str
    system: str
    issuer: str
    repository_owner_id: str
    repository_id: str
    repository: str
    workflow: str
    called_workflow: str | None
    events: tuple[Event, ...]
    ref: str
    environments: dict[str, str | None]
    kinds: tuple[RecordKind, ...]
    purposes: tuple[Purpose, ...]
    any_revision: bool


def mismatches(rule: TrustRule, claims: GitHubClaims) -> list[str]:
    """Return the claims that do not fit the rule. If all claims fit, the rule trusts the run."""
    return [claim for claim, fits in CLAIM_CHECKS.items() if not fits(rule, claims)]


def permitting(
    rules: Sequence[TrustRule],
    claims: GitHubClaims,
    kind: RecordKind,
    environment: str,
    purpose: Purpose | None = None,
) -> Iterator[TrustRule]:
    """Yield those `rules` that let the run write records of a kind for an environment.

    The caller must pass only rules that trust the run: see `mismatches`. Workspaces need a `purpose`: without one, no
    rule lets the run write them.
    """
    for rule in rules:
        if kind == "workspaces" and purpose not in rule.purposes:
            continue
        if kind in rule.kinds and environment in rule.environments:
            wanted = rule.environments[environment]
            if _is_environment(wanted, claims):
                yield rule


def accepts_job(rule: TrustRule, claims: GitHubClaims) -> bool:
    """True if the rule lets the job write for an environment, by the job's GitHub environment."""
    return any(_is_environment(wanted, claims) for wanted in rule.environments.values())


def _is_environment(wanted: str | None, claims: GitHubClaims) -> bool:
    """True if the job runs in the wanted GitHub environment, or if any is accepted.

    Names have no case ("Managing environments for deployment"). Only ASCII letters are compared so, because others
    could make two names of GitHub equal here.
    """
    return wanted is None or (claims.environment is not None and _lower(claims.environment) == _lower(wanted))


def _lower(text: str) -> bytes:
    return text.encode().lower()


def _same_repository(rule: TrustRule, claims: GitHubClaims) -> bool:
    """True if the repositories have equal names. GitHub ignores the case of names."""
    return claims.repository.casefold() == rule.repository.casefold()


def _started_the_workflow(rule: TrustRule, claims: GitHubClaims) -> bool:
    """True if the run started the rule's workflow, at the ref in the claim `ref`."""
    return claims.workflow_ref == f"{claims.repository}/{rule.workflow}@{claims.ref}"


def _runs_the_workflow(rule: TrustRule, claims: GitHubClaims) -> bool:
    """True if the job is in the reusable workflow that the rule names.

    If the rule names none, the job must be in the workflow that was started.
    """
    if rule.called_workflow is None:
        return claims.job_workflow_ref in (None, claims.workflow_ref)
    called = claims.job_workflow_ref
    return called is not None and matches(_normal(rule.called_workflow), _normal(called))


def _normal(workflow_ref: str) -> str:
    """Write the owner and the repository in lower case, because they have no case at GitHub. Paths and refs have."""
    *repository, rest = workflow_ref.split("/", 2)
    return "/".join([*map(str.lower, repository), rest])


# Every publisher checks these claims. `permitting` checks the claim `environment`, because a publisher has one value
# for each environment. The rules of deployments check `sha`. Nothing reads `sub`, because its form is a setting of the
# repository: anyone who may change this setting could choose the text. Ids are checked, because a name can be given up
# and then taken by somebody else.
CLAIM_CHECKS: dict[str, Callable[[TrustRule, GitHubClaims], bool]] = {
    "repository_owner_id": lambda rule, claims: claims.repository_owner_id == rule.repository_owner_id,
    "repository_id": lambda rule, claims: claims.repository_id == rule.repository_id,
    "repository": _same_repository,
    "workflow_ref": _started_the_workflow,
    "job_workflow_ref": _runs_the_workflow,
    "event_name": lambda rule, claims: claims.event_name in rule.events,
    "ref": lambda rule, claims: matches(rule.ref, claims.ref),
}


def matches(pattern: str, text: str) -> bool:
    """True if the pattern matches the whole text. `*` stands for any text without `/`.

    A regular expression would try each place for each `*`. Anyone may write a pattern for another's runs, so this takes
    the first place of each part: the time grows with the length of the text only.
    """
    patterns, texts = pattern.split("/"), text.split("/")
    return len(patterns) == len(texts) and all(map(_matches_segment, patterns, texts))


def _matches_segment(pattern: str, text: str) -> bool:
    first, *parts = pattern.split("*")
    if not parts:
        return text == pattern
    *middle, last = parts
    start, end = len(first), len(text) - len(last)
    if start > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in middle:
        found = text.find(part, start, end)
        if found < 0:
            return False
        start = found + len(part)
    return True
