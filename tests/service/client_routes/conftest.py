"""The fixture of the tests of routes."""

import pytest


@pytest.fixture
def workspace(given):
    """The path of an active debug workspace of development that expires after a day."""
    given.the_usual()
    return f"/v1/systems/azul/workspaces/{given.a_workspace(base_url='https://debug.example.org')['id']}"
