"""The claims of tokens, as GitHub and Cognito make them."""

import time
import uuid
from collections.abc import Sequence
from typing import Any

ISSUER = "https://issuer.localhost"
GITHUB = "https://token.actions.githubusercontent.com"
PEOPLE = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_people"


def github_claims(
    issuer: str = GITHUB,
    *,
    repository: str = "acme/shop",
    ref: str = "refs/heads/main",
    event_name: str = "push",
    environment: str | None = None,
    workflow: str = ".github/workflows/deploy.yml",
    audience: str = "service",
    **changes: Any,
) -> dict[str, Any]:
    """Return GitHub's claims for a run. GitHub documents the claims in "OpenID Connect reference".

    `changes` adds or replaces claims; None leaves a claim out.
    """
    now = int(time.time())
    sha = changes.get("sha", "200f4b2d8e19e8e64f878567f24b464f3d7146ac")
    workflow_ref = f"{repository}/{workflow}@{ref}"
    if environment is not None:
        context = f"environment:{environment}"
    else:
        context = "pull_request" if event_name == "pull_request" else f"ref:{ref}"
    return without_none(
        {
            "jti": str(uuid.uuid4()),
            "sub": f"repo:{repository}:{context}",
            "aud": audience,
            "ref": ref,
            "sha": sha,
            "repository": repository,
            "repository_id": "74",
            "repository_owner": repository.partition("/")[0],
            "repository_owner_id": "65",
            "repository_visibility": "private",
            "run_id": "4711",
            "run_number": "10",
            "run_attempt": "1",
            "runner_environment": "github-hosted",
            "actor": "jane",
            "actor_id": "12",
            "workflow": "Deploy",
            "workflow_ref": workflow_ref,
            "workflow_sha": sha,
            "job_workflow_ref": workflow_ref,
            "job_workflow_sha": sha,
            "head_ref": "",
            "base_ref": "",
            "event_name": event_name,
            "ref_protected": "true",
            "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
            "environment": environment,
            "enterprise": "acme-holding",
            "enterprise_id": "3",
            "check_run_id": "505",
            "iss": issuer,
            "nbf": now - 600,
            "exp": now + 300,
            "iat": now,
            **changes,
        }
    )


def person_claims(issuer: str, groups: Sequence[str] = ("everybody",), **changes: Any) -> dict[str, Any]:
    """Return Cognito's claims for an access token. Without groups, `cognito:groups` is left out.

    `changes` adds or replaces claims; None leaves a claim out.
    """
    now = int(time.time())
    return without_none(
        {
            "sub": "5c2f1d1e-3a55-4c1b-9d0c-6f2f5f1d7a10",
            "cognito:groups": list(groups) or None,
            "iss": issuer,
            "version": 2,
            "client_id": "service",
            "origin_jti": str(uuid.uuid4()),
            "token_use": "access",
            "scope": "openid profile",
            "auth_time": now,
            "exp": now + 3600,
            "iat": now,
            "jti": str(uuid.uuid4()),
            "username": "jane",
            **changes,
        }
    )


def without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


# GitHub's claims for a run that a push to main started, in the GitHub environment `development`.
RUN = github_claims(repository="acme/azul", environment="development")
# The name of this run in records and in the audit trail. The service makes it from claims other than `sub`.
RUN_SUBJECT = "repo:acme@65/azul@74:environment:development"
