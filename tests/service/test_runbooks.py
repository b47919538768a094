"""The statements in the runbooks run as `make db-shell` runs them: as the service's role, and reading only."""

import re

import psycopg2
import pytest

from tests.support.checkout import ROOT
from tests.support.page import blocks

RUNBOOKS = sorted(path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md"))
STATEMENTS = [
    (name, sql)
    for name in RUNBOOKS
    for block in blocks(f"runbooks/{name}.md")
    for sql in re.findall(r'^make db-shell ENV=\w+ SQL="([^"]+)"$', block.text, re.MULTILINE)
]


def test_the_runbooks_have_statements() -> None:
    assert len(STATEMENTS) >= 6


@pytest.mark.parametrize(("name", "sql"), STATEMENTS, ids=[name for name, _ in STATEMENTS])
def test_a_runbooks_statement_runs(name, sql, database_url) -> None:
    connection = psycopg2.connect(database_url)
    connection.set_session(readonly=True)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            assert cursor.description
    finally:
        connection.close()
