"""The schema itself refuses rows that break a rule for routes."""

import psycopg2
import pytest

JANE = "jane@example.org"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("client = 'jane doe'", "routes_client_known"),
        ("workspace_base_url = 'https://other.example.org'", "routes_keep_address"),
        ("until = workspace_expires_at + interval '1 microsecond'", "routes_end_with_their_workspace"),
        ("workspace_expires_at = workspace_expires_at + interval '1 day'", "routes_lead_to_workspace"),
        ("workspace_id = 99", "routes_lead_to_workspace"),
        ("environment_id = 2", "routes_lead_to_workspace"),
        ("workspace_purpose = 'personal'", "routes_lead_to_debugging"),
        ("workspace_state = 'expired'", "routes_lead_to_what_is_active"),
    ],
)
def test_the_schema_enforces_the_rules_for_routes(given, workspace, change, constraint):
    given.a_route(workspace.rpartition("/")[2], JANE)

    with pytest.raises(psycopg2.IntegrityError, match=constraint):
        given.sql(f"UPDATE routes SET {change}")


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("state = 'expired'", "routes_lead_to_what_is_active"),
        ("state = 'destroyed', destroyed_at = now()", "routes_lead_to_what_is_active"),
        ("purpose = 'personal'", "routes_lead_to_debugging"),
        ("expires_at = granted_at + interval '1 minute'", "routes_end_with_their_workspace"),
        ("base_url = 'https://other.example.org'", "routes_keep_address"),
        ("base_url = NULL", "routes_keep_address"),
    ],
)
def test_the_schema_enforces_the_rules_when_a_workspace_changes(given, workspace, change, constraint):
    given.a_route(workspace.rpartition("/")[2], JANE)

    with pytest.raises(psycopg2.IntegrityError, match=constraint):
        given.sql(f"UPDATE workspaces SET {change}")


def test_the_schema_allows_a_client_one_route(given, workspace):
    given.a_route(workspace.rpartition("/")[2], JANE)

    with pytest.raises(psycopg2.IntegrityError, match="routes_one_per_client"):
        given.sql(
            """
            INSERT INTO routes (workspace_id, environment_id, workspace_purpose, workspace_state, workspace_expires_at,
                workspace_base_url, client, until, set_by_client, created_by, created_at)
            SELECT workspace_id, environment_id, workspace_purpose, workspace_state, workspace_expires_at,
                workspace_base_url, client, until, set_by_client, created_by, created_at FROM routes
            """
        )
