"""The fixture of the tests of routes."""

import pytest


@pytest.fixture
def workspace(given):
    """The path of an active debug workspace of development that expires after a day. Maintainers may route there."""
    given.the_usual()
    given.sql("UPDATE environments SET workspace_hosts = '{debug.example.org}'")
    return f"/v1/systems/azul/workspaces/{given.a_workspace()['id']}"
