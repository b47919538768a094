"""`make schema`: write docs/schema.sql, the schema after all migrations, for people to read."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from chalicelib.database.migrate import MigrationFailed, MigrationRefused, migrate
from chalicelib.database.roles import MIGRATOR
from tools import lifeline
from tools.aws.db_shell import BUNDLED_PSQL
from tools.checkout import ROOT, ToolError
from tools.local import postgres

# Not in chalicelib, because everything there is shipped, and the service never reads this file.
PATH = ROOT / "docs" / "schema.sql"

_PG_DUMP = BUNDLED_PSQL.with_name("pg_dump")
_SECONDS = 60
_INTRODUCTION = """\
-- The schema after all migrations, for people to read. `make schema` writes this file.
"""
_HEADER = re.compile(r"^--\n-- Name: .+; Type: (.+); Schema: .+\n--\n", re.MULTILINE)
# The lines of pg_dump that are not part of the schema: settings of the session, psql's own commands, and comments.
_NOT_SCHEMA = re.compile(r"^(SET .*;|\\.*|--.*)\n", re.MULTILINE)
# Leave out these words, because a reader does not need them.
_OBVIOUS = re.compile(r"\bpublic\.|::(?:text|jsonb|timestamp with time zone)\b| USING btree\b")
_IDENTITY = re.compile(r"ALTER TABLE (\w+) ALTER COLUMN (\w+) ADD (GENERATED [A-Z ]+ AS IDENTITY) \(")
_CONSTRAINT = re.compile(r"ALTER TABLE ONLY (\w+)\s+ADD (CONSTRAINT .+);")
_COLUMN_GRANT = re.compile(r"GRANT ((?:\w+\(\w+\),?)+) ON TABLE (\w+) TO (\w+);")
_COLUMN_RIGHT = re.compile(r"(\w+)\((\w+)\)")


def main(environ: Mapping[str, str]) -> None:
    """Write docs/schema.sql from a temporary database, or raise ToolError."""
    with postgres.throwaway() as url:
        try:
            migrate(postgres.as_login(url, MIGRATOR))
        except (MigrationFailed, MigrationRefused) as error:
            raise ToolError(str(error)) from None
        text = describe(postgres.as_login(url, postgres.SUPERUSER))
    changed = not PATH.exists() or PATH.read_text() != text
    PATH.write_text(text)
    print(f"{PATH.name} {'changed: commit it' if changed else 'was up to date'}")


def describe(url: str) -> str:
    """Return the schema of a database as SQL, table by table, or raise ToolError."""
    dumped = lifeline.run([str(_PG_DUMP), "--schema-only", "--no-owner", url], capture_output=True, timeout=_SECONDS)
    if dumped.returncode != 0:
        raise ToolError(
            f"pg_dump failed on {urlsplit(url).path}: {dumped.stderr.strip()}. Fix this error and try again"
        )
    _, *parts = _HEADER.split(dumped.stdout)
    statements = [_OBVIOUS.sub("", _NOT_SCHEMA.sub("", text)).strip() for text in parts[1::2]]
    kinds = parts[::2]
    return "\n".join([_INTRODUCTION, *_grouped([each for each in zip(kinds, statements, strict=True) if each[1]])])


def _grouped(statements: list[tuple[str, str]]) -> Iterator[str]:
    """Yield each table with its parts, which pg_dump prints in several places, then the other statements."""
    tables = {text.split()[2]: [text] for kind, text in statements if kind == "TABLE"}
    rest = []
    for kind, text in statements:
        if (identity := _IDENTITY.match(text)) is not None:
            table, column, generated = identity.groups()
            created = re.sub(rf"^(    {column} \w+) NOT NULL", rf"\1 {generated}", tables[table][0], flags=re.MULTILINE)
            tables[table][0] = created
        elif (constraint := _CONSTRAINT.fullmatch(text)) is not None:
            table, definition = constraint.groups()
            created, end = tables[table][0].rsplit("\n)", 1)
            tables[table][0] = f"{created},\n    {definition}\n){end}"
        elif (
            kind in ("INDEX", "TRIGGER", "ACL") and (on := re.search(r" ON (?:TABLE )?(\w+)", text)) and on[1] in tables
        ):
            tables[on[1]].append(text)
        elif kind != "TABLE":
            rest.append(text)
    for table, its_own in tables.items():
        yield f"-- {table}\n\n" + "\n".join(_with_joined_grants(its_own)) + "\n"
    yield "-- All other statements\n\n" + "\n\n".join(rest) + "\n"


def _with_joined_grants(statements: list[str]) -> Iterator[str]:
    """Yield the statements. At the end, yield one joined grant instead of several grants on single columns."""
    columns: dict[tuple[str, str, str], list[str]] = {}
    for statement in statements:
        if (grant := _COLUMN_GRANT.fullmatch(statement)) is not None:
            rights, table, role = grant.groups()
            for right, column in _COLUMN_RIGHT.findall(rights):
                columns.setdefault((right, table, role), []).append(column)
        else:
            yield statement
    for (right, table, role), names in columns.items():
        yield f"GRANT {right} ({', '.join(names)}) ON TABLE {table} TO {role};"
