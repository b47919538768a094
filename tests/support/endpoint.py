"""A stand-in for the host name of a cluster of Amazon Aurora: TLS and IAM tokens in front of a real PostgreSQL."""

import select
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from psycopg2.extensions import parse_dsn

from chalicelib import NAME

REGION = "eu-central-1"
HOST = f"{NAME}-production.cluster-c1a2b3.{REGION}.rds.amazonaws.com"
KEY = Credentials("ASIAEXAMPLE", "of-the-function", "session/of+the function==")

# See "Message Formats" in PostgreSQL's manual.
_SSL_REQUEST = struct.pack("!II", 8, 80877103)
_SEND_PASSWORD = b"R" + struct.pack("!II", 8, 3)


class Endpoint(socketserver.ThreadingTCPServer):
    """A port that speaks the start of PostgreSQL's protocol, checks the token, and connects to the server behind it.

    The server trusts the functions' logins. `users` has the user of each connection that was let through. The next
    `only_reading` connections lead to a server that only reads, as during a failover. `ahead` is the difference of the
    endpoint's clock to the clock of this machine.
    """

    daemon_threads = True

    def __init__(self, server: str, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.port: int = self.server_address[1]
        self.behind = "{host}/.s.PGSQL.{port}".format(**{"port": 5432, **parse_dsn(server)})
        self.users: list[str] = []
        self.only_reading = 0
        self.ahead = timedelta()
        self.present(certificate)
        self._open: set[socket.socket] = set()

    def present(self, certificate: Path) -> None:
        """Use this certificate for new connections."""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)

    def end_connections(self) -> None:
        """End all connections, as the old writer does in a failover."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def kept(self, connection: socket.socket) -> Iterator[None]:
        self._open.add(connection)
        try:
            yield
        finally:
            self._open.discard(connection)

    def accepts(self, token: str, user: str) -> bool:
        """True if a token is valid now, for this endpoint and user. The SDK computes the signature again."""
        address, _, query = token.partition("/?")
        signed, _, signature = query.rpartition("&X-Amz-Signature=")
        said = {name: value for name, [value] in parse_qs(signed).items()}
        auth = SigV4QueryAuth(KEY, "rds-db", REGION)
        request = AWSRequest("GET", url=f"https://{HOST}:{self.port}/?{signed}")
        request.context["timestamp"] = moment = said["X-Amz-Date"]
        signed_at = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        age = datetime.now(UTC) + self.ahead - signed_at
        expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        return (
            address == f"{HOST}:{self.port}"
            and (said["Action"], said["DBUser"]) == ("connect", user)
            and said["X-Amz-Credential"] == auth.scope(request)
            and said["X-Amz-Security-Token"] == KEY.token
            and said["X-Amz-SignedHeaders"] == "host"
            and timedelta(minutes=-5) < age < timedelta(seconds=min(900, int(said["X-Amz-Expires"])))
            and signature == expected
        )


class _Connection(socketserver.BaseRequestHandler):
    server: Endpoint

    def handle(self) -> None:
        # A client that does not trust the certificate, or gives up, just closes the connection.
        with suppress(OSError, EOFError):
            assert _received(self.request, 8) == _SSL_REQUEST
            self.request.sendall(b"S")
            with self.server.context.wrap_socket(self.request, server_side=True) as client:
                self._log_in(client)

    def _log_in(self, client: ssl.SSLSocket) -> None:
        length = _received(client, 4)
        startup = length + _received(client, struct.unpack("!I", length)[0] - 4)
        fields = startup[8:].split(b"\0")
        user = dict(zip(fields[::2], fields[1::2], strict=False))[b"user"].decode()
        client.sendall(_SEND_PASSWORD)
        assert _received(client, 1) == b"p"
        token = _received(client, struct.unpack("!I", _received(client, 4))[0] - 4).rstrip(b"\0").decode()
        if not self.server.accepts(token, user):
            client.sendall(_error(f'PAM authentication failed for user "{user}"'))
            return
        self.server.users.append(user)
        if self.server.only_reading > 0:
            self.server.only_reading -= 1
            startup = startup.replace(b"default_transaction_read_only=off", b"default_transaction_read_only=on ")
        with socket.socket(socket.AF_UNIX) as behind:
            behind.connect(self.server.behind)
            behind.sendall(startup)
            with self.server.kept(client):
                _pass_on(client, behind)


def _pass_on(client: ssl.SSLSocket, behind: socket.socket) -> None:
    while True:
        ready = [client] if client.pending() else select.select([client, behind], [], [])[0]
        for source, target in ((client, behind), (behind, client)):
            if source in ready:
                data = source.recv(65536)
                if not data:
                    return
                target.sendall(data)


def _received(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _error(message: str) -> bytes:
    fields = f"SFATAL\0C28000\0M{message}\0\0".encode()
    return b"E" + struct.pack("!I", 4 + len(fields)) + fields


@contextmanager
def endpoint(server: str, certificate: Path) -> Iterator[Endpoint]:
    """Serve an endpoint in front of the server with this address."""
    with Endpoint(server, certificate) as served:
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield served
        finally:
            served.end_connections()
            served.shutdown()
            thread.join()
