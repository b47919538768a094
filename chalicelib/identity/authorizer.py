"""API Gateway's authorizer: a separate function, outside the VPC and without a database, which verifies tokens."""

import json

from chalice.app import AuthRequest, AuthResponse, Blueprint

from chalicelib.identity.tokens import MAX_SUBJECT_LENGTH, verify
from chalicelib.identity.unverified import TokenRefused
from chalicelib.settings import UnusableSettings, trusted_issuers
from chalicelib.telemetry.logs import configure, logger

blueprint = Blueprint(__name__)


@blueprint.authorizer(ttl_seconds=300)
def authorizer(request: AuthRequest) -> AuthResponse:
    """Let a verified token use every route, and pass the token's claims on. After any failure API Gateway answers 401.

    API Gateway caches the answer for each token, so the handler decides what the caller may do.
    """
    configure()
    try:
        claims = verify(_bearer_token(request.token), trusted_issuers())
        # The context can't hold nested values, so the claims travel as one JSON text.
        context = {"claims": json.dumps(claims, separators=(",", ":"))}
        # API Gateway writes the principal into its access log, which is JSON.
        principal = json.dumps(claims["sub"][:MAX_SUBJECT_LENGTH])[1:-1]
        return AuthResponse(routes=["*"], principal_id=principal, context=context)
    except TokenRefused as refusal:
        logger.info("token refused", extra={"check": refusal.check, "reason": str(refusal)})
    except UnusableSettings as error:
        logger.error("no token can be verified: correct the settings of the issuers", extra={"reason": str(error)})
    except Exception as error:
        logger.error("unexpected exception", exc_info=error)  # without its message, which may quote the token
    # API Gateway answers 401 to exactly this message, and 403 or 500 to anything else.
    raise Exception("Unauthorized")  # noqa: TRY002


def _bearer_token(header: str) -> str:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise TokenRefused("scheme", "the Authorization header is not 'Bearer <token>': send it in that form")
    return token.strip(" ")
