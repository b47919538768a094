"""The keys that an issuer publishes, and which of them may verify (OpenID Connect Discovery 1.0, RFC 7517).

Only the authorizer's function imports this module.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from chalicelib.identity.fetching import fetch_json
from chalicelib.settings import Issuer

FETCH_SECONDS = 2.0  # the limit for each of the two documents
MAX_KEYS = 50

_KEY_BITS = {"RS256": range(2048, 8193), "ES256": range(256, 257)}  # smaller keys are weak, larger keys are slow


class NotPublished(Exception):
    """The documents that an issuer publishes can't be used; the message says why."""


def published_keys(issuer: Issuer) -> dict[str, Any]:
    """Return the public keys that the issuer publishes now, by their ids, or raise NotPublished or NotFetched."""
    discovery = fetch_json(f"{issuer.issuer.rstrip('/')}/.well-known/openid-configuration", FETCH_SECONDS)
    if not isinstance(discovery, dict) or discovery.get("issuer") != issuer.issuer:
        raise NotPublished("the discovery document is of another issuer: correct the issuer's URL")
    address = discovery.get("jwks_uri")
    if not isinstance(address, str) or not _is_trusted_address(address, issuer):
        raise NotPublished("the discovery document has no trusted `jwks_uri`: the issuer must name an https URL")
    document = fetch_json(address, FETCH_SECONDS)
    jwks = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(jwks, list) or len(jwks) > MAX_KEYS:
        raise NotPublished(f"{address} is not a JSON Web Key Set of at most {MAX_KEYS} keys: check the issuer")
    keys = usable_keys(jwks, issuer.algorithm)
    if not keys:
        # The cache then keeps the old keys. Otherwise one wrong answer would lock everybody out.
        raise NotPublished(f"none of the {len(jwks)} keys can be used with {issuer.algorithm}: correct `algorithm`")
    return keys


def usable_keys(jwks: list[Any], algorithm: str) -> dict[str, Any]:
    """Return the public keys in JWKs that this algorithm may verify with, by their ids.

    If two different keys have the same id, skip both: nobody can tell which one a token means. The same key may be
    there twice, also with other members beside it, or with zeros before its numbers.
    """
    found: dict[str, list[Any]] = {}
    for jwk in jwks:
        kid, key = _id_of(jwk), usable_key(jwk, algorithm)
        if kid is not None and key is not None:
            found.setdefault(kid, []).append(key)
    return {kid: key for kid, (key, *others) in found.items() if all(each == key for each in others)}


def usable_key(jwk: Any, algorithm: str) -> Any:
    """Return the public key in a JWK, or None if this algorithm must not verify with it."""
    if not isinstance(jwk, dict) or not all(check(jwk, algorithm) for check in JWK_CHECKS.values()):
        return None
    import jwt  # noqa: PLC0415 (jwt takes 100 ms to import, which only the verification of tokens should pay)

    try:
        key = jwt.PyJWK(jwk, algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return None
    return key if all(check(key, algorithm) for check in KEY_CHECKS.values()) else None


def _may_verify(jwk: dict[str, Any], algorithm: str) -> bool:
    operations = jwk.get("key_ops")
    return operations is None or (isinstance(operations, list) and "verify" in operations)


# When PyJWT reads a JWK, it checks the key's type (`kty`). It does not check whether the members below are acceptable.
JWK_CHECKS: dict[str, Callable[[dict[str, Any], str], bool]] = {
    "alg": lambda jwk, algorithm: jwk.get("alg") in (None, algorithm),
    "use": lambda jwk, algorithm: jwk.get("use") in (None, "sig"),
    "key_ops": _may_verify,
    "crv": lambda jwk, algorithm: algorithm != "ES256" or jwk.get("crv") == "P-256",
    # Everybody can sign with a private key that was published.
    "d": lambda jwk, algorithm: "d" not in jwk,
}
# PyJWT does not check the size of a key.
KEY_CHECKS: dict[str, Callable[[Any, str], bool]] = {
    "size": lambda key, algorithm: key.key_size in _KEY_BITS[algorithm],
}


def _id_of(jwk: Any) -> str | None:
    kid = jwk.get("kid") if isinstance(jwk, dict) else None
    return kid if isinstance(kid, str) and kid else None


def _is_trusted_address(address: str, issuer: Issuer) -> bool:
    """True for an https address. True also for an http address with the host and port of an issuer that uses http.

    Only an issuer on this machine, for tests and trials, may use http.
    """
    try:
        ours, theirs = urlsplit(issuer.issuer), urlsplit(address)
    except ValueError:
        return False
    if theirs.scheme == "https":
        return bool(theirs.hostname)
    return (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc)
