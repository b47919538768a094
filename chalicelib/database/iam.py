"""Passwords for Aurora that are valid for 15 minutes, so that no secret is stored.

The AWS SDK makes the same passwords, but adds 350 ms to a cold start, mostly for its import.
"""

import hashlib
import hmac
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote, urlencode

SECONDS = 900

_NO_BODY = hashlib.sha256(b"").hexdigest()


class Credentials(NamedTuple):
    """AWS credentials. Temporary credentials have a session token."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


def credentials(environ: Mapping[str, str] = os.environ) -> Credentials:
    """Return the credentials that Lambda gives a function, or raise KeyError if there are none."""
    return Credentials(
        environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], environ.get("AWS_SESSION_TOKEN") or None
    )


def password(host: str, port: int, user: str, region: str, credentials: Credentials, at: datetime | None = None) -> str:
    """Return a database user's password. It is valid for SECONDS from `at`, which is now by default.

    A password is a request to connect to the service `rds-db`: a URL, signed with Signature Version 4 and the
    credentials. See "Create a signed AWS API request" in the IAM User Guide.
    """
    moment = f"{at or datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    scope = f"{moment[:8]}/{region}/rds-db/aws4_request"
    query = {
        "Action": "connect",
        "DBUser": user,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{credentials.access_key_id}/{scope}",
        "X-Amz-Date": moment,
        "X-Amz-Expires": str(SECONDS),
        "X-Amz-SignedHeaders": "host",
    }
    if credentials.session_token is not None:
        query["X-Amz-Security-Token"] = credentials.session_token
    request = "\n".join(
        ["GET", "/", _encoded(dict(sorted(query.items()))), f"host:{host.lower()}:{port}", "", "host", _NO_BODY]
    )
    to_sign = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    return f"{host}:{port}/?{_encoded(query)}&X-Amz-Signature={signature}"


def _encoded(query: Mapping[str, str]) -> str:
    return urlencode(query, quote_via=quote, safe="-_.~")
