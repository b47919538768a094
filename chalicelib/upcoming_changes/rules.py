"""The address at which a repository's host compares two revisions."""

import re

from chalicelib.vocabulary import SHA

# The parts of an address are written again from these patterns, so a repository's address can't lead elsewhere. The
# first use compiles them, because a cold start need not.
_GITHUB = r"https://github\.com/([A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100})"
_GITLAB = r"https://(gitlab(?:\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+)(/[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)+)"
# With two revisions, the address still has at most the 2000 characters of a URL.
_MOST = 1800


def compare_url(repository: str | None, base: str | None, head: str | None) -> str | None:
    """Return the address of a comparison of two revisions.

    None unless the repository is on github.com, on gitlab.com or on a host that starts with `gitlab.`, or if a
    revision is unknown.
    """
    if not (repository and base and head and re.fullmatch(SHA, base) and re.fullmatch(SHA, head)):
        return None
    place = repository.removesuffix("/").removesuffix(".git")
    if len(place) > _MOST or {".", ".."} & set(place.split("/")):
        return None
    if found := re.fullmatch(_GITHUB, place, re.ASCII | re.IGNORECASE):
        return f"https://github.com/{found[1]}/compare/{base}...{head}"
    if found := re.fullmatch(_GITLAB, place, re.ASCII | re.IGNORECASE):
        return f"https://{found[1].lower()}{found[3]}/-/compare/{base}...{head}"
    return None
