"""`/v1/systems/{system}/deployments/{id}/commits` and `/v1/systems/{system}/commits/{sha}`"""

from chalice.app import Blueprint

from chalicelib.commit_places import store
from chalicelib.commit_places.model import MOST_ENVIRONMENTS, CommitPlaces
from chalicelib.deployments import store as deployments
from chalicelib.identity.roles import Role
from chalicelib.rest import paging
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Page, PageQuery
from chalicelib.short_ids import store as short_ids
from chalicelib.short_ids.model import ambiguous_id
from chalicelib.upcoming_changes.model import DeliveredCommit
from chalicelib.vocabulary import ShortSha

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/deployments/{id}/commits", role=Role.viewer)
def list_commits(call: Call, system: str, id: str, query: PageQuery) -> Page[DeliveredCommit]:  # noqa: A002
    """List the commits that a deployment delivers, the last authored first."""
    deployments.get(call.db, system, id)
    return paging.page(call.address, query, store.ORDER, lambda **page: store.list_(call.db, id, **page))


@operation(blueprint, "GET /v1/systems/{system}/commits/{sha}", role=Role.viewer, raises=[ambiguous_id])
def get_commit(call: Call, system: str, sha: ShortSha) -> CommitPlaces:
    """Read where a commit is: for each environment, if its artifact contains the commit, since when, and by what."""
    commit = short_ids.require_commit(call.db, system, sha)
    recorded = store.recorded(call.db, system, commit)
    places = store.places(call.db, system, commit)
    shown = places[:MOST_ENVIRONMENTS]
    return CommitPlaces(
        system=system,
        sha=commit,
        authored_at=recorded.authored_at,
        subject=recorded.subject,
        environments=shown,
        more_environments=len(places) > len(shown),
    )
