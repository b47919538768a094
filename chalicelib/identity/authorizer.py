"""API Gateway's authorizer: a function of its own, outside the VPC, which says whose token it is.

It does not decide what its bearer may do: answers are kept per token, so the policy allows every route, and the
handler decides. It needs no database.
"""

import json
import traceback

from chalice.app import AuthRequest, AuthResponse, Blueprint

from chalicelib.identity.tokens import TokenRefused, verify
from chalicelib.settings import UnusableSettings, trusted_issuers
from chalicelib.telemetry import configure, logger

blueprint = Blueprint(__name__)


@blueprint.authorizer(ttl_seconds=300)
def authorizer(request: AuthRequest) -> AuthResponse:
    """Allow a verified token every route, and hand its claims on. Whatever goes wrong, the answer is 401."""
    configure()
    try:
        claims = verify(_bearer_token(request.token), trusted_issuers())
        # The context is flat: nested claims travel as one JSON text.
        context = {"claims": json.dumps(claims, separators=(",", ":"))}
        return AuthResponse(routes=["*"], principal_id=claims["sub"], context=context)
    except TokenRefused as refusal:
        logger.info("token refused", extra={"check": refusal.check, "reason": str(refusal)})
    except UnusableSettings as error:
        logger.error("no token can be verified", extra={"reason": str(error)})
    except Exception as error:
        # Without the exception's words, which may quote the token.
        extra = {"exception": type(error).__name__, "traceback": "".join(traceback.format_tb(error.__traceback__))}
        logger.error("unexpected exception", extra=extra)
    # API Gateway answers 401 to these very words, and 403 or 500 to anything else.
    raise Exception("Unauthorized")  # noqa: TRY002


def _bearer_token(header: str) -> str:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise TokenRefused("scheme", "the Authorization header is not 'Bearer <token>'")
    return token.strip(" ")
