"""The endpoint that tells a page how people sign in: `/v1/configuration`."""

from chalice.app import Blueprint

from chalicelib import NAME, __version__
from chalicelib.configuration.model import Configuration, SignInLocally, SignInWithOidc
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.settings import Settings, settings

blueprint = Blueprint(__name__)

_MAX_AGE_SECONDS = 60
_TITLE = " ".join(word.capitalize() for word in NAME.split("-"))


@operation(blueprint, "GET /v1/configuration", role="public")
def get_configuration(call: Call) -> Configuration:
    """Read the version and the stage of the service, and how people sign in."""
    call.headers["Cache-Control"] = f"public, max-age={_MAX_AGE_SECONDS}"
    now = settings()
    return Configuration(version=__version__, stage=now.stage, name=_TITLE, sign_in=_sign_in(now))


def _sign_in(now: Settings) -> SignInLocally | SignInWithOidc | None:
    if now.sign_in:
        return SignInWithOidc(authority=now.sign_in.authority, client_id=now.sign_in.client_id, scope=now.sign_in.scope)
    return SignInLocally() if now.stage == "local" else None
