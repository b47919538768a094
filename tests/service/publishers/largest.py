"""Write the largest publishers, all for the repository of one pipeline."""

from chalicelib.publishers.model import MOST_IN_A_SYSTEM, GitHubEnvironment, NewPublisher
from tests.support.given import A_PUBLISHER
from tests.support.largest import largest


def write(given, many):
    names = [name for (name,) in given.sql("SELECT e.name FROM environments e WHERE system_id = 1 LIMIT 50")]
    body = {
        **largest(NewPublisher),
        "issuer": None,
        "repository_id": A_PUBLISHER["repository_id"],
        "repository_owner_id": A_PUBLISHER["repository_owner_id"],
        "environments": dict.fromkeys(names, largest(GitHubEnvironment)),
    }
    for _ in range(min(many, MOST_IN_A_SYSTEM - 10)):
        given.post("/v1/systems/azul/publishers", body)
