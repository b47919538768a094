"""Every rule of the schema that a request can violate has a message for the caller."""

import pytest

import app  # noqa: F401 (declares every kind of problem)
from chalicelib.database.constraints import CONSTRAINTS
from chalicelib.rest.problems import PROBLEM_TYPES
from tests.support.operations import require_entries

# Constraints that no request can violate, with the reasons.
OUT_OF_REACH = {
    "aws_accounts_pkey": "the only INSERT into this table has an ON CONFLICT clause",
    "aws_accounts_class": "the primary key is stricter, but foreign keys refer to this key",
    "environments_of_system": "the primary key is stricter, but foreign keys refer to this key",
    "environments_system_id_fkey": "creating an environment and deleting its system wait for each other",
    "publishers_system_id_fkey": "creating a publisher and deleting its system wait for each other",
    "idempotency_keys_once": "the only INSERT into this table has an ON CONFLICT clause",
    "deployments_promotion_id_fkey": "the statement that records a deployment also records its promotion",
    "deployment_statuses_deployment_id_fkey": "each status refers to a recorded deployment, and no record is deleted",
    "deployment_commits_deployment_id_fkey": "the statement that records commits also records their deployment",
    "audit_events_are_not_truncated": "the service has no right to truncate a table",
    "deployments_are_not_truncated": "the service has no right to truncate a table",
    "verifications_are_not_truncated": "the service has no right to truncate a table",
    "workspaces_are_not_truncated": "the service has no right to truncate a table",
    "workspaces_as_target": "the primary key is stricter, but foreign keys refer to this key",
    "workspaces_as_routed": "the primary key is stricter, but foreign keys refer to this key",
    "schema_migrations_pkey": "only one process at a time applies migrations",
}


def test_every_constraint_that_a_write_can_violate_has_a_refusal(named):
    require_entries(
        "CONSTRAINTS in chalicelib/database/constraints.py",
        CONSTRAINTS,
        {
            name: f'    "{name}": Refusal("invalid", "The message for the caller", "#/field"),'
            for name in named - OUT_OF_REACH.keys()
        },
        ", or to OUT_OF_REACH in tests/service/test_constraints.py "
        "with the reason why no request can violate the constraint",
    )


def test_constraints_out_of_reach_exist_and_have_no_refusal(named):
    assert OUT_OF_REACH.keys() <= named
    assert not OUT_OF_REACH.keys() & CONSTRAINTS.keys()


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_a_refusal_is_a_known_client_error(name):
    refusal = CONSTRAINTS[name]

    assert PROBLEM_TYPES[refusal.problem].status in (409, 422)
    assert not refusal.pointer or refusal.pointer.startswith("#/")


@pytest.fixture
def named(given):
    """The names of all constraints, unique indexes and triggers that refuse rows, without generated primary keys."""
    return {
        name
        for (name,) in given.sql(
            """
            SELECT conname FROM pg_constraint c
            WHERE connamespace = 'public'::regnamespace AND NOT (contype = 'p' AND EXISTS (
                SELECT FROM pg_attribute a
                WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) AND a.attidentity <> ''
            ))
            UNION
            SELECT relname FROM pg_index i JOIN pg_class ON oid = indexrelid
            WHERE indisunique AND relnamespace = 'public'::regnamespace
                AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
            UNION
            SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgfoid = 'refuse_change'::regproc
            """
        )
    }
