"""The reader's password, and the verifier that PostgreSQL stores instead of the password.

PostgreSQL logs statements that change a role. So such a statement has the verifier, which nobody can log in with.
"""

import hashlib
import hmac
import os
from base64 import b64encode, urlsafe_b64encode

_ITERATIONS = 4096


def new_password() -> str:
    """Return a random password of letters, digits, hyphens and underscores."""
    return urlsafe_b64encode(os.urandom(36)).decode()


def verifier(password: str, salt: bytes | None = None) -> str:
    """Return the SCRAM-SHA-256 verifier of an ASCII password, as in RFC 5803. The salt is random by default."""
    salt = os.urandom(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${_ITERATIONS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(value: bytes) -> str:
    return b64encode(value).decode()
