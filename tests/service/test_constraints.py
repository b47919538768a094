"""Every rule of the schema that a request can violate has a message for the caller."""

import pytest

import app  # noqa: F401 (declares every kind of problem)
from chalicelib.rest.constraints import REFUSALS
from tests.support.operations import require_entries
from tests.support.resources import RESOURCES

# Constraints that no request can violate, with the reason. Those of the resources are in their EXPECTED.
OUT_OF_REACH = {
    "idempotency_keys_once": "the only INSERT into this table has an ON CONFLICT clause",
    "schema_migrations_pkey": "only one process at a time applies migrations",
    **{name: reason for each in RESOURCES.values() for name, reason in each.out_of_reach.items()},
}


def test_every_constraint_that_a_write_can_violate_has_a_refusal(named):
    require_entries(
        "the package's model.py",
        REFUSALS,
        {
            name: f'constraint("{name}", problems.invalid, "The message for the caller", "#/field")'
            for name in named - OUT_OF_REACH.keys()
        },
        ", or to `out_of_reach` of EXPECTED in tests/service/<package>/test_<package>.py with the reason",
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
