"""The public configuration of a stage."""

from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.rest.types import Answer


class SignInLocally(Answer, tag="local", tag_field="kind"):
    """The stage `local`: the local server gives a token of any role."""


class SignInWithOidc(Answer, tag="oidc", tag_field="kind", kw_only=True):
    """People sign in at an OIDC issuer, with an authorization code and PKCE."""

    authority: Annotated[
        str,
        Meta(
            description="The issuer's URL, which has `/.well-known/openid-configuration`",
            examples=["https://login.example.org/realms/one"],
        ),
    ]
    client_id: Annotated[
        str, Meta(description="The id of the page's public client", examples=["3n4b5urk1ft4fl3mg5e62d9ado"])
    ]
    scope: Annotated[str, Meta(description="The scopes to request", examples=["openid profile"])]


class Configuration(Answer, kw_only=True):
    version: Annotated[str, Meta(description="The version of the service", examples=["1.0.0"])]
    stage: Annotated[Literal["local", "development", "preproduction", "production"], Meta(examples=["production"])]
    name: Annotated[str, Meta(description="The name of the service, for people")]
    sign_in: Annotated[
        SignInLocally | SignInWithOidc | None,
        Meta(description="How people sign in; null if the stage has no page for it"),
    ]
