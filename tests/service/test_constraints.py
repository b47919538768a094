"""Every rule of the schema that a request can violate has a message for the caller."""

import pytest

import app  # noqa: F401 (declares every kind of problem)
from chalicelib.rest.constraints import REFUSALS
from tests.support.operations import entry, require_entries
from tests.support.resources import RESOURCES

# Constraints that no request can violate, with the reason. Those of the resources are in their EXPECTED.
OUT_OF_REACH = {
    "hourly_writes_once": "the only INSERT into this table has an ON CONFLICT clause",
    "hourly_writes_within_rate": "the answer has the header Retry-After, so rest/rates.py makes it",
    "idempotency_keys_status_is_success": "only answers to successful writes are stored",
    "idempotency_keys_once": "the only INSERT into this table has an ON CONFLICT clause",
    "schema_migrations_pkey": "only one process at a time applies migrations",
    **{name: reason for each in RESOURCES.values() for name, reason in each.out_of_reach.items()},
}


def test_every_constraint_that_a_write_can_violate_has_a_refusal(named):
    require_entries(
        "the package's model.py",
        REFUSALS,
        {name: _lines(name, *named[name]) for name in named.keys() - OUT_OF_REACH.keys()},
        f", or to {entry('out_of_reach')} with the reason",
    )


def test_constraints_out_of_reach_exist_and_have_no_refusal(named):
    assert OUT_OF_REACH.keys() <= named.keys()
    assert not OUT_OF_REACH.keys() & REFUSALS.keys()


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_a_known_client_error(name):
    refusal = REFUSALS[name]

    assert refusal.problem.status in (409, 422)
    assert not refusal.pointer or refusal.pointer.startswith("#/")


@pytest.fixture
def named(given):
    """The type and the last column of all constraints, unique indexes and triggers that refuse rows, by name.

    Primary keys with generated values are left out.
    """
    return {
        name: (type_, column)
        for name, type_, column in given.sql(
            """
            SELECT conname, contype::text, (
                SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[cardinality(conkey)]
            ) FROM pg_constraint c
            WHERE connamespace = 'public'::regnamespace AND NOT (contype = 'p' AND EXISTS (
                SELECT FROM pg_attribute a
                WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) AND a.attidentity <> ''
            ))
            UNION ALL
            SELECT relname, 'u', pg_get_indexdef(i.indexrelid, i.indnatts, true)
            FROM pg_index i JOIN pg_class ON oid = indexrelid
            WHERE indisunique AND relnamespace = 'public'::regnamespace
                AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
            UNION ALL
            SELECT tgname, 't', 'field'
            FROM pg_trigger WHERE NOT tgisinternal AND tgfoid = 'refuse_change'::regproc
            """
        )
    }


def _lines(name, type_, column):
    """Return the declaration of a constraint. For a foreign key, return an entry of `out_of_reach`."""
    if type_ == "f":
        return f'        "{name}": "creating the row and deleting the other row wait for each other",'
    problem = "already_exists" if type_ in ("p", "u") else "invalid"
    return f'constraint("{name}", problems.{problem}, "The message for the caller", "#/{column}")'
