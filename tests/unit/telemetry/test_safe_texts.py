"""Texts in the log have no secrets, and exceptions no messages."""

import jwt
import pytest

from chalicelib.database.errors import DatabaseUnavailable
from chalicelib.telemetry import logs

TOKEN = jwt.encode({"sub": "jane"}, "k" * 32)

# Each text, and the secret in it.
SECRETS = {
    "a token": (f"expected {TOKEN} here", TOKEN),
    "half a token": (f"kid {TOKEN.split('.')[0]}", TOKEN.split(".")[0]),
    "a header": ("got Authorization: Bearer s3cr3t", "s3cr3t"),
    "a key of AWS": ("AKIAIOSFODNN7EXAMPLE is unknown", "AKIAIOSFODNN7EXAMPLE"),
    "a token of GitHub": ("ghp_abcdefghij0123456789", "ghp_abcdefghij"),
    "a password in a URL": ("postgresql://app:s3cr3t@db/service", "s3cr3t"),
    "a parameter": ("X-Amz-Signature=abcdef&x=1", "abcdef"),
    "an address": ("mail to jane.doe+x@example.org failed", "jane.doe"),
    "an address in baggage": ("user=jane%40example.org,a=b", "jane"),
    "a long key": (f"key {'a1' * 40}", "a1a1"),
    "a private key": ("-----BEGIN PRIVATE KEY-----", "PRIVATE"),
}


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS)
def test_what_looks_like_a_secret_is_removed(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in logs.safe(text)


@pytest.mark.parametrize(
    "text",
    ['relation "systems" does not exist', "key=azul,team=blue", "host db.example.org, port 5432", "5f05f172-61ee"],
)
def test_other_texts_stay(text: str) -> None:
    assert logs.safe(text) == text


def test_a_text_is_cut_and_ascii() -> None:
    assert logs.safe("ü" + "x " * 5000, 20) == ("\\xfc" + "x " * 20)[:20]


def raised(message: str) -> Exception:
    def fail() -> None:
        try:
            raise KeyError(message)
        except KeyError as error:
            raise DatabaseUnavailable("The server only reads") from error

    try:
        fail()
    except DatabaseUnavailable as error:
        return error
    raise AssertionError


def test_an_exception_says_where_and_not_what() -> None:
    told = logs.failure(raised("s3cr3t"))

    assert "s3cr3t" not in told
    assert "in fail" in told
    assert told.index("builtins.KeyError") < told.index("DatabaseUnavailable: The server only reads")


def test_on_a_developers_machine_an_exception_has_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "with_messages", True)

    assert "KeyError: 's3cr3t'" in logs.failure(raised("s3cr3t"))


def test_a_line_has_only_the_known_fields(log: list[dict[str, object]]) -> None:
    logs.logger.warning("unusual", extra={"reason": f"got {TOKEN}", "claims": {"sub": "jane"}})

    [line] = log
    assert line.keys() <= logs.FIELDS.keys()
    assert line["reason"] == "got [removed]"
