"""Verification of bearer tokens against the issuers that a stage trusts (RFC 7515, RFC 7519, RFC 8725).

A token is read once, by us, and checked by two tables; a library only says whether the signature is right. So there is
one opinion of what a token says, and each refusal names the check that it comes from.

The crypto library is imported where a token is verified and nowhere else: only the authorizer function pays for it.
"""

import base64
import json
import math
import time
from collections import Counter
from collections.abc import Callable
from functools import cache, cached_property
from typing import Any

from chalicelib.settings import LOCAL_STATE, Issuer

MAX_TOKEN_LENGTH = 16 * 1024
MAX_SUBJECT_LENGTH = 256
MAX_KID_LENGTH = 256
MAX_DEPTH = 10
LEEWAY_SECONDS = 10  # by which clocks may differ

LOCAL_PUBLIC_KEY = LOCAL_STATE / "issuer" / "public.jwk.json"


class TokenRefused(Exception):
    """The token is not to be trusted. `check` names what it failed; the message says why, and is for the log alone."""

    def __init__(self, check: str, reason: str) -> None:
        super().__init__(reason)
        self.check = check


def verify(token: str, issuers: tuple[Issuer, ...]) -> dict[str, Any]:
    """The claims of a token that one of `issuers` signed for us, and that is valid now. Raises TokenRefused."""
    read = Token(token)
    for name, check in FORM_CHECKS.items():
        if reason := check(read):
            raise TokenRefused(name, reason)
    issuer = _issuer_of(read, issuers)
    for name, trust_check in TRUST_CHECKS.items():
        if reason := trust_check(read, issuer):
            raise TokenRefused(name, f"{reason}, of {issuer.issuer}")
    return read.payload.value


class Part:
    """Header or payload. It is read leniently, with what was odd about it: checks refuse that."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.raw = _decoded(text)
        self.repeated: list[str] = []
        self.no_numbers: list[str] = []
        try:
            self.value: dict[str, Any] = json.loads(
                self.raw.decode(errors="replace"),
                object_pairs_hook=self._object,
                parse_int=self._int,
                parse_float=self._float,
                parse_constant=self._float,
            )
        except (ValueError, RecursionError) as error:
            raise TokenRefused("form", f"a part is not JSON: {type(error).__name__}") from None
        if not isinstance(self.value, dict):
            raise TokenRefused("form", "a part is not a JSON object")

    def _object(self, members: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(members)
        if len(value) < len(members):
            times = Counter(name for name, _ in members)
            self.repeated += [name for name in times if times[name] > 1]
        return value

    def _int(self, digits: str) -> int:
        value = int(digits)
        if not -(2**63) <= value < 2**63:
            self.no_numbers.append(digits)
        return value

    def _float(self, text: str) -> float:
        value = float(text)
        if not math.isfinite(value):
            self.no_numbers.append(text)
        return value


class Token:
    """A token as it was read. Nothing of it is to be believed before every check has passed."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def texts(self) -> list[str]:
        texts = self.text.split(".")
        if len(texts) != 3:
            raise TokenRefused("form", f"it has {len(texts)} parts, not header, payload and signature")
        return texts

    @cached_property
    def header(self) -> Part:
        return Part(self.texts[0])

    @cached_property
    def payload(self) -> Part:
        return Part(self.texts[1])

    @cached_property
    def signature(self) -> bytes:
        return _decoded(self.texts[2])

    @property
    def signed(self) -> bytes:
        return f"{self.texts[0]}.{self.texts[1]}".encode()

    @property
    def parts(self) -> tuple[Part, Part]:
        return self.header, self.payload

    def claim(self, name: str) -> Any:
        return self.payload.value.get(name)


def _length(token: Token) -> str | None:
    if len(token.text) > MAX_TOKEN_LENGTH:
        return f"it has {len(token.text)} characters; {MAX_TOKEN_LENGTH} is the most"
    return None


def _encoding(token: Token) -> str | None:
    """Each part is the one base64url text of its bytes: else one token has many texts."""
    decoded = (token.header.raw, token.payload.raw, token.signature)
    if any(_encoded(raw) != text for raw, text in zip(decoded, token.texts, strict=True)):
        return "a part is not base64url without padding"
    return None


def _utf_8(token: Token) -> str | None:
    if any(part.raw.decode(errors="replace").encode() != part.raw for part in token.parts):
        return "a part is not UTF-8"
    return None


def _duplicates(token: Token) -> str | None:
    """Readers disagree on which of two members counts."""
    repeated = [name for part in token.parts for name in part.repeated]
    return f"members are given twice: {_shown(repeated)}" if repeated else None


def _numbers(token: Token) -> str | None:
    no_numbers = [text for part in token.parts for text in part.no_numbers]
    return f"there are numbers that are none, or too large: {_shown(no_numbers)}" if no_numbers else None


def _depth(token: Token) -> str | None:
    level, depth = [part.value for part in token.parts], 0
    while level := [inner for each in level for inner in _members(each)]:
        depth += 1
    return f"it is nested {depth} levels deep; {MAX_DEPTH} is the most" if depth > MAX_DEPTH else None


