"""Keys are accepted only from a server whose certificate is the issuer's."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chalicelib.identity.keys import KeySet, NoKey
from tests.support.issuer import JWKS, IssuerServer, private_key, serving

Serve = Callable[[str], IssuerServer]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Serve an issuer at https://localhost with a certificate for a name; this machine trusts the certificate."""

    def serve(name: str) -> IssuerServer:
        certificate, chain = _certificate(name), tmp_path / "certificate.pem"
        key = private_key("ES256", 1).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain.write_bytes(key + certificate)
        monkeypatch.setenv("SSL_CERT_FILE", str(chain))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return stack.enter_context(serving(context))

    with ExitStack() as stack:
        yield serve


def has_its_key(issuer: IssuerServer) -> bool:
    try:
        KeySet(issuer.trusted()).key(issuer.kid())
    except NoKey:
        return False
    return True


def test_an_issuer_with_a_certificate_is_trusted(serve: Serve) -> None:
    issuer = serve("localhost")

    assert issuer.url.startswith("https://")
    assert has_its_key(issuer)


def test_an_untrusted_certificate_is_refused(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = serve("localhost")
    monkeypatch.delenv("SSL_CERT_FILE")

    assert not has_its_key(issuer)


def test_a_certificate_for_another_name_is_refused(serve: Serve) -> None:
    assert not has_its_key(serve("issuer.example.org"))


def test_the_keys_themselves_must_come_over_https(serve: Serve) -> None:
    issuer = serve("localhost")
    with serving() as plain:
        plain.jwks = issuer.jwks
        issuer.discovery["jwks_uri"] = f"{plain.url}{JWKS}"

        assert not has_its_key(issuer)
        assert plain.requests == []


def _certificate(name: str) -> bytes:
    key, now = private_key("ES256", 1), datetime.now(UTC)
    names = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(names)
        .issuer_name(names)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)
