"""A stand-in for GitHub's API, which answers with the branches of a repository."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


@contextmanager
def api_of(repository: str, head: Callable[[str], str | None]) -> Iterator[str]:
    """Yield the API's address. `head` returns a branch's newest commit, or None if there is no such branch."""
    heads = f"/repos/{repository}/git/ref/heads/"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            branch = unquote(self.path.removeprefix(heads))
            commit = head(branch) if self.path.startswith(heads) else None
            if commit is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"ref": f"refs/heads/{branch}", "object": {"sha": commit}}).encode())

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
