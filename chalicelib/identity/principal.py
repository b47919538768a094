"""The principal of a request, made from the claims of a verified token."""

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.identity.roles import Role
from chalicelib.settings import Issuer


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The run of a pipeline that a token was issued for, as the issuer claims it."""

    id: str
    attempt: str = "1"
    sha: str | None = None
    actor: str | None = None


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking. A role below admin counts in `systems`; elsewhere its holder is a viewer."""

    issuer: str
    subject: str
    role: Role
    systems: frozenset[str]
    expires_at: float
    run: Run | None = None

    def role_in(self, system: str | None) -> Role:
        """The role for one system, or, with None, for what belongs to no system."""
        if self.role is Role.admin or system in self.systems:
            return self.role
        return Role.viewer

    @property
    def has_expired(self) -> bool:
        """API Gateway keeps an authorizer's answer, so a token can expire between it and the handler."""
        return self.expires_at <= time.time()


class NotAPrincipal(Exception):
    """The claims are genuine, but nothing says what their bearer may do."""


def from_claims(claims: Mapping[str, Any], issuers: tuple[Issuer, ...]) -> Principal:
    """The principal that verified claims stand for. Raises NotAPrincipal: who is not known may do nothing."""
    for issuer in issuers:
        if issuer.issuer == claims.get("iss"):
            return _of_kind[issuer.kind](claims)
    raise NotAPrincipal(f"no trusted issuer is called {claims.get('iss')!r}")


class _LocalClaims(msgspec.Struct):
    iss: str
    sub: str
    exp: float
    role: str
    systems: list[str] = []
    run_id: str | None = None
    run_attempt: str = "1"
    sha: str | None = None
    actor: str | None = None


def _local(claims: Mapping[str, Any]) -> Principal:
    try:
        known = msgspec.convert(claims, _LocalClaims)
        role = Role[known.role]
    except (msgspec.ValidationError, KeyError) as error:
        raise NotAPrincipal(f"claims of the local issuer: {error}") from None
    return Principal(
        issuer=known.iss,
        subject=known.sub,
        role=role,
        systems=frozenset(known.systems),
        expires_at=known.exp,
        run=Run(id=known.run_id, attempt=known.run_attempt, sha=known.sha, actor=known.actor) if known.run_id else None,
    )


_of_kind = {"local": _local}
