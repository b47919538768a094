"""Write the largest environments."""

from chalicelib.environments.model import NewEnvironment
from tests.support.largest import largest, named


def write(given, many):
    suites = [f"{number:x>64}" for number in range(50)]
    for number in range(many):
        body = {**largest(NewEnvironment), "name": named("e", number), "rank": 1000 - number}
        given.post("/v1/systems/azul/environments", {**body, "production": False, "required_suites": suites})
    # No suite has run that the other environments require.
    given.sql("UPDATE environments SET required_suites = %s WHERE name = 'production'", suites)
