"""The schema keeps records from changes, even if the service's rights did not."""

import psycopg2
import pytest

from chalicelib.database.connection import ConstraintViolated, database
from tests.support.writes import everything


def test_even_a_superuser_cannot_delete_a_record_by_mistake(given):
    given.two_of_everything()
    before = everything(given)

    for table in ("deployments", "verifications", "workspaces", "holds", "approvals"):
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(psycopg2.IntegrityError):
                given.sql(statement)

    assert everything(given) == before


def test_the_services_own_connection_refuses_changes_of_records(given):
    given.two_of_everything()

    with pytest.raises(ConstraintViolated, match="deployments_are_final"):
        database().execute("UPDATE deployments SET state = 'failed'")
