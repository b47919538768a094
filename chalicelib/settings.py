"""What a stage is told from outside, read once and checked before anything is served."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

LOCAL_STATE = Path(__file__).parent.parent / ".local"

Stage = Literal["local", "development", "preproduction", "production"]


class Membership(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the members of a group may do, and in which systems: their keys, or `all`."""

    role: Literal["viewer", "pipeline", "maintainer", "admin"]
    systems: tuple[str, ...] | Literal["all"] = ()


class Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An issuer of tokens that a stage trusts.

    `kind` says how its claims become a principal: a pipeline's (`github-actions`) by the publishers of systems,
    a person's (`people`) by the groups that the claim `groups_claim` lists. `local` is the project's own issuer on a
    developer's machine; no deployed stage accepts it. `audience_claim` carries the audience.
    """

    kind: Literal["github-actions", "people", "local"]
    issuer: str
    audience: str
    algorithm: Literal["ES256", "RS256"]
    audience_claim: str = "aud"
    groups_claim: str | None = None
    groups: dict[str, Membership] = msgspec.field(default_factory=dict)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    stage: Stage
    issuers: tuple[Issuer, ...]
    database_url: str


class UnusableSettings(Exception):
    """A stage must not start like this; the message says what to write instead."""


@cache
def settings() -> Settings:
    """The settings of this process, from its environment variables."""
    return read(os.environ)


def read(environ: Mapping[str, str]) -> Settings:
    """Settings from environment variables; raises UnusableSettings where they are missing or unsafe."""
    stage = environ.get("SLIPWAY_STAGE")
    try:
        return Settings(
            stage=(checked := msgspec.convert(stage, Stage)),
            issuers=_issuers(checked, environ.get("SLIPWAY_ISSUERS", "[]")),
            database_url=_database_url(checked, environ),
        )
    except msgspec.ValidationError as error:
        raise UnusableSettings(
            f"SLIPWAY_STAGE is {stage!r}: name one of the stages of .chalice/config.json ({error})"
        ) from None


def _issuers(stage: Stage, text: str) -> tuple[Issuer, ...]:
    try:
        issuers = msgspec.json.decode(text, type=tuple[Issuer, ...])
    except msgspec.MsgspecError as error:
        raise UnusableSettings(f"SLIPWAY_ISSUERS must be a JSON list of issuers: {error}") from None
    for issuer in issuers:
        if issuer.kind == "local" and stage != "local":
            raise UnusableSettings(
                f"SLIPWAY_ISSUERS of stage {stage!r} trusts the local issuer, whose key lies on a "
                "developer's machine: name the OIDC issuers of this stage instead"
            )
        if not issuer.issuer.startswith("https://"):
            raise UnusableSettings(f"SLIPWAY_ISSUERS names {issuer.issuer!r}: an issuer is an https URL")
        if not issuer.audience or "*" in issuer.audience:
            raise UnusableSettings(
                f"SLIPWAY_ISSUERS gives {issuer.issuer!r} no exact audience: name the audience that its "
                "tokens must carry for this service"
            )
    return issuers


def _database_url(stage: Stage, environ: Mapping[str, str]) -> str:
    if url := environ.get("DATABASE_URL"):
        return url
    address = LOCAL_STATE / "database-url"
    if stage == "local" and address.exists():
        return address.read_text().strip()
    if stage == "local":
        raise UnusableSettings("There is no local database yet: `make database` starts one, `make run` too")
    raise UnusableSettings("DATABASE_URL is not set: it is the address of the stage's PostgreSQL")
