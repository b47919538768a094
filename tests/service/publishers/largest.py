"""Write the largest publishers, all for the repository of one pipeline."""

from chalicelib.publishers.model import MOST_FOR_A_REPOSITORY, GitHubEnvironment, NewPublisher
from tests.support.given import A_PUBLISHER
from tests.support.largest import largest

# The most that a system takes for one repository, without those that the test starts with.
MOST = MOST_FOR_A_REPOSITORY - 2


def write(given, many):
    names = [name for (name,) in given.sql("SELECT e.name FROM environments e WHERE system_id = 1 LIMIT 50")]
    body = {
        **largest(NewPublisher),
        "issuer": None,
        "repository_id": A_PUBLISHER["repository_id"],
        "repository_owner_id": A_PUBLISHER["repository_owner_id"],
        "environments": dict.fromkeys(names, largest(GitHubEnvironment)),
    }
    for _ in range(min(many, MOST)):
        given.post("/v1/systems/azul/publishers", body)
