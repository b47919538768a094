"""Write the largest routes, all to one workspace."""

from chalicelib.client_routes.model import NewRoute
from tests.support.given import ahead
from tests.support.largest import largest, named


def write(given, many):
    [(base_url,)] = given.sql("SELECT base_url FROM workspaces WHERE id = 1")
    for number in range(many):
        fields = {**largest(NewRoute), "until": ahead(hours=1), "base_url": base_url}
        given.a_route("1", named("c", number, 128), **fields)
