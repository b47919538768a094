"""Write the largest routes, all to one workspace."""

from chalicelib.client_routes.model import NewRoute
from tests.support.given import ahead
from tests.support.largest import largest, named


def write(given, many):
    for number in range(many):
        given.a_route("1", named("c", number, 128), **{**largest(NewRoute), "until": ahead(hours=1)})
