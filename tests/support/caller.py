"""Call a running service over HTTP, as a user does, with a token from `make token`."""

import http.client
import json
from typing import Any

from tests.support.checkout import Checkout, Run
from tests.support.contract import Contract


class Caller:
    """A caller with a token, on one connection that is kept alive."""

    def __init__(self, run: Run, checkout: Checkout, contract: Contract, **claims: str) -> None:
        made = checkout.call("local", "token", **claims)
        assert made.returncode == 0, made.stderr
        self._headers = {"Authorization": f"Bearer {made.stdout.strip()}", "Content-Type": "application/json"}
        self._connection = http.client.HTTPConnection("127.0.0.1", run.port, timeout=20)
        self._contract = contract

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send a request. Return the status and the parsed answer. Header names are written as Python names."""
        sent = self._headers | {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, None if body is None else json.dumps(body), sent)
        answer = self._connection.getresponse()
        text = answer.read()
        self._contract.check_answer(method, path.partition("?")[0], answer.status, answer.headers, text)
        return answer.status, json.loads(text) if text else None

    def close(self) -> None:
        self._connection.close()
