"""API Gateway's authorizer: a function of its own, outside the VPC, which says whose token it is.

It does not decide what its bearer may do: answers are kept per token, so the policy allows every route, and the
handler decides.
"""

import json

from chalice.app import AuthRequest, AuthResponse, Blueprint

from chalicelib.identity.tokens import TokenRefused, verify
from chalicelib.settings import settings
from chalicelib.telemetry import configure, logger

blueprint = Blueprint(__name__)


@blueprint.authorizer(ttl_seconds=300)
def authorizer(request: AuthRequest) -> AuthResponse:
    """Allow a verified token every route, and hand its claims on."""
    configure()
    scheme, _, token = request.token.partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise TokenRefused("the Authorization header is not 'Bearer <token>'")
        claims = verify(token.strip(), settings().issuers)
    except TokenRefused as refusal:
        logger.info("token refused", extra={"reason": str(refusal)})
        # API Gateway answers 401 to these very words, and 403 or 500 to anything else.
        raise Exception("Unauthorized") from None  # noqa: TRY002
    # The context is flat: nested claims travel as one JSON text.
    return AuthResponse(routes=["*"], principal_id=str(claims["sub"]), context={"claims": json.dumps(claims)})