def _members(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _text(token: Token) -> str | None:
    """Texts are what a database can hold."""
    try:
        for part in token.parts:
            if b"\\u0000" in json.dumps(part.value, ensure_ascii=False).encode().replace(b"\\\\", b""):
                return "a text has a NUL character"
    except UnicodeEncodeError:
        return "a text has half of a surrogate pair"
    return None


def _typ(token: Token) -> str | None:
    header = token.header.value
    if "typ" in header and str(header["typ"]).lower() not in ("jwt", "at+jwt"):
        return f"its type is {_shown(header['typ'])}"
    return None


def _crit(token: Token) -> str | None:
    return "its header has extensions that must be understood" if "crit" in token.header.value else None


def _key_in_header(token: Token) -> str | None:
    """A header that brings along the key to verify with, or leads to it, lets the token vouch for itself."""
    found = [name for name in ("jwk", "jku", "x5u", "x5c") if name in token.header.value]
    return f"its header brings a key along: {', '.join(found)}" if found else None


def _issuer_of(token: Token, issuers: tuple[Issuer, ...]) -> Issuer:
    for issuer in issuers:
        if issuer.issuer == token.claim("iss"):
            return issuer
    raise TokenRefused("issuer", f"no trusted issuer is called {_shown(token.claim('iss'))}")


def _alg(token: Token, issuer: Issuer) -> str | None:
    named = token.header.value.get("alg")
    return None if named == issuer.algorithm else f"its algorithm is {_shown(named)}, not {issuer.algorithm}"


def _kid(token: Token, issuer: Issuer) -> str | None:
    kid = token.header.value.get("kid")
    if issuer.kind == "local" or (isinstance(kid, str) and 0 < len(kid) <= MAX_KID_LENGTH):
        return None
    return f"it names its key {_shown(kid)}"


def _aud(token: Token, issuer: Issuer) -> str | None:
    """For us alone: a token that others take too, others could use with us."""
    audience = token.claim(issuer.audience_claim)
    if audience in (issuer.audience, [issuer.audience]):
        return None
    return f"it is for {_shown(audience)} ({issuer.audience_claim})"


def _exp(token: Token, issuer: Issuer) -> str | None:
    expiry = token.claim("exp")
    if not _is_a_time(expiry):
        return f"exp is {_shown(expiry)}"
    return f"it expired at {expiry}" if expiry <= time.time() - LEEWAY_SECONDS else None


def _iat(token: Token, issuer: Issuer) -> str | None:
    issued = token.claim("iat")
    if not _is_a_time(issued):
        return f"iat is {_shown(issued)}"
    return f"it was issued in the future, at {issued}" if issued > time.time() + LEEWAY_SECONDS else None


def _nbf(token: Token, issuer: Issuer) -> str | None:
    if "nbf" not in token.payload.value:
        return None
    start = token.claim("nbf")
    if not _is_a_time(start):
        return f"nbf is {_shown(start)}"
    return f"it is not valid before {start}" if start > time.time() + LEEWAY_SECONDS else None


def _order(token: Token, issuer: Issuer) -> str | None:
    issued, expiry = token.claim("iat"), token.claim("exp")
    if _is_a_time(issued) and _is_a_time(expiry) and issued > expiry:
        return f"it was issued at {issued}, after its expiry at {expiry}"
    return None


def _sub(token: Token, issuer: Issuer) -> str | None:
    subject = token.claim("sub")
    if not isinstance(subject, str) or not subject.strip():
        return "it has no subject"
    if len(subject) > MAX_SUBJECT_LENGTH or not subject.isprintable():
        return f"its subject is not a printable text of at most {MAX_SUBJECT_LENGTH} characters"
    return None


def _signature(token: Token, issuer: Issuer) -> str | None:
    import jwt  # noqa: PLC0415 (100 ms that the API's function does not pay)

    key = _key_of(token, issuer)
    try:
        # The algorithm is the setting's: what the token says of it decides nothing.
        algorithm = jwt.get_algorithm_by_name(issuer.algorithm)
        valid = algorithm.verify(token.signed, algorithm.prepare_key(key), token.signature)
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        return f"its signature can't be verified with that key: {type(error).__name__}"
    return None if valid else f"its signature is not of the key {_shown(token.header.value.get('kid'))}"


# Whether it can be read in one way only.
FORM_CHECKS: dict[str, Callable[[Token], str | None]] = {
    "length": _length,
    "encoding": _encoding,
    "utf-8": _utf_8,
    "duplicates": _duplicates,
    "numbers": _numbers,
    "depth": _depth,
    "text": _text,
    "typ": _typ,
    "crit": _crit,
    "key in header": _key_in_header,
}

# Whether its issuer made it, for us and for now. What costs most comes last: asking for a key.
TRUST_CHECKS: dict[str, Callable[[Token, Issuer], str | None]] = {
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


def _key_of(token: Token, issuer: Issuer) -> Any:
    from chalicelib.identity import keys  # noqa: PLC0415 (HTTP and TLS, for the authorizer alone)

    kid = token.header.value.get("kid")
    try:
        if issuer.kind == "local":
            return _local_key(issuer.algorithm)
        if not isinstance(kid, str):
            raise TokenRefused("key", f"it names its key {_shown(kid)}")
        return keys.key_set(issuer).key(kid)
    except keys.NoKey as error:
        raise TokenRefused("key", str(error)) from None


@cache
def _local_key(algorithm: str) -> Any:
    from chalicelib.identity import keys  # noqa: PLC0415

    try:
        key = keys.usable_key(json.loads(LOCAL_PUBLIC_KEY.read_text()), algorithm)
    except FileNotFoundError:
        raise keys.NoKey("the local issuer has no key yet: `make token` makes it") from None
    if key is None:
        raise keys.NoKey(f"the local issuer's key is not for {algorithm}")
    return key


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise TokenRefused("form", "a part is not base64url") from None


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _is_a_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shown(value: Any) -> str:
    """What somebody else chose, at a length that a log can bear."""
    return repr(value)[:200]
