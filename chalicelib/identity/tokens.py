"""Verification of bearer tokens against the issuers that a stage trusts (RFC 7515, RFC 7519, RFC 8725).

PyJWT has the last word: it verifies the signature, the algorithm, the issuer and the times. The checks before it refuse
what PyJWT accepts, and what needs no key: PyJWT compares claims only after the signature, so only after the issuer was
asked for its keys.

PyJWT, and with it the crypto library, is imported only to verify a token: only the authorizer's function pays for it.
"""

import json
import math
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from chalicelib.identity.unverified import TokenRefused, Unverified, shown
from chalicelib.settings import LOCAL_STATE, Issuer

MAX_SUBJECT_LENGTH = 256
MAX_KID_LENGTH = 256
LEEWAY_SECONDS = 10  # by which clocks may differ

LOCAL_PUBLIC_KEY = LOCAL_STATE / "issuer" / "public.jwk.json"


def verify(token: str, issuers: tuple[Issuer, ...]) -> dict[str, Any]:
    """Return the claims of a token that one of `issuers` signed for us and that is valid now. Raises TokenRefused."""
    read = Unverified(token)
    issuer = _issuer_of(read, issuers)
    for name, check in TRUST_CHECKS.items():
        if reason := check(read, issuer):
            raise TokenRefused(name, f"{reason}, of {issuer.issuer}")
    claims: dict[str, Any] = read.claims
    return claims


def _issuer_of(token: Unverified, issuers: tuple[Issuer, ...]) -> Issuer:
    for issuer in issuers:
        if issuer.issuer == token.claims.get("iss"):
            return issuer
    raise TokenRefused("issuer", f"no trusted issuer is called {shown(token.claims.get('iss'))}")


def _typ(token: Unverified, issuer: Issuer) -> str | None:
    """Tokens for other purposes, such as a logout, must not count as access tokens."""
    typ = token.header.get("typ", "JWT")
    return None if str(typ).lower() in ("jwt", "at+jwt") else f"its type is {shown(typ)}, not JWT or at+jwt"


def _crit(token: Unverified, issuer: Issuer) -> str | None:
    return "its header has critical extensions, and we support none" if "crit" in token.header else None


def _key_in_header(token: Unverified, issuer: Issuer) -> str | None:
    """A header that contains the key to verify with, or leads to it, lets the token vouch for itself."""
    found = [name for name in ("jwk", "jku", "x5u", "x5c") if name in token.header]
    return f"its header brings its own key: {', '.join(found)}" if found else None


def _alg(token: Unverified, issuer: Issuer) -> str | None:
    named = token.header.get("alg")
    return None if named == issuer.algorithm else f"its algorithm is {shown(named)}, not {issuer.algorithm}"


def _kid(token: Unverified, issuer: Issuer) -> str | None:
    kid = token.header.get("kid")
    if issuer.kind == "local" or (isinstance(kid, str) and 0 < len(kid) <= MAX_KID_LENGTH):
        return None
    return f"its key id is {shown(kid)}, not a text of 1 to {MAX_KID_LENGTH} characters"


def _aud(token: Unverified, issuer: Issuer) -> str | None:
    """The token must be for us alone: another service that accepts it could use it with us."""
    audience = token.claims.get(issuer.audience_claim)
    if audience in (issuer.audience, [issuer.audience]):
        return None
    return f"it is for {shown(audience)} ({issuer.audience_claim})"


def _exp(token: Unverified, issuer: Issuer) -> str | None:
    expiry = token.claims.get("exp")
    if not _is_time(expiry):
        return f"exp is {shown(expiry)}, not a number of seconds"
    return f"it expired at {expiry}" if expiry <= time.time() - LEEWAY_SECONDS else None


def _iat(token: Unverified, issuer: Issuer) -> str | None:
    return _future("iat", token.claims.get("iat"))


def _nbf(token: Unverified, issuer: Issuer) -> str | None:
    return _future("nbf", token.claims["nbf"]) if "nbf" in token.claims else None


def _future(name: str, moment: Any) -> str | None:
    if not _is_time(moment):
        return f"{name} is {shown(moment)}, not a number of seconds"
    return f"{name} is in the future, at {moment}" if moment > time.time() + LEEWAY_SECONDS else None


def _order(token: Unverified, issuer: Issuer) -> str | None:
    issued, expiry = token.claims.get("iat"), token.claims.get("exp")
    if _is_time(issued) and _is_time(expiry) and issued > expiry:
        return f"it was issued at {issued}, after its expiry at {expiry}"
    return None


def _is_time(value: Any) -> bool:
    """True for a finite number. PyJWT also takes "1" and true for one."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _sub(token: Unverified, issuer: Issuer) -> str | None:
    subject = token.claims.get("sub")
    if not isinstance(subject, str) or not subject.strip():
        return "it has no subject"
    if len(subject) > MAX_SUBJECT_LENGTH or not subject.isprintable():
        return f"its subject is not a printable text of at most {MAX_SUBJECT_LENGTH} characters"
    return None


def _signature(token: Unverified, issuer: Issuer) -> str | None:
    import jwt  # noqa: PLC0415 (100 ms that the API's function does not pay)

    key = _key_of(token, issuer)
    try:
        jwt.decode(
            token.text,
            key,
            algorithms=[issuer.algorithm],
            issuer=issuer.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "sub"], "verify_aud": False, "verify_jti": False},  # "aud" checks more
        )
    except jwt.InvalidSignatureError:
        return f"its signature is not of the key {shown(token.header.get('kid'))}"
    except jwt.InvalidTokenError as error:  # a second defence: the checks before have names for this
        raise TokenRefused(type(error).__name__, f"PyJWT refuses it, of {issuer.issuer}") from None
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        return f"its signature can't be verified with that key: {type(error).__name__}"
    return None


# In this order. The most expensive comes last: it asks for a key.
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
    from chalicelib.identity import keys  # noqa: PLC0415 (HTTP and TLS, for the authorizer's function alone)

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
        key = published_keys.usable_key(json.loads(LOCAL_PUBLIC_KEY.read_text()), algorithm)
    except FileNotFoundError:
        raise keys.NoKey("the local issuer has no key yet: run `make token` to create it") from None
    if key is None:
        raise keys.NoKey(f"the local issuer's key is not for {algorithm}")
    return key
