"""Verification of bearer tokens against the issuers that a stage trusts (RFC 7515, RFC 7519, RFC 8725)."""

import json
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from chalicelib.identity.unverified import TokenRefused, Unverified, is_time, shown
from chalicelib.settings import LOCAL_STATE, Issuer

MAX_SUBJECT_LENGTH = 256  # OpenID Connect Core allows 255 characters, in section 2
MAX_KID_LENGTH = 256
LEEWAY_SECONDS = 10  # clocks may differ by this time

LOCAL_PUBLIC_KEY = f"{LOCAL_STATE}/issuer/public.jwk.json"


def verify(token: str, issuers: tuple[Issuer, ...]) -> dict[str, Any]:
    """Return the claims of a token that one of `issuers` signed for this service, or raise TokenRefused."""
    read = Unverified(token)
    issuer = _issuer_of(read, issuers)
    for name, check in TRUST_CHECKS.items():
        if reason := check(read, issuer):
            raise TokenRefused(name, f"{reason}; the issuer is {issuer.issuer}")
    claims: dict[str, Any] = read.claims
    return claims


def _issuer_of(token: Unverified, issuers: tuple[Issuer, ...]) -> Issuer:
    for issuer in issuers:
        if issuer.issuer == token.claims.get("iss"):
            return issuer
    raise TokenRefused(
        "issuer", f"no trusted issuer is called {shown(token.claims.get('iss'))}: get a token from a trusted issuer"
    )


def _typ(token: Unverified, issuer: Issuer) -> str | None:
    """Tokens for other purposes, such as a logout, must not count as access tokens.

    The type is a media type, and may leave out `application/` (RFC 7515, section 4.1.9).
    """
    typ = token.header.get("typ", "JWT")
    return (
        None
        if str(typ).lower().removeprefix("application/") in ("jwt", "at+jwt")
        else f"the token's type is {shown(typ)}, not JWT or at+jwt: send an access token"
    )


def _crit(token: Unverified, issuer: Issuer) -> str | None:
    return "the header has critical extensions: send a token without them" if "crit" in token.header else None


def _key_in_header(token: Unverified, issuer: Issuer) -> str | None:
    """Refuse a header that contains or links the key to verify with. Otherwise anyone could use a key of their own."""
    found = [name for name in ("jwk", "jku", "x5u", "x5c") if name in token.header]
    return f"the header has {' and '.join(found)}: send a token that names its key only by `kid`" if found else None


def _alg(token: Unverified, issuer: Issuer) -> str | None:
    named = token.header.get("alg")
    return (
        None
        if named == issuer.algorithm
        else f"the algorithm is {shown(named)}, not {issuer.algorithm}: send another token"
    )


def _kid(token: Unverified, issuer: Issuer) -> str | None:
    kid = token.header.get("kid")
    if issuer.kind == "local" or (isinstance(kid, str) and 0 < len(kid) <= MAX_KID_LENGTH):
        return None
    return f"the key id is {shown(kid)}, not a text of 1 to {MAX_KID_LENGTH} characters: send another token"


def _aud(token: Unverified, issuer: Issuer) -> str | None:
    """The token must be for this service alone: another service that gets the token could use it here."""
    audience = token.claims.get(issuer.audience_claim)
    if audience in (issuer.audience, [issuer.audience]):
        return None
    return f"the audience is {shown(audience)} ({issuer.audience_claim}): request a token for {issuer.audience!r}"


def _exp(token: Unverified, issuer: Issuer) -> str | None:
    expiry = token.claims.get("exp")
    if not is_time(expiry):
        return f"exp is {shown(expiry)}, not a number of seconds: send another token"
    return f"the token expired at {expiry}: get a new token" if expiry <= time.time() - LEEWAY_SECONDS else None


def _iat(token: Unverified, issuer: Issuer) -> str | None:
    return _future("iat", token.claims.get("iat"))


