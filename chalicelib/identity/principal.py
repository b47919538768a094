"""The principal of a request, made from the claims of a verified token."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from chalicelib.identity.roles import Role
from chalicelib.identity.trust import GitHubClaims, TrustRule, accepts_job, mismatches
from chalicelib.settings import Issuer
from chalicelib.vocabulary import Claim, PrincipalName


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The pipeline run that a token was issued for, from the token's claims.

    Ids of runs are unique in a repository. `repository_id` is None for local tokens, which name no repository.
    """

    id: str
    repository_id: str | None = None
    attempt: str = "1"
    sha: str | None = None
    actor: str | None = None


class Grant(msgspec.Struct, frozen=True):
    """A role in some systems, or in all systems if `systems` is None."""

    role: Role
    systems: frozenset[str] | None = None

    @property
    def everywhere(self) -> bool:
        """True if the role counts in every system. Viewers and admins have their role everywhere."""
        return self.systems is None or self.role in (Role.viewer, Role.admin)


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """The caller and its grants. A caller with a role in one system is a viewer in all others.

    A pipeline's grants come from the publishers that match its claims, and it is a viewer of no other system: a
    maintainer who names a repository lets nobody read the systems of others. Publishers are in the database, so a
    pipeline has no grant until `with_publishers` gets the publishers. No repository can choose the `subject` of its
    pipelines: see `_subject_of`.
    """

    issuer: str
    subject: str
    kind: Literal["person", "pipeline", "local"]
    expires_at: float
    grants: tuple[Grant, ...] = ()
    run: Run | None = None
    pipeline: GitHubClaims | None = None
    publishers: tuple[TrustRule, ...] = ()

    def role_in(self, system: str | None) -> Role:
        """Return the role in one system. With None, return the role for requests that concern no system."""
        highest = Role.anybody
        for grant in self.grants:
            here = grant.role
            if here is not Role.admin and (system is None or not (grant.systems is None or system in grant.systems)):
                here = Role.viewer if system is None or self.pipeline is None else Role.anybody
            if here > highest:
                highest = here
        return highest

    def with_publishers(self, candidates: Sequence[TrustRule]) -> "Principal":
        """Return this pipeline with the grants of those `candidates` that match its claims."""
        assert self.pipeline is not None
        fitting = tuple(each for each in candidates if not mismatches(each, self.pipeline))
        systems = frozenset(each.system for each in fitting)
        grants = (Grant(Role.pipeline, systems),) if systems else ()
        return msgspec.structs.replace(self, grants=grants, publishers=fitting)

    @property
    def readable(self) -> list[str] | None:
        """The systems that lists show to the caller, or None for all systems."""
        return None if self.pipeline is None else sorted({each.system for each in self.publishers})

    @property
    def is_known(self) -> bool:
        """True if the caller holds at least one role. Anyone can get a valid token from GitHub, without any role."""
        return self.role_in(None) > Role.anybody

    @property
    def keeper(self) -> str:
        """The keeper of Idempotency-Keys at this issuer: equally trusted jobs of a run, or another subject.

        Jobs of one run differ in trust by their publishers and their GitHub environment. With a key in common, a job
        could use up the key of a job that may do more, or get its answers.
        """
        if self.pipeline is None or self.run is None:
            return self.subject
        keeper = f"{self.writer} run {self.run.id}"
        environment = self.pipeline.environment
        return keeper if environment is None else f"{keeper} environment {environment}"

    @property
    def writer(self) -> str:
        """The caller whose writes are counted together at this issuer. For a pipeline, its repository and publishers.

        Only the publishers that accept the job's GitHub environment count. So the code of a preview, which nobody
        reviewed, can't use up the writes of the pipeline that deploys: other publishers accept that pipeline. Names
        that a job chooses freely, such as a new GitHub environment, give no new count.
        """
        if self.pipeline is None:
            return self.subject
        publishers = [each.id for each in self.publishers if accepts_job(each, self.pipeline)]
        return " ".join(["repository", self.pipeline.repository_id, "publishers", *publishers])

    @property
    def has_expired(self) -> bool:
        """True if the token has expired. API Gateway may keep the authorizer's answer beyond this time."""
        return self.expires_at <= time.time()


