"""Nobody can plant a value that breaks the service, even with the rights of its role in the database.

The schema refuses hostile values in every column that the service may write.
"""

import re
from contextlib import closing

import psycopg2
import pytest
from psycopg2.errors import CheckViolation, ForeignKeyViolation, StringDataRightTruncation

from chalicelib.database.roles import APP
from chalicelib.patterns import NOT_WHITE
from tests.support.operations import READS, address, entry
from tests.support.postgres import SUPERUSER, as_login
from tests.support.resources import RESOURCES

_LONG = "repeat('x', 1000000)"

# Values that no column may take, by type: as SQL.
HOSTILE = {
    "bigint": [],  # ids: the service only compares them
    "boolean": [],
    "integer": ["-1", "2147483647"],
    "jsonb": [
        f"to_jsonb({_LONG})",
        "(repeat('[', 1000) || repeat(']', 1000))::jsonb",
        "('[' || repeat('9', 5000) || ']')::jsonb",
        "('[-1' || repeat('0', 5000) || ']')::jsonb",
    ],
    "text": [_LONG],
    "text[]": [f"ARRAY[{_LONG}]", "ARRAY[NULL]", "array_fill('x'::text, ARRAY[1000])", "ARRAY[['push'], ['push']]"],
    "timestamp with time zone": ["'infinity'", "'-infinity'", "'1900-01-01'", "'9999-12-31'", "'20000-01-01'"],
}
HOSTILE |= {"character varying": HOSTILE["text"], "character varying[]": HOSTILE["text[]"]}

# Columns that may take a value of HOSTILE, each with the reason. Those of the resources are in their EXPECTED.
HARMLESS = {
    "hourly_writes.allowed": "the next write sets it again",
    **{column: reason for each in RESOURCES.values() for column, reason in each.harmless.items()},
}

ADVICE = f"bound these columns, or make rows in which they are not null, or add them to {entry('harmless')}"
WHITE = [chr(number) for number in range(1, 0xD800) if not re.match(NOT_WHITE, chr(number))] + ["\ufeff"]
REFUSED = (CheckViolation, ForeignKeyViolation, StringDataRightTruncation)


def test_types_of_the_schema_refuse_texts_that_no_request_may_have(given):
    urls = ["ftp://example.org", "https://example.org/a b", "https://example.org\n"]
    reasons = ["", *(f"{white}x" for white in WHITE), *(f"x{white}" for white in WHITE)]

    for type_, value in [*(("url", url) for url in urls), *(("stated_reason", reason) for reason in reasons)]:
        with pytest.raises(CheckViolation):
            given.sql(f"SELECT %s::{type_}", value)


def test_no_id_can_be_reserved(given):
    writable = given.sql(
        """
        SELECT attrelid::regclass::text, attname FROM pg_attribute
        WHERE attidentity <> '' AND (
            has_column_privilege(%s, attrelid, attnum, 'INSERT') OR has_column_privilege(%s, attrelid, attnum, 'UPDATE')
        )
        """,
        APP,
        APP,
    )

    assert writable == [], "grant INSERT by column, without the id"


def test_hostile_values_are_refused(api, given, database_url):
    given.two_of_everything()
    api.post("/v1/systems", {"key": "blue", "name": "Blue"}, idempotency_key="one")

    with closing(psycopg2.connect(as_login(database_url, SUPERUSER))) as connection, connection.cursor() as cursor:
        columns = writable_columns(given)
        # The triggers that keep records would refuse each change.
        tables = sorted({table for table, _, _ in columns})
        cursor.execute("; ".join(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables))
        accepted = {
            (f"{table}.{column}", value)
            for table, column, type_ in columns
            for value in HOSTILE[type_]
            for row, is_null in rows(cursor, table, column)
            if accepts(cursor, f"UPDATE {table} SET {column} = {value} WHERE ctid = %s", row, is_null=is_null)
        }
        assert {column for column, _ in accepted} == HARMLESS.keys(), ADVICE

        for column, value in accepted:
            table, _, name = column.partition(".")
            cursor.execute(f"UPDATE {table} SET {name} = {value}")
        cursor.execute("; ".join(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in tables))
        connection.commit()
    for operation in READS:
        assert api.get(address(operation)).status == 200, operation.name


def writable_columns(given):
    """Return the table, the name and the base type of each column that the service may write."""
    return given.sql(
        """
        SELECT relname, attname, format_type(coalesce(nullif(typbasetype, 0), atttypid), NULL)
        FROM pg_class c JOIN pg_attribute ON attrelid = c.oid JOIN pg_type t ON t.oid = atttypid
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped AND (
            has_column_privilege(%s, c.oid, attnum, 'INSERT') OR has_column_privilege(%s, c.oid, attnum, 'UPDATE')
        )
        ORDER BY relname, attnum
        """,
        APP,
        APP,
    )


def rows(cursor, table, column):
    """Return the rows in which a column is not null, or else all rows. Say whether the column is null."""
    cursor.execute(
        f"""
        SELECT ctid, {column} IS NULL FROM {table}
        WHERE ({column} IS NULL) = (SELECT bool_and({column} IS NULL) FROM {table})
        """
    )
    found = cursor.fetchall()
    assert found, f"make a row of {table} in the test"
    return found


def accepts(cursor, statement, row, *, is_null):
    """True if the database accepts a statement that changes one row. Undo the statement.

    If the column is null, a check of several columns proves nothing: it may refuse every value.
    """
    cursor.execute("SAVEPOINT before")
    try:
        cursor.execute(statement, (row,))
        assert cursor.rowcount == 1
    except REFUSED as error:
        refusal = error.diag.constraint_name
    else:
        return True
    finally:
        cursor.execute("ROLLBACK TO before")
    cursor.execute("SELECT FROM pg_constraint WHERE conname = %s AND cardinality(conkey) > 1", (refusal,))
    return is_null and cursor.rowcount > 0
