"""Fit facts that only inform to what Slipway takes: it would refuse the whole record."""

import re
from collections.abc import Mapping

from tools.checkout import UsageError
from tools.slipway_client import runner
from tools.slipway_client.runner import warn

Environ = Mapping[str, str]

# Bounds of the API.
MOST_DETAIL = 2000
MOST_REASON = 500
MOST_URL = 2000
LEAST_LEASE, MOST_LEASE = 60, 14400
_URL = re.compile(r"https?://[!-~]+")
# Slipway takes no reason that starts or ends so.
_WHITE_ENDS = re.compile(r"\A[\s\0-\x1f\ufeff]+|[\s\0-\x1f\ufeff]+\Z")


def text(environ: Environ, name: str, most: int) -> str | None:
    """Return a variable as Slipway takes it, or None if it is empty: Unicode without NUL, and not too long."""
    # Python keeps bytes of a variable that are not UTF-8 as halves of surrogate pairs.
    said = environ.get(name, "").encode(errors="surrogatepass").decode(errors="replace")
    said = _WHITE_ENDS.sub("", said).replace("\0", "\ufffd")
    if len(said) > most:
        warn(environ, f"{name} has {len(said)} characters, so it is cut to {most}: write the rest into the log")
        said = f"{said[: most - 1]}…"
    return said or None


def run_url(environ: Environ) -> str | None:
    """Return the address of the run's page, or warn and return None if Slipway does not take it."""
    url = runner.run_url(environ)
    if url is None or (len(url) <= MOST_URL and _URL.fullmatch(url)):
        return url
    warn(environ, f"The address of this run is not recorded, because it is no URL of at most {MOST_URL} characters")
    return None


def lease_seconds(environ: Environ) -> int | None:
    """Return LEASE_SECONDS within the bounds, or None if it is not set. Raise UsageError if it is no number."""
    said = environ.get("LEASE_SECONDS")
    if not said:
        return None
    try:
        seconds = int(min(max(float(said), LEAST_LEASE), MOST_LEASE))
    except ValueError:
        raise UsageError(f"LEASE_SECONDS={said} is not a number: set whole seconds, such as 1800") from None
    if str(seconds) != said:
        warn(
            environ,
            f"The lease lasts {seconds} s, not {said}: set LEASE_SECONDS to {LEAST_LEASE} to {MOST_LEASE}",
        )
    return seconds
