"""Keys are accepted only from a server with a trusted certificate for the issuer's name."""

import select
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chalicelib.identity import published_keys
from chalicelib.identity.fetching import NotFetched, fetch_json
from chalicelib.identity.keys import KeySet, NoKey
from tests.support.issuer import DISCOVERY, JWKS, IssuerServer, private_key, serving

Serve = Callable[[str], IssuerServer]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """`serve(name)` serves an issuer at https://localhost. The issuer has a trusted certificate for `name`."""

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


@pytest.mark.parametrize("how", ["silent", "drips", "drips headers"])
def test_a_slow_answer_is_cut_off_under_tls_too(serve: Serve, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = serve("localhost")
    monkeypatch.setattr(published_keys, "FETCH_SECONDS", 0.3)
    issuer.behaves(how)

    assert not has_its_key(issuer)
    assert issuer.requests == [DISCOVERY, JWKS]


def test_a_handshake_that_comes_byte_by_byte_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        dripping = pool.submit(_drip_handshake, server)

        with pytest.raises(NotFetched):
            fetch_json(f"https://127.0.0.1:{server.getsockname()[1]}/", 0.3)

        assert dripping.result(10)


def _drip_handshake(server: socket.socket) -> bool:
    """Announce 16 kB, and send the first bytes slowly; return True if the client disconnects before the last byte."""
    connection, _ = server.accept()
    with connection:
        try:
            for byte in b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" + bytes(200):
                connection.sendall(bytes([byte]))
                if select.select([connection], [], [], 0.05)[0] and not connection.recv(4096):
                    return True
        except OSError:
            return True
    return False


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
