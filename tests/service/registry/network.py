"""A network between the functions and PostgreSQL that a test can cut in the middle of a message."""

import random
import select
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Network(socketserver.ThreadingTCPServer):
    """A port that leads to the socket of a server. While `cuts` is set, it cuts connections at random."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, socket_path: str, rng: random.Random) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.port: int = self.server_address[1]
        self.behind = socket_path
        self.cuts = threading.Event()
        self.rng = rng

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors: both ends may go at any time."""


class _Connection(socketserver.BaseRequestHandler):
    server: Network

    def handle(self) -> None:
        client: socket.socket = self.request
        with suppress(OSError), socket.socket(socket.AF_UNIX) as behind:
            behind.connect(self.server.behind)
            while True:
                for source in select.select([client, behind], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    target = behind if source is client else client
                    if self.server.cuts.is_set() and self.server.rng.random() < 0.3:
                        target.sendall(data[: len(data) // 2])
                        # Reset the connection, instead of closing it in an orderly way.
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return
                    target.sendall(data)


@contextmanager
def network(socket_path: str, rng: random.Random) -> Iterator[Network]:
    with Network(socket_path, rng) as served:
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield served
        finally:
            served.shutdown()
            thread.join()
