"""The environment, the workspace and the package of this process. Terraform sets them for each function."""

import os
import re

_DIGEST = re.compile("sha256:[0-9a-f]{64}")


def environment() -> str:
    """Return the name of the environment, which is also the name of its stage."""
    return os.environ.get("SLIPWAY_STAGE", "")


def workspace() -> str:
    """Return the name of the workspace; `default` is the environment itself."""
    return os.environ.get("SLIPWAY_WORKSPACE", "default")


def package() -> str | None:
    """Return the digest of the package that this code came in, or None if nobody packaged it, as in `make run`.

    Lambda keeps code and settings of a version together, so a rollback also brings the digest back.
    """
    digest = os.environ.get("SLIPWAY_PACKAGE", "")
    return digest if _DIGEST.fullmatch(digest) else None
