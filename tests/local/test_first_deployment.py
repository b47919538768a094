"""Run the commands of docs/first-deployment.md that call GitHub, and check their effects."""

import os
import re
from pathlib import Path

import pytest

from chalicelib import NAME
from tests.support.page import script, sh

PAGE = "first-deployment.md"


@pytest.fixture
def told(tmp_path: Path) -> list[str]:
    """The arguments of each call of `gh` in the page's blocks for GitHub, in order."""
    gh = tmp_path / "gh"
    # An environment whose rules administrators can skip would be an error.
    answer = 'case "$*" in *.can_admins_bypass*) echo false ;; *) echo 7 ;; esac'
    gh.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/told\n{answer}\n')
    gh.chmod(0o755)
    sh(
        script(PAGE, needs="GitHub"),
        environ={"PATH": f"{tmp_path}:{os.environ['PATH']}", "URL": f"https://{NAME}.example.org"},
    )
    return (tmp_path / "told").read_text().splitlines()


def test_each_new_github_environment_gets_the_role_of_its_job(told: list[str]) -> None:
    prefix = "variable set AWS_ROLE --env "
    roles = dict(line.removeprefix(prefix).split(" --body ") for line in told if line.startswith(prefix))
    expected = {"artifact": f"arn:aws:iam::123456789012:role/{NAME}-account-artifacts"}
    for name, account in (("development", 123456789012), ("preproduction", 123456789012), ("production", 210987654321)):
        expected[name] = f"arn:aws:iam::{account}:role/{NAME}-account-apply-{name}"
        for may in ("workspaces", "debug", "reap", "reap-debug"):
            expected[f"{name}-{may}"] = f"arn:aws:iam::{account}:role/{NAME}-account-{may}-{name}"
    assert roles == expected

    made = {
        match[1] for line in told if (match := re.search(rf"--method PUT repos/acme/{NAME}/environments/(\S+)", line))
    }
    # Jobs that verify need no AWS role, because they call only the service.
    assert made - roles.keys() == {f"{name}-verify" for name in ("development", "preproduction", "production")}
    assert roles.keys() <= made


def test_no_secret_is_set(told: list[str]) -> None:
    assert not any("secret" in line for line in told)
