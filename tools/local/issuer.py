"""Issue tokens with this checkout's own key, which only the stage `local` trusts."""

import json
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from chalicelib.identity import tokens
from chalicelib.settings import Issuer
from tools.checkout import ROOT, ToolError, locked, write_atomically

PUBLIC_KEY = Path(tokens.LOCAL_PUBLIC_KEY)
PRIVATE_KEY = PUBLIC_KEY.with_name("private.jwk.json")
LIFETIME = timedelta(hours=8)


def token(
    role: str,
    systems: Sequence[str] | Literal["all"] = (),
    subject: str | None = None,
    lifetime: timedelta = LIFETIME,
    **claims: Any,
) -> str:
    """Return a signed token. `claims` may add run_id, run_attempt, sha and actor, or replace any other claim."""
    import jwt  # noqa: PLC0415 (the import takes 100 ms, and the database commands do not need jwt)

    issuer = local_issuer()
    now = int(time.time())
    return jwt.encode(
        {
            "iss": issuer.issuer,
            issuer.audience_claim: issuer.audience,
            "sub": subject or f"{role}@local",
            "iat": now,
            "exp": now + int(lifetime.total_seconds()),
            "role": role,
            "systems": systems if systems == "all" else list(systems),
            **claims,
        },
        jwt.PyJWK(private_key(), algorithm=issuer.algorithm).key,
        algorithm=issuer.algorithm,
    )


@cache
def local_issuer() -> Issuer:
    """Return the issuer of kind `local` that the stage `local` trusts. Raise ToolError if there is none."""
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    trusted = config["stages"]["local"]["environment_variables"]["SLIPWAY_ISSUERS"]
    for issuer in msgspec.json.decode(trusted, type=tuple[Issuer, ...]):
        if issuer.kind == "local":
            return issuer
    raise ToolError("The stage `local` in .chalice/config.json trusts no issuer of kind `local`: add one")


def private_key() -> dict[str, str]:
    """Return the private key as a JWK, or raise ToolError. Make the key if there is none.

    Concurrent calls get the same key.
    """
    folder = PRIVATE_KEY.parent
    with locked(folder.with_suffix(".lock")):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
        if not PRIVATE_KEY.exists():
            write_atomically(PRIVATE_KEY, json.dumps(_new_key()), mode=0o600)
        try:
            key: dict[str, str] = json.loads(PRIVATE_KEY.read_text())
            public = json.dumps({name: value for name, value in key.items() if name != "d"})
        except (ValueError, AttributeError):
            raise ToolError(
                f"{PRIVATE_KEY} is not a key: delete the file and try again, which makes a new key"
            ) from None
        if not PUBLIC_KEY.exists() or PUBLIC_KEY.read_text() != public:
            write_atomically(PUBLIC_KEY, public)
    return key


def _new_key() -> dict[str, str]:
    import jwt.algorithms  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key: dict[str, str] = jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    return key
