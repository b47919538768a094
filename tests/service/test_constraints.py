"""Every rule of the schema that a request can violate has a message for the caller."""

import pytest

import app  # noqa: F401 (declares every kind of problem)
from chalicelib.rest.constraints import REFUSALS
from tests.support.operations import require_entries

# Constraints that no request can violate, with the reason.
OUT_OF_REACH = {
    "aws_accounts_pkey": "the only INSERT has an ON CONFLICT clause",
    "aws_accounts_class": "foreign keys need this key; the primary key is stricter",
    "environments_of_system": "foreign keys need this key; the primary key is stricter",
    "environments_system_id_fkey": "creating an environment and deleting its system wait for each other",
    "publishers_system_id_fkey": "creating a publisher and deleting its system wait for each other",
    "idempotency_keys_once": "the only INSERT has an ON CONFLICT clause",
    "deployments_promotion_id_fkey": "one statement records a deployment and its promotion",
    "deployment_statuses_deployment_id_fkey": "the deployment exists already, and is never deleted",
    "deployment_commits_deployment_id_fkey": "one statement records a deployment and its commits",
    "audit_events_are_not_truncated": "the service has no right to truncate",
    "deployments_are_not_truncated": "the service has no right to truncate",
    "verifications_are_not_truncated": "the service has no right to truncate",
    "workspaces_are_not_truncated": "the service has no right to truncate",
    "workspaces_as_target": "foreign keys need this key; the primary key is stricter",
    "workspaces_as_routed": "foreign keys need this key; the primary key is stricter",
    "schema_migrations_pkey": "one process at a time applies migrations",
}


def test_every_constraint_that_a_write_can_violate_has_a_refusal(named):
    require_entries(
        "the package's model.py",
        REFUSALS,
        {
            name: f'constraint("{name}", problems.invalid, "The message for the caller", "#/field")'
            for name in named - OUT_OF_REACH.keys()
        },
        ", or to OUT_OF_REACH in tests/service/test_constraints.py with the reason why no request can violate it",
    )


def test_constraints_out_of_reach_exist_and_have_no_refusal(named):
    assert OUT_OF_REACH.keys() <= named
    assert not OUT_OF_REACH.keys() & REFUSALS.keys()


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_a_known_client_error(name):
    refusal = REFUSALS[name]

    assert refusal.problem.status in (409, 422)
    assert not refusal.pointer or refusal.pointer.startswith("#/")


@pytest.fixture
def named(given):
    """The names of all constraints and triggers that refuse rows. Primary keys with generated values are left out."""
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
