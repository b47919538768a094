"""Functions in processes of their own, as on Lambda: each answers one request at a time, and can be killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from tools.checkout import ROOT


class Ended(Exception):
    """The function ended before its answer."""


class Function:
    """A process that verifies tokens as the authorizer does, and then calls the handler."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=ROOT,
            env={**os.environ, **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def wait(self) -> None:
        """Wait until the function can answer."""
        self._read()

    def ask(self, token: str, path: str, body: Any, key: str, *, dies: bool = False) -> tuple[int, Any]:
        """Send a POST; return the status and the parsed answer. A function that dies does so just before its answer.

        Raise Ended if the function ends first.
        """
        with suppress(BrokenPipeError, ValueError):  # then there is nothing to read, either
            self._process.stdin.write(json.dumps([token, path, body, key, dies]) + "\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        status, text = self._read()
        return status, json.loads(text)

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]

    def _read(self) -> Any:
        try:
            line = self._process.stdout.readline()  # type: ignore[union-attr]
        except ValueError:  # another thread has closed the pipe
            raise Ended from None
        if not line.endswith("\n"):
            raise Ended
        return json.loads(line)


def _main() -> None:
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # the service's log goes to standard output

        import app  # noqa: PLC0415
        from chalicelib.identity.tokens import verify  # noqa: PLC0415
        from chalicelib.identity.unverified import TokenRefused  # noqa: PLC0415
        from chalicelib.settings import trusted_issuers  # noqa: PLC0415
        from tools.local.gateway_event import Routes, gateway_event  # noqa: PLC0415

        routes = Routes(app.app.routes)
        print("null", file=answers, flush=True)
        for line in sys.stdin:
            token, path, body, key, dies = json.loads(line)
            try:
                claims = verify(token, trusted_issuers())
            except TokenRefused:
                print(json.dumps([401, "null"]), file=answers, flush=True)
                continue
            headers = {"content-type": "application/json", "idempotency-key": key}
            event = gateway_event(routes, "POST", path, headers.items(), json.dumps(body), claims=claims)
            answer = app.app(event, None)
            if dies:
                os.kill(os.getpid(), signal.SIGKILL)
            print(json.dumps([answer["statusCode"], answer["body"]]), file=answers, flush=True)


if __name__ == "__main__":
    _main()
