"""The settings of a stage. They come from environment variables and are checked before use."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Literal

import msgspec

from chalicelib import SQL_NAME
from chalicelib.vocabulary import INSTANCE, SECOND_SPELLING, SLUG

LOCAL_STATE = f"{os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}/.local"

# The default is far above the need of a busy pipeline, and bounds what a caller with a role can store.
WRITES_PER_HOUR = 2000

Stage = Literal["local", "development", "preproduction", "production"]

_PATH = r"(?:/[A-Za-z0-9._~%!$&'()+,;=:@/-]*)?"
_HTTPS_URL = re.compile(rf"https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{{1,5}})?{_PATH}")
# The URL of an issuer on this machine, for tests and trials. Traffic inside one machine needs no encryption.
_LOOPBACK_URL = re.compile(rf"http://127\.0\.0\.1:[0-9]{{1,5}}{_PATH}")
_REGISTERED_CLAIMS = ("iss", "sub", "exp", "nbf", "iat", "jti")
# Workflows request tokens for these audiences to use other services. If a stage accepted one of these audiences,
# the other services could use the tokens here.
_AUDIENCES_OF_OTHERS = ("sts.amazonaws.com", "api://azureadtokenexchange", "sigstore", "pypi", "npm:registry.npmjs.org")


class Membership(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The role of a group's members. `systems` has the keys of the systems where the role counts, or is `all`.

    The roles viewer and admin count in every system, so they need no `systems`.
    """

    role: Literal["viewer", "pipeline", "maintainer", "admin"]
    systems: tuple[str, ...] | Literal["all"] = ()


class Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An issuer of tokens that a stage trusts.

    `kind` says how the claims of a token become a principal. A pipeline (`github-actions`) gets its roles from the
    publishers of systems. A person (`people`) gets them from the groups in the claim that `groups_claim` names. `local`
    is the project's own issuer on a developer's machine; no deployed stage accepts it. `audience_claim` names the claim
    that has the audience.
    """

    kind: Literal["github-actions", "people", "local"]
    issuer: str
    audience: str
    algorithm: Literal["ES256", "RS256"]
    audience_claim: str = "aud"
    groups_claim: str | None = None
    groups: dict[str, Membership] = msgspec.field(default_factory=dict)


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How people sign in on the page: the OIDC issuer's URL, the id of the page's public client, and the scopes."""

    authority: str
    client_id: str
    scope: str


class Aurora(msgspec.Struct, frozen=True, kw_only=True):
    """A deployed stage's database, and the function's user in it. Each login makes a new password for this user."""

    host: str
    port: int
    name: str
    user: str
    region: str


