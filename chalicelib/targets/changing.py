"""The right to change a workspace."""

from chalicelib.identity.principal import Principal
from chalicelib.rest.admission import require_publisher
from chalicelib.rest.call import Call
from chalicelib.targets import rules
from chalicelib.targets.model import Maker
from chalicelib.vocabulary import Purpose


def require_may_change(call: Call, system: str, environment: str, name: str, purpose: Purpose, made_by: Maker) -> None:
    """Raise problem 403 unless the caller may change the workspace.

    A pipeline may change workspaces that its repository's runs made, if a publisher allows it. A maintainer may change
    any workspace.
    """
    rules.require_own(system, name, made_by, maker(call.principal), call.principal.role_in(system))
    require_publisher(call, system, "workspaces", environment, purpose)


def maker(principal: Principal) -> Maker:
    """Return the principal as the maker of a workspace or a deployment."""
    pipeline = principal.pipeline
    return Maker(
        issuer=principal.issuer,
        subject=principal.subject,
        repository_id=pipeline.repository_id if pipeline else None,
    )
