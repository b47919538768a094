"""`/v1/systems/{system}/environments/{environment}/changes`"""

from chalice.app import Blueprint

from chalicelib.environments import store as environments
from chalicelib.identity.roles import Role
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.short_ids import store as short_ids
from chalicelib.short_ids.model import ambiguous_id
from chalicelib.upcoming_changes import rules, store
from chalicelib.upcoming_changes.model import Changes, ChangesQuery

blueprint = Blueprint(__name__)


@operation(
    blueprint,
    "GET /v1/systems/{system}/environments/{environment}/changes",
    role=Role.viewer,
    raises=[ambiguous_id],
)
def get_changes(call: Call, system: str, environment: str, query: ChangesQuery) -> Changes:
    """Read which commits a promotion of an artifact would bring into an environment, and which it would remove."""
    artifact = None if query.artifact is None else short_ids.require_artifact(call.db, system, query.artifact)
    sides = store.sides(call.db, system, environment, artifact)
    if sides is None:
        raise environments.not_found(system, environment)
    found = store.difference(call.db, sides)
    base, head = sides.base, sides.head
    return Changes(
        base=base,
        head=head,
        ahead_by=found.ahead_by,
        more_commits=found.more_commits,
        commits=found.commits,
        behind_by=found.behind_by,
        more_removed=found.more_removed,
        removed=found.removed,
        compare_url=rules.compare_url(
            sides.repository, base.revision if base else None, head.revision if head else None
        ),
    )
