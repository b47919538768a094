"""Publishers in PostgreSQL."""

from typing import Any

import msgspec

from chalicelib.database.connection import Database
from chalicelib.publishers.model import MOST_READ, NewPublisher, Publisher, Surroundings, TrustedRepository
from chalicelib.rest import problems
from chalicelib.rest.ids import NumberedId, number
from chalicelib.rest.paging import Keyset
from chalicelib.rest.problems import Problem

ORDER = Keyset(id=NumberedId)

_ENVIRONMENTS = """
    (
        SELECT coalesce(json_object_agg(e.name, pe.github_environment ORDER BY e.name), '{}')
        FROM publisher_environments pe JOIN environments e ON e.id = pe.environment_id
        WHERE pe.publisher_id = p.id
    )
"""

# The columns of a Publisher except `environments`, from rows `p` and `s` (its system).
_COLUMNS = """
    p.id::text AS id, s.key AS system, p.issuer, p.repository, p.repository_id, p.repository_owner_id, p.workflow,
    p.called_workflow, p.events, p.ref, p.kinds, p.purposes, p.any_revision, p.created_at, p.created_by
"""

# SQL for one column: the trust rules for the repository of a token, of one system, or of all systems if %(system)s is
# null. The limit holds for all systems; a system has fewer for one repository. app.py gives this to `rest.admission`,
# which reads the column with each request of a pipeline.
TRUST_RULES = f"""
    (
        SELECT coalesce(json_agg(json_build_object(
            'id', p.id::text, 'system', p.key, 'issuer', p.issuer,
            'repository_owner_id', p.repository_owner_id, 'repository_id', p.repository_id,
            'repository', p.repository, 'workflow', p.workflow, 'called_workflow', p.called_workflow,
            'events', p.events, 'ref', p.ref, 'environments', {_ENVIRONMENTS}, 'kinds', p.kinds,
            'purposes', p.purposes, 'any_revision', p.any_revision
        ) ORDER BY p.id), '[]')
        FROM (
            SELECT publishers.*, systems.key FROM publishers JOIN systems ON systems.id = publishers.system_id
            WHERE issuer = %(issuer)s AND repository_id = %(repository_id)s
                AND repository_owner_id = %(repository_owner_id)s AND (%(system)s IS NULL OR key = %(system)s)
            ORDER BY publishers.id LIMIT {MOST_READ}
        ) AS p
    )
"""


def get(db: Database, system: str, id_: str) -> Publisher:
    """Return the publisher, or raise problem 404."""
    publisher = db.select_one(
        Publisher,
        f"""
        SELECT {_COLUMNS}, {_ENVIRONMENTS} AS environments FROM publishers p JOIN systems s ON s.id = p.system_id
        WHERE s.key = %(system)s AND p.id = %(id)s
        """,
        system=system,
        id=number(id_),
    )
    if publisher is None:
        raise Problem(
            problems.not_found, f"The system {system!r} has no publisher {id_!r}. Check the id and the system."
        )
    return publisher


def list_(db: Database, system: str, *, limit: int, after: tuple[Any, ...] | None) -> list[Publisher]:
    return db.select(
        Publisher,
        f"""
        SELECT {_COLUMNS}, {_ENVIRONMENTS} AS environments FROM publishers p JOIN systems s ON s.id = p.system_id
        WHERE s.key = %(system)s AND (%(after)s IS NULL OR p.id < %(after)s::bigint)
        ORDER BY p.id DESC LIMIT %(limit)s
        """,
        system=system,
        limit=limit,
        after=after[0] if after else None,
    )


def surroundings(db: Database, system: str, issuer: str, repository_id: str) -> Surroundings | None:
    """Return what a new publisher for a repository depends on, or None if the system does not exist."""
    return db.select_one(
        Surroundings,
        """
        SELECT s.repository,
            (SELECT coalesce(array_agg(name), '{}') FROM environments WHERE system_id = s.id) AS environments,
            (
                SELECT coalesce(array_agg(name), '{}') FROM environments WHERE system_id = s.id AND production
            ) AS production,
            counted.publishers, counted.of_repository
        FROM systems s CROSS JOIN LATERAL (
            SELECT count(*) AS publishers,
                count(*) FILTER (
                    WHERE issuer = %(issuer)s AND repository_id = %(repository_id)s
                ) AS of_repository
            FROM publishers WHERE system_id = s.id
        ) AS counted
        WHERE s.key = %(system)s
        """,
        system=system,
        issuer=issuer,
        repository_id=repository_id,
    )


def trusted_repositories(db: Database, system: str, environment: str) -> list[TrustedRepository]:
    """Return the repositories that publishers let write deployments or verifications of an environment."""
    return db.select(
        TrustedRepository,
        """
        SELECT DISTINCT p.issuer, p.repository, s.repository AS own
        FROM systems s JOIN environments e ON e.system_id = s.id
            JOIN publisher_environments pe ON pe.environment_id = e.id
            JOIN publishers p ON p.id = pe.publisher_id
        WHERE s.key = %(system)s AND e.name = %(environment)s
            AND p.kinds && ARRAY['deployments', 'verifications']
        ORDER BY p.repository, p.issuer
        """,
        system=system,
        environment=environment,
    )


def insert(db: Database, system: str, new: NewPublisher, *, issuer: str, created_by: str) -> Publisher:
    inserted = db.select_one(
        Publisher,
        f"""
        WITH p AS (
            INSERT INTO publishers (
                system_id, issuer, repository, repository_id, repository_owner_id, workflow, called_workflow,
                events, ref, kinds, purposes, any_revision, created_by
            )
            SELECT id, %(issuer)s, %(repository)s, %(repository_id)s, %(repository_owner_id)s, %(workflow)s,
                %(called_workflow)s, %(events)s::text[], %(ref)s, %(kinds)s::text[], %(purposes)s::text[],
                %(any_revision)s, %(created_by)s
            FROM systems WHERE key = %(system)s
            RETURNING *
        ), pe AS (
            INSERT INTO publisher_environments (publisher_id, system_id, environment_id, github_environment)
            SELECT p.id, p.system_id, e.id, named.value
            FROM p JOIN environments e ON e.system_id = p.system_id
                JOIN json_each_text(%(environments)s::json) AS named ON named.key = e.name
            RETURNING environment_id, github_environment
        )
        SELECT {_COLUMNS}, (
            SELECT json_object_agg(e.name, pe.github_environment ORDER BY e.name)
            FROM pe JOIN environments e ON e.id = pe.environment_id
        ) AS environments
        FROM p JOIN systems s ON s.id = p.system_id
        """,
        system=system,
        issuer=issuer,
        repository=new.repository,
        repository_id=new.repository_id,
        repository_owner_id=new.repository_owner_id,
        workflow=new.workflow,
        called_workflow=new.called_workflow,
        events=list(new.events),
        ref=new.ref,
        environments=msgspec.json.encode(new.environments).decode(),
        kinds=list(new.kinds),
        purposes=list(new.purposes),
        any_revision=new.any_revision,
        created_by=created_by,
    )
    assert inserted is not None
    return inserted


def delete(db: Database, id_: str) -> None:
    db.execute("DELETE FROM publishers WHERE id = %(id)s", id=number(id_))
