"""Print a token of the local issuer: `make -s token ROLE=admin`, or `ROLE=pipeline SYSTEM=shop,search`.

SUBJECT, RUN_ID, RUN_ATTEMPT, SHA and ACTOR fill further claims.
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
    """The token that ROLE, SYSTEM and the others ask for; raises UsageError."""
    role = words.get("ROLE", "")
    if role not in Role.__members__:
        raise UsageError(f"ROLE={role} is no role: say ROLE= and one of {', '.join(Role.__members__)}")
    systems = [system.strip() for system in words.get("SYSTEM", "").split(",") if system.strip()]
    if wrong := [system for system in systems if not _SYSTEM.fullmatch(system)]:
        raise UsageError(f"{wrong[0]!r} can't be a system's key: SYSTEM takes slugs, with commas between them")
    if role in ("pipeline", "maintainer") and not systems:
        raise UsageError(f"A {role} is one of certain systems: say which, as in ROLE={role} SYSTEM=shop")
    claims: dict[str, Any] = {name.lower(): words[name] for name in _FURTHER_CLAIMS if words.get(name)}
    return token(role, systems, words.get("SUBJECT") or None, **claims)


def main(environ: Mapping[str, str]) -> None:
    """Print the token."""
    print(from_words(environ))
