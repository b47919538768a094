"""Passwords for Aurora are exactly the passwords that the AWS SDK makes."""

from datetime import UTC, datetime

import botocore.auth
import pytest
from botocore.credentials import Credentials as SdkCredentials
from botocore.session import Session
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from chalicelib.database.iam import Credentials, credentials, password

HOST = "service-development.cluster-c1a2b3.eu-central-1.rds.amazonaws.com"
KEY = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "IQoJ//b3+JpZ2luX2VjEA==")
SESSION = Session()
SESSION.set_credentials("none", "none")
CLIENT = SESSION.create_client("rds", region_name="eu-central-1")

labels = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?", fullmatch=True)
# Texts for names, keys and session tokens, including characters with a meaning in URLs and characters beyond ASCII.
texts = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=["Cs"]), min_size=1, max_size=40
)


def of_the_sdk(host, port, user, region, key, at, monkeypatch):
    CLIENT._request_signer._credentials = SdkCredentials(*key)
    with monkeypatch.context() as patch:
        # Use this class, because the class of awscrt does not take the time from Python.
        patch.setitem(botocore.auth.AUTH_TYPE_MAPS, "v4-query", botocore.auth.SigV4QueryAuth)
        patch.setattr(botocore.auth, "get_current_datetime", lambda **_: at.replace(tzinfo=None))
        return CLIENT.generate_db_auth_token(host, port, user, region)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    host=st.lists(labels, min_size=1, max_size=6).map(".".join),
    port=st.integers(1, 65535),
    user=texts,
    region=st.sampled_from(["eu-central-1", "us-east-1", "us-gov-west-1", "cn-north-1"]),
    key=st.builds(Credentials, texts, texts, st.none() | texts),
    at=st.integers(1_577_836_800, 4_102_444_799).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)
def test_a_password_equals_the_sdks(monkeypatch, host, port, user, region, key, at):
    assume(port != 443)  # the SDK leaves out the port 443, which no database uses

    ours = password(host, port, user, region, key, at)

    assert ours == of_the_sdk(host, port, user, region, key, at, monkeypatch)


@pytest.mark.parametrize(
    "session_token", [None, "a+b/c==", "a b", "a%2Fb", "a&b=c?d#e", "ünï/çødé", "~-_.", "\"'\\", "😀"]
)
def test_odd_session_tokens_are_signed_as_by_the_sdk(monkeypatch, session_token):
    key = KEY._replace(session_token=session_token)
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)

    ours = password(HOST, 5432, "service_app", "eu-central-1", key, at)

    assert ours == of_the_sdk(HOST, 5432, "service_app", "eu-central-1", key, at, monkeypatch)


def test_a_password_is_dated_now_by_default():
    today = f"{datetime.now(UTC):%Y%m%d}"

    assert f"X-Amz-Date={today}" in password(HOST, 5432, "service_app", "eu-central-1", KEY)


def test_credentials_come_from_the_functions_environment():
    environ = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_SESSION_TOKEN": "token"}

    assert credentials(environ) == Credentials("id", "key", "token")
    assert credentials({**environ, "AWS_SESSION_TOKEN": ""}) == Credentials("id", "key", None)
    with pytest.raises(KeyError):
        credentials({})
