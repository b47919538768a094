"""Write the largest systems."""

from chalicelib.systems.model import NewSystem
from tests.support.largest import largest, named


def write(given, many):
    for number in range(many):
        given.post("/v1/systems", {**largest(NewSystem), "key": named("s", number)})
