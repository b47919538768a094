"""Ask GitHub's API about this repository, with the job's own token."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from tools.checkout import ToolError
from tools.slipway_client.client import Json, Refused, send
from tools.slipway_client.runner import needed


class Repository:
    """The repository of the job, as far as the token in GH_TOKEN may read it."""

    def __init__(self, environ: Mapping[str, str], pause: Callable[[float], None] = time.sleep) -> None:
        self.name = needed(environ, "GITHUB_REPOSITORY", "acme/shop")
        self._base = f"{needed(environ, 'GITHUB_API_URL', 'https://api.github.com')}/repos/{self.name}"
        self._token = needed(environ, "GH_TOKEN", '"$(gh auth token)"')
        self._pause = pause

    def head(self, branch: str) -> str | None:
        """Return the newest commit of a branch, or None if this repository has no branch of exactly this name."""
        found = self._ask(f"git/ref/heads/{_quoted(branch)}")
        if not isinstance(found, dict) or found["ref"] != f"refs/heads/{branch}":
            return None
        return str(found["object"]["sha"])

    def pull_request(self, number: int) -> Json | None:
        """Return a pull request into this repository, or None if there is no pull request with this number."""
        found: Json | None = self._ask(f"pulls/{number}")
        return found

    def run(self, id_: str, attempt: str) -> Json | None:
        """Return an attempt of a workflow's run in this repository, or None if there is no such attempt."""
        found: Json | None = self._ask(f"actions/runs/{_quoted(id_)}/attempts/{_quoted(attempt)}")
        return found

    def rules(self, branch: str) -> set[str]:
        """Return the types of the active rules for a branch: https://docs.github.com/en/rest/repos/rules."""
        return {rule["type"] for rule in self._ask(f"rules/branches/{_quoted(branch)}?per_page=100") or []}

    def _ask(self, path: str) -> Any:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        try:
            return send("GET", f"{self._base}/{path}", headers, None, self._pause, json.loads)
        except Refused as refusal:
            if refusal.status == 404:
                return None
            said = refusal.problem.get("message", "no reason given")
            raise ToolError(
                f"GitHub refused to answer ({refusal.status}: {said}): give the job `permissions: contents: read`, "
                "`pull-requests: read` and `actions: read`, as far as it lacks them"
            ) from None


def _quoted(name: str) -> str:
    return quote(name, safe="")
