"""Look up short ids in PostgreSQL. Each look-up steps through a range of an index, from one id to the next."""

import re
from typing import Any, TypeVar

import msgspec

from chalicelib.database.connection import Database
from chalicelib.rest import problems
from chalicelib.rest.problems import Problem
from chalicelib.rest.types import Query
from chalicelib.short_ids.model import MOST_CANDIDATES, ambiguous_id
from chalicelib.vocabulary import ARTIFACT, SHA, SHORT_ARTIFACT, SHORT_SHA

Q = TypeVar("Q", bound=Query)


def require_artifact(db: Database, system: str, text: str) -> str:
    """Return the full id of an artifact that the system has records of. Raise problem 404, or 409 if several fit."""
    artifact = _one(db, _ARTIFACTS, SHORT_ARTIFACT, system, text)
    if artifact is None:
        raise Problem(
            problems.not_found,
            f"The system {system!r} has no records of the artifact {text!r}. Check the artifact and the system.",
        )
    return artifact


def full_artifact(db: Database, system: str, text: str) -> str:
    """Return a full id as it is. For a short one, return the full id, or raise problem 404 or 409."""
    return text if re.fullmatch(ARTIFACT, text) else require_artifact(db, system, text)


def require_commit(db: Database, system: str, text: str) -> str:
    """Return the full id of a commit that a deployment delivered. Raise problem 404, or 409 if several fit."""
    commit = _one(db, _COMMITS, SHORT_SHA, system, text)
    if commit is None:
        raise Problem(
            problems.not_found,
            f"No deployment of the system {system!r} recorded the commit {text!r}. Check the commit and the system, or "
            "send `commits` when you open deployments.",
        )
    return commit


def with_full_ids(db: Database, system: str, query: Q) -> Q:
    """Return a list's query with full ids in the filters `artifact` and `revision`. Raise problem 409 if several fit.

    A short id that fits no record stays short, so the list is empty.
    """
    full: dict[str, Any] = {}
    for name, statement, short, pattern in (
        ("artifact", _ARTIFACTS, SHORT_ARTIFACT, ARTIFACT),
        ("revision", _REVISIONS, SHORT_SHA, SHA),
    ):
        text = getattr(query, name, None)
        if text is not None and not re.fullmatch(pattern, text):
            full[name] = _one(db, statement, short, system, text) or text
    return msgspec.structs.replace(query, **full) if full else query


def _one(db: Database, statement: str, pattern: str, system: str, text: str) -> str | None:
    """Return the only id that starts with a text, or None. An id that equals the text comes before longer ones."""
    if not re.fullmatch(pattern, text, re.ASCII):
        return None
    candidates: list[str] = db.value(statement, system=system, text=text) or []
    if len(candidates) > 1 and candidates[0].rpartition(":")[2] != text.rpartition(":")[2]:
        raise Problem(
            ambiguous_id,
            f"{len(candidates) if len(candidates) <= MOST_CANDIDATES else f'More than {MOST_CANDIDATES}'} ids in the "
            f"system {system!r} start with {text!r}: send more digits, or one of `candidates`.",
            candidates=candidates[:MOST_CANDIDATES],
        )
    return candidates[0] if candidates else None


def _starting_with(start: str, following: str) -> str:
    """Return SQL for the ids that start with `start`, at most one more than MOST_CANDIDATES, in order.

    `following` is SQL for the least id with `{start} <= id < {start} || 'g'`. `BOUND` stands for the lower bound there.
    In every collation, lower-case hex digits are in the order of their values, and `g` is after them.
    """
    return f"""
        SELECT coalesce(array_agg(found.id::text ORDER BY number) FILTER (WHERE found.id IS NOT NULL), '{{}}')
        FROM systems s CROSS JOIN LATERAL (SELECT {start} AS start, {start} || 'g' AS stop) AS range
        CROSS JOIN LATERAL (
            WITH RECURSIVE ids AS (
                SELECT 0 AS number, {following.replace("BOUND", ">= range.start")} AS id
                UNION ALL
                SELECT number + 1, {following.replace("BOUND", "> ids.id")}
                FROM ids WHERE ids.id IS NOT NULL AND number < {MOST_CANDIDATES}
            )
            SELECT number, id FROM ids
        ) AS found
        WHERE s.key = %(system)s
    """


def _least(table: str, column: str, of: str = "system_id = s.id") -> str:
    return f"""
        (
            SELECT {column} FROM {table} WHERE {of} AND {column} BOUND AND {column} < range.stop
            ORDER BY {column} LIMIT 1
        )
    """


_ARTIFACTS = _starting_with(
    "CASE WHEN strpos(%(text)s, ':') > 0 THEN %(text)s ELSE s.artifact_kind || ':' || %(text)s END",
    f"least({', '.join(_least(table, 'artifact') for table in ('deployments', 'promotions'))})",
)
_REVISIONS = _starting_with("%(text)s::text", _least("deployments", "revision"))
_COMMITS = _starting_with(
    "%(text)s::text",
    f"""
        (
            SELECT min(of_environment.sha)
            FROM environments e CROSS JOIN LATERAL (
                SELECT {_least("deployment_commits", "sha", "environment_id = e.id")} AS sha
            ) AS of_environment
            WHERE e.system_id = s.id
        )
    """,
)
