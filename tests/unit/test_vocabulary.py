"""Copies of a pattern in SQL and Terraform equal the original."""

from pathlib import Path

import pytest

from chalicelib.vocabulary import ENVIRONMENT_URL, INSTANCE, SECOND_SPELLING, SLUG, SUITE

ROOT = Path(__file__).parents[2]
MAIN = "infra/modules/infrastructure-main"


def _in_terraform(pattern: str) -> str:
    return pattern.replace("\\", "\\\\")


@pytest.mark.parametrize(
    ("file", "copy"),
    [
        ("chalicelib/systems/migrations/0004_systems.sql", f"(key ~ '^{SLUG}$')"),
        ("chalicelib/environments/migrations/0005_environments.sql", f"(name ~ '^{SLUG}$')"),
        ("chalicelib/environments/migrations/0005_environments.sql", f'like_regex "^{SUITE}$"'),
        (f"{MAIN}/variables.tf", f'= "^{_in_terraform(INSTANCE)}$"\n'),
        (f"{MAIN}/variables.tf", f'= "{_in_terraform(SECOND_SPELLING)}"\n'),
        ("chalicelib/environments/migrations/0005_environments.sql", f"base_url ~\n        '^{ENVIRONMENT_URL}$'\n"),
    ],
)
def test_a_copy_is_the_pattern(file: str, copy: str) -> None:
    assert copy in (ROOT / file).read_text()