# The bound of PrincipalName. Names of environments have 255 characters, and some of them take six here.
_MAX_SUBJECT_LENGTH = 1000


class NotAPrincipal(Exception):
    """The claims are genuine, but do not say who the caller is."""


def from_claims(claims: Mapping[str, Any], issuers: tuple[Issuer, ...]) -> Principal:
    """Return the principal that verified claims describe, or raise NotAPrincipal if they do not say who is calling."""
    for issuer in issuers:
        if issuer.issuer == claims.get("iss"):
            try:
                return _OF_KIND[issuer.kind](claims, issuer)
            except (msgspec.ValidationError, KeyError) as error:
                raise NotAPrincipal(f"a token of kind {issuer.kind} has other claims ({error})") from None
    raise NotAPrincipal(f"no trusted issuer is called {claims.get('iss')!r}")


class _LocalClaims(msgspec.Struct):
    iss: str
    sub: PrincipalName
    exp: float
    role: str
    systems: list[str] | Literal["all"] = []
    run_id: Claim | None = None
    run_attempt: Claim = "1"
    sha: Claim | None = None
    actor: Claim | None = None


def _local(claims: Mapping[str, Any], issuer: Issuer) -> Principal:
    known = msgspec.convert(claims, _LocalClaims)
    return Principal(
        issuer=issuer.issuer,
        subject=known.sub,
        kind="local",
        expires_at=known.exp,
        grants=_grants(Role[known.role], known.systems),
        run=Run(id=known.run_id, attempt=known.run_attempt, sha=known.sha, actor=known.actor) if known.run_id else None,
    )


class _PersonClaims(msgspec.Struct):
    sub: PrincipalName
    exp: float


def _person(claims: Mapping[str, Any], issuer: Issuer) -> Principal:
    known = msgspec.convert(claims, _PersonClaims)
    groups = msgspec.convert(claims.get(issuer.groups_claim or "", []), list[str])
    memberships = [issuer.groups[group] for group in groups if group in issuer.groups]
    return Principal(
        issuer=issuer.issuer,
        subject=known.sub,
        kind="person",
        expires_at=known.exp,
        grants=tuple(grant for each in memberships for grant in _grants(Role[each.role], each.systems)),
    )


def _pipeline(claims: Mapping[str, Any], issuer: Issuer) -> Principal:
    known = msgspec.convert(claims, GitHubClaims)
    return Principal(
        issuer=issuer.issuer,
        subject=_subject_of(known),
        kind="pipeline",
        expires_at=known.exp,
        run=Run(
            id=known.run_id,
            repository_id=known.repository_id,
            attempt=known.run_attempt,
            sha=known.sha,
            actor=known.actor,
        ),
        pipeline=known,
    )


def _subject_of(claims: GitHubClaims) -> str:
    """Return the name of a pipeline, in the form of GitHub's immutable subjects.

    The claim `sub` is not used: an organisation or a repository can choose its form, so two repositories can have the
    same `sub`. The ids tell repositories apart when a name is given up and taken again.
    """
    owner, _, name = claims.repository.partition("/")
    context = f"environment:{claims.environment}" if claims.environment is not None else f"ref:{claims.ref}"
    subject = f"repo:{owner}@{claims.repository_owner_id}/{name}@{claims.repository_id}:{context}"
    # Environments and branches may have characters that no page or log can show, such as those inside of emoji.
    shown = "".join(each if each.isprintable() and each != "\\" else f"\\u{ord(each):04x}" for each in subject)
    if len(shown) > _MAX_SUBJECT_LENGTH:
        raise NotAPrincipal(f"its repository, environment and ref make a text of more than {_MAX_SUBJECT_LENGTH}")
    return shown


def _grants(role: Role, systems: Sequence[str] | Literal["all"]) -> tuple[Grant, ...]:
    """Return the grant of a role in systems. For the role `anybody`, return no grant."""
    if role is Role.anybody:
        return ()
    return (Grant(role, None if systems == "all" else frozenset(systems)),)


_OF_KIND = {"local": _local, "people": _person, "github-actions": _pipeline}