def _nbf(token: Unverified, issuer: Issuer) -> str | None:
    return _future("nbf", token.claims["nbf"]) if "nbf" in token.claims else None


def _future(name: str, moment: Any) -> str | None:
    if not is_time(moment):
        return f"{name} is {shown(moment)}, not a number of seconds: send another token"
    return f"{name} is in the future, at {moment}: check the clocks" if moment > time.time() + LEEWAY_SECONDS else None


def _order(token: Unverified, issuer: Issuer) -> str | None:
    issued, expiry = token.claims.get("iat"), token.claims.get("exp")
    if is_time(issued) and is_time(expiry) and issued > expiry:
        return f"the token was issued at {issued}, after its expiry at {expiry}: check the issuer's clock"
    return None


def _sub(token: Unverified, issuer: Issuer) -> str | None:
    subject = token.claims.get("sub")
    if not isinstance(subject, str) or not subject.strip():
        return "the token has no subject: send another token"
    if issuer.kind == "github-actions":
        # Nothing reads the subject of a pipeline. Its repository can choose the form: "OpenID Connect reference".
        return None
    if len(subject) > MAX_SUBJECT_LENGTH or not subject.isprintable():
        return f"the subject is not a printable text of at most {MAX_SUBJECT_LENGTH} characters: send another token"
    return None


def _signature(token: Unverified, issuer: Issuer) -> str | None:
    import jwt  # noqa: PLC0415 (jwt takes 100 ms to import, which the API's function should not pay)

    key = _key_of(token, issuer)
    try:
        jwt.decode(
            token.text,
            key,
            algorithms=[issuer.algorithm],
            issuer=issuer.issuer,
            leeway=LEEWAY_SECONDS,
            options={
                "require": ["exp", "iat", "sub"],
                "verify_aud": False,  # the check "aud" is stricter
                "verify_jti": False,
            },
        )
    except jwt.InvalidSignatureError:
        return f"the signature was not made with the key {shown(token.header.get('kid'))}: get a new token"
    except jwt.InvalidTokenError as error:  # a second defence: an earlier check should have refused the token
        raise TokenRefused(
            type(error).__name__, f"PyJWT refuses the token: get a new token from {issuer.issuer}"
        ) from None
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        return f"the signature can't be verified ({type(error).__name__}): get a new token"
    return None


# The checks run in this order. The last check calls PyJWT, and may ask the issuer for keys. The earlier checks also
# refuse tokens that PyJWT would accept. Wrong claims are refused before the signature is verified; PyJWT verifies the
# signature first.
TRUST_CHECKS: dict[str, Callable[[Unverified, Issuer], str | None]] = {
    "typ": _typ,
    "crit": _crit,
    "key in header": _key_in_header,
    "alg": _alg,
    "kid": _kid,
    "aud": _aud,
    "exp": _exp,
    "iat": _iat,
    "nbf": _nbf,
    "order": _order,
    "sub": _sub,
    "signature": _signature,
}


def _key_of(token: Unverified, issuer: Issuer) -> Any:
    from chalicelib.identity import keys  # noqa: PLC0415 (keys imports HTTP and TLS, which only the authorizer needs)

    try:
        if issuer.kind == "local":
            return _local_key(issuer.algorithm)
        return keys.key_set(issuer).key(str(token.header.get("kid")))
    except keys.NoKey as error:
        raise TokenRefused("key", str(error)) from None


@cache
def _local_key(algorithm: str) -> Any:
    from chalicelib.identity import keys, published_keys  # noqa: PLC0415

    try:
        with open(LOCAL_PUBLIC_KEY) as file:
            key = published_keys.usable_key(json.load(file), algorithm)
    except FileNotFoundError:
        raise keys.NoKey("the local issuer has no key yet: run `make token` to create it") from None
    if key is None:
        raise keys.NoKey(f"the local issuer's key is not for {algorithm}: correct `algorithm` in SLIPWAY_ISSUERS")
    return key
