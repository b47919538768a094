"""The address of the emulated AWS account, and environment variables for calls to it. tools/aws/emulator serves it."""

import re
from collections.abc import Mapping

from chalicelib import NAME

HOST = "127.0.0.1"
PORT = 4566  # LocalStack's port, which chalice-local calls
REGION = "eu-central-1"
ACCOUNT = "123456789012"
STATE_BUCKET = f"{NAME}-state-{ACCOUNT}"
_KEY = "emulated"


def environment(environ: Mapping[str, str], port: int = PORT) -> dict[str, str]:
    """Return `environ`, changed so that AWS SDKs and tools call only the emulated account."""
    url = f"http://{HOST}:{port}"
    # Drop variables that can lead to a real account, such as a profile, a session or a service's endpoint.
    others = {name: value for name, value in environ.items() if not name.startswith("AWS_")}
    key = environ.get("AWS_ACCESS_KEY_ID", "")
    return {
        **others,
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": key if key.startswith(_KEY) else _KEY,
        "AWS_SECRET_ACCESS_KEY": "emulated",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        # Read no profile, because the default profile could name a real account.
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


def access_key(role: str, step: str) -> str:
    """Return a made-up id of an access key, which tells the emulated account who calls and in which step."""
    return f"{_KEY}.{role}.{re.sub('[^A-Za-z0-9]+', '-', step).strip('-')}"