class Dependency(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An external system that the environment uses, as `dependencies` in infra/<environment>/main.tf declares it.

    `instance` is its ARN or URL. `secret` is the name of a secret in Secrets Manager, if this function may read it:
    see `dependencies.read_secret`.
    """

    instance: str
    access: Literal["read_only", "read_write"]
    exclusive: bool = False
    secret: str | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    stage: Stage
    issuers: tuple[Issuer, ...]
    # None if people sign in only with tokens from elsewhere.
    sign_in: SignIn | None
    # A URL in tests and on developers' machines, Aurora on AWS. None if the environment variables name no database.
    database: Aurora | str | None
    # The most records that the requests of one caller may leave in an hour: see `rest.rates`.
    writes_per_hour: int
    # By key.
    dependencies: dict[str, Dependency] = {}

    def issuers_of(self, kind: str) -> list[str]:
        """Return the URLs of the trusted issuers of a kind."""
        return [issuer.issuer for issuer in self.issuers if issuer.kind == kind]


class UnusableSettings(Exception):
    """A stage must not start with these settings. The message says what to write instead."""

    is_without_data = True


@cache
def settings() -> Settings:
    """Return the settings of this process, from its environment variables."""
    return read(os.environ)


def read(environ: Mapping[str, str]) -> Settings:
    """Read settings from environment variables, or raise UnusableSettings if they are missing or unsafe."""
    stage, issuers = _stage(environ), trusted_issuers(environ)
    return Settings(
        stage=stage,
        issuers=issuers,
        sign_in=_sign_in(issuers, environ.get("SLIPWAY_SIGN_IN")),
        database=_database(stage, environ),
        writes_per_hour=_writes_per_hour(environ),
        dependencies=_dependencies(stage, environ.get("SLIPWAY_DEPENDENCIES")),
    )


def trusted_issuers(environ: Mapping[str, str] = os.environ) -> tuple[Issuer, ...]:
    """Return only the issuers, because verifying tokens needs no database. Raise UnusableSettings if they are wrong."""
    return _issuers(_stage(environ), environ.get("SLIPWAY_ISSUERS", "[]"))


def _stage(environ: Mapping[str, str]) -> Stage:
    stage = environ.get("SLIPWAY_STAGE")
    try:
        checked: Stage = msgspec.convert(stage, Stage)
    except msgspec.ValidationError as error:
        raise UnusableSettings(
            f"SLIPWAY_STAGE is {stage!r}: name one of the stages of .chalice/config.json ({error})"
        ) from None
    return checked


def _writes_per_hour(environ: Mapping[str, str]) -> int:
    number = environ.get("SLIPWAY_WRITES_PER_HOUR", str(WRITES_PER_HOUR))
    if not re.fullmatch("[1-9][0-9]{0,8}", number, re.ASCII):
        raise UnusableSettings(
            f"SLIPWAY_WRITES_PER_HOUR is {number!r}: set it to a number from 1 to 999999999, or leave it out for "
            f"{WRITES_PER_HOUR}"
        )
    return int(number)


def _dependencies(stage: Stage, text: str | None) -> dict[str, Dependency]:
    if not text:
        return {}
    try:
        dependencies = msgspec.json.decode(text, type=dict[str, Dependency])
    except msgspec.MsgspecError as error:
        raise UnusableSettings(
            f"SLIPWAY_DEPENDENCIES must be a JSON object of dependencies by key: correct it ({error})"
        ) from None
    for key, each in dependencies.items():
        known = re.fullmatch(INSTANCE, each.instance) and not re.search(SECOND_SPELLING, each.instance)
        if not re.fullmatch(SLUG, key) or not (known or (stage == "local" and _LOOPBACK_URL.fullmatch(each.instance))):
            raise UnusableSettings(
                f"SLIPWAY_DEPENDENCIES: {key!r} is not a slug, or its instance {each.instance!r} is neither an ARN nor "
                "an encrypted URL in its one spelling: correct it as docs/dependencies.md shows"
            )
    return dependencies


@lru_cache(maxsize=1)
def _issuers(stage: Stage, text: str) -> tuple[Issuer, ...]:
    try:
        issuers = msgspec.json.decode(text, type=tuple[Issuer, ...])
    except msgspec.MsgspecError as error:
        raise UnusableSettings(f"SLIPWAY_ISSUERS must be a JSON list of issuers: correct it ({error})") from None
    unsafe = [f"SLIPWAY_ISSUERS, {each.issuer!r}: {fault}" for each in issuers for fault in _faults(each, stage)]
    times = Counter(issuer.issuer for issuer in issuers)
    unsafe += [
        f"SLIPWAY_ISSUERS names {url!r} {times[url]} times: list each issuer once" for url in times if times[url] > 1
    ]
    if unsafe:
        raise UnusableSettings("\n".join(unsafe))
    return issuers


def _faults(issuer: Issuer, stage: Stage) -> Iterator[str]:
    """Yield a message for each fault of an issuer's settings, with what to write instead."""
    if issuer.kind == "local" and stage != "local":
        yield (
            f"stage {stage!r} must not trust the local issuer, whose key is on a developer's machine: "
            "name the OIDC issuers of this stage instead"
        )
    yield from _faults_of_url(issuer.issuer, stage)
    if not issuer.audience.strip() or issuer.audience != issuer.audience.strip() or "*" in issuer.audience:
        yield "the audience is not exact: name the audience that the issuer's tokens have for this service"
    elif issuer.kind == "github-actions" and _is_for_others(issuer):
        yield (
            f"workflows also request tokens for {issuer.audience!r} to use them elsewhere: "
            "name an audience that only this service has, and let workflows request tokens for this audience"
        )
    if not issuer.audience_claim or issuer.audience_claim in _REGISTERED_CLAIMS:
        yield (
            f"the claim {issuer.audience_claim!r} has no audience: "
            "use `aud`, or `client_id` for Cognito's access tokens"
        )
    if issuer.kind == "people":
        yield from _faults_of_groups(issuer)
    elif issuer.groups or issuer.groups_claim is not None:
        yield (
            f"an issuer of kind {issuer.kind} must not have groups: remove `groups` and `groups_claim`, which belong "
            "to kind `people`"
        )


def _faults_of_url(url: str, stage: Stage) -> Iterator[str]:
    if "*" in url:
        yield "an issuer's URL must not have a wildcard (`*`): name each issuer's URL in full"
    elif _LOOPBACK_URL.fullmatch(url):
        if stage != "local":
            yield f"stage {stage!r} must not trust an issuer on this machine: name an https URL"
    elif not _HTTPS_URL.fullmatch(url):
        yield (
            "an issuer must be an https URL with a host in lower case, and without user, query or fragment: "
            "write the value of `iss` in the issuer's tokens"
        )


def _is_for_others(issuer: Issuer) -> bool:
    """True if workflows also request tokens for this audience to use other services.

    The default audience of GitHub's tokens is the URL of the repository's owner.
    """
    audience = issuer.audience.casefold()
    host = issuer.issuer.removeprefix("https://").partition("/")[0]
    owners = ("https://github.com", f"https://{host.removeprefix('token.actions.')}")
    return audience in _AUDIENCES_OF_OTHERS or any(f"{audience}/".startswith(f"{owner}/") for owner in owners)


def _faults_of_groups(issuer: Issuer) -> Iterator[str]:
    if not issuer.groups_claim:
        yield "nobody has a role: name the claim that has a person's groups in `groups_claim`"
    if not issuer.groups:
        yield "nobody has a role: map each group to a role in `groups`"
    for name, membership in issuer.groups.items():
        if not name.strip() or "*" in name:
            yield f"the group {name!r} is not an exact name: name each group in full"
        if membership.role in ("viewer", "admin"):
            if membership.systems not in ((), "all"):
                yield f"group {name!r}: the role {membership.role} counts in every system: leave out `systems`"
        elif not membership.systems:
            yield f'group {name!r}: the role {membership.role} needs systems: name them in `systems`, or write "all"'
        elif membership.systems != "all" and (
            wrong := [key for key in membership.systems if not re.fullmatch(SLUG, key)]
        ):
            yield f"group {name!r}: {wrong[0]!r} can't be a system's key, which is a slug: write a key such as 'shop'"


def _sign_in(issuers: tuple[Issuer, ...], text: str | None) -> SignIn | None:
    """Return the page's sign-in, or None without one. A stage must trust the tokens that people get there."""
    if not text:
        return None
    try:
        sign_in = msgspec.json.decode(text, type=SignIn)
    except msgspec.MsgspecError as error:
        raise UnusableSettings(f"SLIPWAY_SIGN_IN must be a JSON object: correct it ({error})") from None
    if sign_in.authority not in [issuer.issuer for issuer in issuers if issuer.kind == "people"]:
        raise UnusableSettings(
            f"SLIPWAY_SIGN_IN: no issuer of kind people in SLIPWAY_ISSUERS is {sign_in.authority!r}: name the same "
            "issuer in both"
        )
    if not sign_in.client_id.strip():
        raise UnusableSettings("SLIPWAY_SIGN_IN: the client_id is empty: name the page's client at the issuer")
    if "openid" not in sign_in.scope.split():
        raise UnusableSettings(f"SLIPWAY_SIGN_IN: the scope {sign_in.scope!r} lacks `openid`: add it")
    return sign_in


def _database(stage: Stage, environ: Mapping[str, str]) -> Aurora | str | None:
    if url := environ.get("DATABASE_URL"):
        return url
    if stage == "local":
        try:
            with open(f"{LOCAL_STATE}/database-url") as address:
                return address.read().strip()
        except FileNotFoundError:
            raise UnusableSettings(
                "There is no local database yet: start one with `make database` or `make run`"
            ) from None
    needed = {"host": "SLIPWAY_DATABASE_HOST", "user": "SLIPWAY_DATABASE_USER", "region": "AWS_REGION"}
    if not environ.get(needed["host"]):
        return None
    if missing := [name for name in needed.values() if not environ.get(name)]:
        raise UnusableSettings(
            f"SLIPWAY_DATABASE_HOST is set without {' and '.join(missing)}: set SLIPWAY_DATABASE_USER to the "
            "function's user in the database, and AWS_REGION to the region, as Lambda does"
        )
    port = environ.get("SLIPWAY_DATABASE_PORT", "5432")
    if not (port.isascii() and port.isdigit()):
        raise UnusableSettings(f"SLIPWAY_DATABASE_PORT is {port!r}: set it to the cluster's port, a number")
    return Aurora(
        **{field: environ[name] for field, name in needed.items()},
        port=int(port),
        name=environ.get("SLIPWAY_DATABASE_NAME", SQL_NAME),
    )
