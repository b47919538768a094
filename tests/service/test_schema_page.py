"""The examples in docs/change-the-schema.md: the code of the release before keeps working on each new schema."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from chalicelib.database.migrate import MIGRATIONS, migrate
from chalicelib.database.roles import APP, MIGRATOR
from tests.support.page import blocks
from tests.support.postgres import as_login

ADD, EXPAND, CONTRACT = [block.text for block in blocks("change-the-schema.md") if block.language == "sql"]
INSERT = """
    INSERT INTO environments (
        system_id, name, rank, production, required_soak_seconds, required_suites, {column}
    )
    SELECT id, %(name)s, %(rank)s, false, 0, '{{}}', %(region)s FROM systems
"""


@pytest.fixture
def apply(database_url: str, tmp_path: Path) -> Callable[[str], None]:
    """Apply a migration of the page to the test's database."""
    for path in MIGRATIONS.glob("*/migrations/*.sql"):
        shutil.copy(path, tmp_path)

    def apply(sql: str) -> None:
        number = len(list(tmp_path.glob("*.sql"))) + 1
        (tmp_path / f"{number:04}_from_the_page.sql").write_text(sql)
        assert migrate(as_login(database_url, MIGRATOR), tmp_path) == [f"{number:04}_from_the_page"]

    return apply


@pytest.fixture
def service(database_url: str, given: Any) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Run a statement as the service; return its rows."""
    given.a_system()
    with closing(psycopg2.connect(database_url)) as connection:
        connection.autocommit = True

        def run(statement: str, **values: Any) -> list[tuple[Any, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(f"SET ROLE {APP}")
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []

        yield run


def test_the_code_before_an_added_column_still_writes(apply: Any, service: Any) -> None:
    apply(ADD)

    service(INSERT.format(column="region"), name="development", rank=1, region="eu-west-1")

    assert service("SELECT contact FROM environments") == [("",)]
    service("UPDATE environments SET contact = 'ann'")


def test_the_code_before_and_after_a_renamed_column_see_the_same_values(apply: Any, service: Any) -> None:
    old, new = INSERT.format(column="region"), INSERT.format(column="aws_region")
    service(old, name="development", rank=1, region="eu-west-1")

    apply(EXPAND)
    service(old, name="preproduction", rank=2, region="eu-west-2")
    service(new, name="production", rank=3, region="eu-west-3")

    both = "SELECT region, aws_region FROM environments ORDER BY rank"
    assert service(both) == [("eu-west-1",) * 2, ("eu-west-2",) * 2, ("eu-west-3",) * 2]
    service("UPDATE environments SET region = 'us-east-1' WHERE rank = 1")
    service("UPDATE environments SET aws_region = 'us-east-2' WHERE rank = 2")
    service("UPDATE environments SET aws_region = NULL WHERE rank = 3")
    assert service(both) == [("us-east-1",) * 2, ("us-east-2",) * 2, (None, None)]

    apply(CONTRACT)
    service(new, name="sandbox", rank=4, region="eu-west-4")
    assert service("SELECT aws_region FROM environments ORDER BY rank")[3] == ("eu-west-4",)
