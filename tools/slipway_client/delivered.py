"""Find the commits that a deployment delivers, as far as Slipway accepts them.

This module uses only the standard library: the action `record` runs it in other repositories' jobs.
"""

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tools.checkout import ToolError, git
from tools.slipway_client.client import Json
from tools.slipway_client.runner import warn

Environ = Mapping[str, str]

# The largest number of commits that Slipway accepts. If there are more commits, only the newest are sent.
MOST_COMMITS = 10_000
MOST_SUBJECT = 200
# Slipway accepts a body of 5 MiB. So only the newest of many commits have a subject, if the subjects are long.
MOST_SUBJECT_BYTES = 3_000_000
_LAST_DATE = 253_370_764_799  # the end of the year 9998
_REVISION = re.compile("([0-9a-f]{40}|[0-9a-f]{64})")
_LINE = re.compile("([0-9a-f]{40}|[0-9a-f]{64}) ([^ ]*) ([^ ]*) (.*)", re.DOTALL)
_DATE = re.compile("[0-9]{1,12}")
_DIGITS = re.compile("[0-9a-f]+")


def commit_of(revision: str | None) -> str | None:
    """Return the commit that a revision names, such as the commit of an annotated tag.

    Return the revision itself if the checkout does not know it, or if it is a part of an id: a branch can have the same
    name.
    """
    if not revision or (_DIGITS.fullmatch(revision) and not _REVISION.fullmatch(revision)):
        return revision
    try:
        done = git(Path(), "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except ToolError:
        return revision
    found = done.stdout.strip()
    return found if _REVISION.fullmatch(found) else revision


def commits(environ: Environ, since: str | None, revision: str | None) -> list[Json]:
    """Return the commits after `since`, or warn and return [] if git can't list them. Lead times need the commits."""
    if not (since and revision and _REVISION.fullmatch(since) and _REVISION.fullmatch(revision)):
        return []
    try:
        found = _log(f"{since}..{revision}")
    except ToolError as error:
        warn(environ, f"No commits are recorded. {error}")
        return []
    # The author's date can be missing or impossible. Then the committer's date counts.
    all_ = [(sha, _usable(authored) or _usable(committed), subject) for sha, authored, committed, subject in found]
    dated = [commit for commit in all_ if commit[1]]
    if undated := [sha for sha, at, _ in all_ if not at]:
        warn(
            environ,
            f"{len(undated)} of the delivered commits are not recorded, because they have no date that Slipway takes, "
            f"such as {undated[0]}",
        )
    kept = fitting(dated[:MOST_COMMITS])
    if len(kept) < len(dated):
        warn(environ, f"Only the newest {len(kept)} of the delivered commits are recorded: deploy more often")
    return kept


def _log(commits: str) -> list[tuple[str, ...]]:
    """Return the id, the author's date, the committer's date and the subject of each commit, or raise ToolError."""
    # With log.showSignature, git would print what gpg says about signed commits too.
    log = ["-c", "i18n.logOutputEncoding=UTF-8", "log", "--no-show-signature", "-z", "--format=%H %at %ct %s"]
    done = git(Path(), *log, f"--max-count={MOST_COMMITS + 1}", commits, errors="replace")
    if done.returncode != 0:
        why = " ".join(done.stderr.split())[:200]
        raise ToolError(
            f"Git can't list {commits} ({why}): set fetch-depth: 0. If a force push removed the first of these "
            "commits, only the next deployment has a list again"
        )
    lines = [_LINE.fullmatch(line) for line in done.stdout.split("\0") if line]
    found = [line.groups() for line in lines if line]
    if len(found) < len(lines):
        raise ToolError("Git's answer is no list of commits: run `git log` to see why")
    # In a shallow clone, git takes a commit whose parents were not fetched for one without parents.
    cut = Path(git(Path(), "rev-parse", "--git-path", "shallow").stdout.strip())
    if cut.is_file() and (lacking := set(cut.read_text().split()) & {sha for sha, *_ in found}):
        raise ToolError(f"The checkout lacks the parents of {min(lacking)}: set fetch-depth: 0")
    return found


def _usable(date: str) -> str:
    """Return a date of git, in seconds, or "" if it is before 1970 or after the last year that Slipway takes."""
    return date if _DATE.fullmatch(date) and int(date) <= _LAST_DATE else ""


def fitting(log: Iterable[Sequence[str]]) -> list[Json]:
    """Return the newest commits, at most MOST_COMMITS, and their subjects, as far as they fit into a body."""
    commits: list[Json] = []
    bytes_of_subjects = 0
    for sha, at, subject in log:
        commit = {"sha": sha, "authored_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(at)))}
        cut = {"subject": subject[:MOST_SUBJECT]}
        bytes_of_subjects += len(json.dumps(cut))
        commits.append(commit | cut if bytes_of_subjects <= MOST_SUBJECT_BYTES else commit)
    return commits
