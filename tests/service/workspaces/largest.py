"""Write the largest workspaces."""

from chalicelib.workspaces.model import NewWorkspace
from tests.support.given import ahead
from tests.support.largest import largest, named


def write(given, many):
    for number in range(many):
        body = {**largest(NewWorkspace), "environment": "development", "name": named("w", number, 16)}
        body |= {"purpose": "debug", "expires_at": ahead(hours=24)}
        given.post("/v1/systems/azul/workspaces", body)
