"""The service accepts only valid tokens."""

import base64
import json
import time
from collections import defaultdict
from collections.abc import Callable

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tools.local.acceptance.service import DOCUMENT, Service
from tools.local.acceptance.settings import AcceptanceSettings, Mint

OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
# These path parameters name nothing that exists, in case the authorizer lets a request through.
PARAMETERS = defaultdict(lambda: "nothing", system="acceptance-nothing", id="0")


def _encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def _unsigned(settings: AcceptanceSettings) -> str:
    return f"{_encoded({'alg': 'none', 'typ': 'JWT'})}.{settings.token.split('.')[1]}."


def _without_signature(settings: AcceptanceSettings) -> str:
    return f"{settings.token.rpartition('.')[0]}."


def _with_other_claims(settings: AcceptanceSettings) -> str:
    header, _, signature = settings.token.split(".")
    return f"{header}.{_encoded({**settings.claims, 'sub': 'somebody-else', 'role': 'admin'})}.{signature}"


def _of_another_key(settings: AcceptanceSettings) -> str:
    header = jwt.get_unverified_header(settings.token)
    keys = {
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    }
    return jwt.encode(dict(settings.claims), keys[header["alg"]](), algorithm=header["alg"], headers=header)


# Forged tokens. Anybody with a valid token could make them.
FORGED: dict[str, Callable[[AcceptanceSettings], str]] = {
    "unsigned, with the algorithm none": _unsigned,
    "without its signature": _without_signature,
    "with other claims": _with_other_claims,
    "signed with another key": _of_another_key,
}
# Tokens of the local issuer that the service must refuse.
MADE: dict[str, Callable[[Mint], str]] = {
    "expired": lambda mint: mint("admin", iat=int(time.time()) - 7200, exp=int(time.time()) - 3600),
    "for another audience": lambda mint: mint("admin", aud="another"),
    "of another issuer": lambda mint: mint("admin", iss="https://issuer.example"),
    "not valid yet": lambda mint: mint("admin", nbf=int(time.time()) + 3600),
    "without expiry": lambda mint: mint("admin", exp=None),
}


def refuses(service: Service, authorization: str | None, what: str) -> None:
    answer = service.ask("GET", "/v1/me", authorization=authorization)

    assert answer.status == 401, f"{answer}: the authorizer must refuse {what}: correct the authorizer"
    assert answer.problem == "unauthenticated", f"{answer}: send the problem 'unauthenticated' instead"
    scheme = answer.headers.get("WWW-Authenticate", "")
    assert scheme.startswith("Bearer"), f"{answer}: the header WWW-Authenticate is {scheme!r}: send the scheme Bearer"


def test_a_good_token_is_accepted(service: Service) -> None:
    claims = service.settings.claims

    me = service.get("/v1/me").expect(200).json

    if "repository_id" in claims:
        # The service names a run of GitHub by these ids, because a repository can choose its `sub`.
        assert f"@{claims['repository_owner_id']}/" in me["subject"]
        assert f"@{claims['repository_id']}:" in me["subject"]
    else:
        assert me["subject"] == claims.get("sub", me["subject"])


@pytest.mark.parametrize("authorization", [None, "Basic YTpi", "Bearer", "Bearer garbage", "Bearer a.b.c"])
def test_a_malformed_token_is_refused(service: Service, authorization: str | None) -> None:
    refuses(service, authorization, authorization or "a caller without a token")


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_token_is_refused(service: Service, how: str) -> None:
    token = FORGED[how](service.settings)

    refuses(service, f"Bearer {token}", f"a token {how}")


@pytest.mark.parametrize("how", MADE)
def test_an_unacceptable_token_of_the_issuer_is_refused(service: Service, how: str) -> None:
    if service.settings.mint is None:
        pytest.skip("only the local issuer makes invalid tokens: test a local service without TOKEN")

    refuses(service, f"Bearer {MADE[how](service.settings.mint)}", f"a token {how}")


def test_without_a_token_only_public_operations_answer(service: Service) -> None:
    let_in, kept_out = [], []
    for method, path, operation in OPERATIONS:
        body = {} if "requestBody" in operation else None
        answer = service.ask(method, path.format_map(PARAMETERS), body, authorization=None)
        if operation["x-role"] != "public" and answer.status != 401:
            let_in.append(str(answer))
        elif operation["x-role"] == "public" and answer.status == 401:
            kept_out.append(str(answer))

    assert let_in == [], (
        "the authorizer is missing: add the authorizer to the operations that did not refuse a request without a "
        f"token: {'; '.join(let_in)}"
    )
    assert kept_out == [], f"remove the authorizer from public operations: {'; '.join(kept_out)}"


def test_a_cached_answer_is_not_given_to_callers_without_a_token(service: Service) -> None:
    for authorization, status in (("", 200), (None, 401), ("Bearer garbage", 401)):
        service.ask("GET", "/v1/me", authorization=authorization).expect(status)
