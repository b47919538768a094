"""Print a token of the local issuer: `make -s token ROLE=admin`, or `make -s token ROLE=pipeline SYSTEM=shop`.

SYSTEM can list several systems, as in `SYSTEM=shop,search`.
SUBJECT, RUN_ID, RUN_ATTEMPT, SHA and ACTOR set further claims.
"""

import re
from collections.abc import Mapping
from typing import Any

from chalicelib.identity.roles import Role
from chalicelib.vocabulary import SLUG
from tools.checkout import UsageError
from tools.local.issuer import token

_SYSTEM = re.compile(SLUG)
_FURTHER_CLAIMS = ("RUN_ID", "RUN_ATTEMPT", "SHA", "ACTOR")


def from_words(words: Mapping[str, str]) -> str:
    """Return the token for ROLE, SYSTEM and the other variables, or raise UsageError."""
    role = words.get("ROLE", "")
    if role not in Role.__members__:
        raise UsageError(f"ROLE={role} is not a role: set ROLE to one of {', '.join(Role.__members__)}")
    systems = [system.strip() for system in words.get("SYSTEM", "").split(",") if system.strip()]
    if wrong := [system for system in systems if not _SYSTEM.fullmatch(system)]:
        raise UsageError(f"{wrong[0]!r} can't be a system's key: set SYSTEM to keys such as shop,search")
    if role in ("pipeline", "maintainer") and not systems:
        raise UsageError(f"A {role} needs systems: name them, as in ROLE={role} SYSTEM=shop")
    claims: dict[str, Any] = {name.lower(): words[name] for name in _FURTHER_CLAIMS if words.get(name)}
    return token(role, systems, words.get("SUBJECT") or None, **claims)


def main(environ: Mapping[str, str]) -> None:
    """Print the token."""
    print(from_words(environ))
