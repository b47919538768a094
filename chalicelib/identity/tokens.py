"""Verification of bearer tokens against the issuers that a stage trusts.

The crypto library is imported where a token is verified and nowhere else: only the authorizer function pays for it.
"""

import json
from functools import cache
from typing import Any

from chalicelib.settings import LOCAL_STATE, Issuer

MAX_TOKEN_LENGTH = 16 * 1024
LEEWAY_SECONDS = 10

LOCAL_PUBLIC_KEY = LOCAL_STATE / "issuer" / "public.jwk.json"


class TokenRefused(Exception):
    """The token is not to be trusted; the message says why, and is for the log alone."""


def verify(token: str, issuers: tuple[Issuer, ...]) -> dict[str, Any]:
    """The claims of a token that one of `issuers` signed for us, and that has not expired.

    Raises TokenRefused.
    """
    import jwt  # noqa: PLC0415 (100 ms that the API's function does not pay)

    if len(token) > MAX_TOKEN_LENGTH:
        raise TokenRefused("the token is too long")
    try:
        unverified = jwt.decode(token, options={"verify_signature": False})
        issuer = next((issuer for issuer in issuers if issuer.issuer == unverified.get("iss")), None)
        if issuer is None:
            raise TokenRefused(f"no trusted issuer is called {unverified.get('iss')!r}")
        claims: dict[str, Any] = jwt.decode(
            token,
            key=_KEYS[issuer.kind](),
            algorithms=[issuer.algorithm],
            issuer=issuer.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "sub"], "verify_aud": False},
        )
    except jwt.PyJWTError as error:
        raise TokenRefused(str(error)) from error
    if claims.get(issuer.audience_claim) != issuer.audience:
        raise TokenRefused(f"the token is for {claims.get(issuer.audience_claim)!r}")
    return claims


@cache
def _local_key() -> Any:
    import jwt  # noqa: PLC0415

    if not LOCAL_PUBLIC_KEY.exists():
        raise TokenRefused("the local issuer has no key yet: `make token` makes it")
    return jwt.PyJWK(json.loads(LOCAL_PUBLIC_KEY.read_text())).key


# Where the key of an issuer comes from, by its kind.
_KEYS = {"local": _local_key}
