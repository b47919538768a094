"""A token that was read but not verified. Trust nothing in it until all checks here and in tokens.py have passed."""

import base64
import json
import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

MAX_TOKEN_LENGTH = 16 * 1024
MAX_DEPTH = 10
YEAR_10000 = 253_402_300_800  # in seconds; Python has no later time

_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class TokenRefused(Exception):
    """The token must not be trusted. `check` names the check that the token failed; the message is only for the log."""

    def __init__(self, check: str, reason: str) -> None:
        super().__init__(reason)
        self.check = check


class Unverified:
    """A token's parts, read leniently and then checked by FORM_CHECKS. The constructor raises TokenRefused."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_TOKEN_LENGTH:
            raise TokenRefused(
                "length", f"the token has {len(text)} characters: send one with at most {MAX_TOKEN_LENGTH}"
            )
        self.text = text
        self.parts = text.split(".")
        if len(self.parts) != 3:
            raise TokenRefused(
                "form", f"the token has {len(self.parts)} parts, not header, payload and signature: send a signed JWT"
            )
        try:
            self.raw = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in self.parts]
            self.documents = [raw.decode(errors="replace") for raw in self.raw[:2]]
            self.header, self.claims = map(json.loads, self.documents)
        except (ValueError, RecursionError) as error:
            raise TokenRefused(
                "form", f"a part is not JSON in base64url ({type(error).__name__}): send a signed JWT"
            ) from None
        if not (isinstance(self.header, dict) and isinstance(self.claims, dict)):
            raise TokenRefused("form", "the header or the payload is not a JSON object: send a signed JWT")
        for name, check in FORM_CHECKS.items():
            if reason := check(self):
                raise TokenRefused(name, reason)


def shown(value: Any) -> str:
    """Return a value of a token, quoted and cut for the log."""
    return repr(value)[:200]


def is_time(value: Any) -> bool:
    """True for a number of seconds from 1970 to the year 9999. PyJWT also accepts 1e300, "1" and true."""
    # NaN fails the comparison.
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < YEAR_10000


def _encoding(token: Unverified) -> str | None:
    """Accept only one base64url text for the same bytes. Otherwise the same token could be written in many ways."""
    for part, raw in zip(token.parts, token.raw, strict=True):
        if base64.urlsafe_b64encode(raw).decode().rstrip("=") != part:
            return "a part of the token is not base64url without padding: send the token unchanged"
    return None


def _utf_8(token: Unverified) -> str | None:
    if [document.encode() for document in token.documents] != token.raw[:2]:
        return "the header or the payload is not UTF-8: send another token"
    return None


def _duplicates(token: Unverified) -> str | None:
    """Refuse members with the same name: readers disagree on which of them counts."""

    def unique(members: list[tuple[str, Any]]) -> None:
        times = Counter(name for name, _ in members)
        if repeated := [name for name in times if times[name] > 1]:
            raise ValueError(f"members have the same name, {shown(repeated)}: send another token")

    return _refusal(token, object_pairs_hook=unique)


def _numbers(token: Unverified) -> str | None:
    """Refuse NaN, infinity and integers of more than 64 bits: readers disagree on these."""

    def usable(text: str) -> None:
        if not math.isfinite(float(text)):
            raise ValueError(f"{shown(text)} is not a finite number: send another token")

    def usable_int(text: str) -> None:
        if not -(2**63) <= int(text) < 2**63:
            raise ValueError(f"{shown(text)} is too large for 64 bits: send another token")

    return _refusal(token, parse_int=usable_int, parse_float=usable, parse_constant=usable)


def _refusal(token: Unverified, **hooks: Callable[..., None]) -> str | None:
    """Return the reason for which a hook of the JSON reader refuses the token. None if no hook refuses it."""
    try:
        for document in token.documents:
            json.loads(document, **hooks)  # type: ignore[arg-type]
    except ValueError as error:
        return str(error)
    return None


def _depth(token: Unverified) -> str | None:
    level, depth = [token.header, token.claims], 0
    while level := [inner for each in level for inner in _members(each)]:
        depth += 1
    return f"the token is nested {depth} levels deep: send one with at most {MAX_DEPTH}" if depth > MAX_DEPTH else None


def _members(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _text(token: Unverified) -> str | None:
    """Refuse texts that PostgreSQL can't hold."""
    if any(map(_ESCAPED_NUL.search, token.documents)):
        return "a text has a NUL character: send another token"
    try:
        json.dumps([token.header, token.claims], ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "a text has half of a surrogate pair: send another token"
    return None


# Refuse tokens that other readers could understand differently, or not at all. PyJWT accepts most of these tokens.
FORM_CHECKS: dict[str, Callable[[Unverified], str | None]] = {
    "encoding": _encoding,
    "utf-8": _utf_8,
    "duplicates": _duplicates,
    "numbers": _numbers,
    "depth": _depth,
    "text": _text,
}
