"""Run a service on this machine. Its code comes from this checkout, or from the package behind an emulated alias."""

import base64
import hashlib
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from chalicelib import NAME
from chalicelib.identity.tokens import LOCAL_PUBLIC_KEY
from tests.support.checkout import ROOT, free_port
from tools.aws.emulator.account import emulated_client
from tools.local import issuer, postgres

READY_SECONDS = 60
SERVE = (sys.executable, "-m", "tools", "local", "serve")


class Place:
    """A service on this machine. Its code can change, but its address and its database stay the same."""

    def __init__(self, folder: Path, server_url: str, name: str, issuers: Sequence[Mapping[str, Any]]) -> None:
        self._folder = folder
        self._database = server_url.replace(f"/{postgres.DATABASE}?", f"/{name}?")
        postgres.create_database(self._database)
        self._config = json.loads((ROOT / ".chalice" / "config.json").read_text())
        variables = self._config["stages"]["local"]["environment_variables"]
        local = [each for each in json.loads(variables["SLIPWAY_ISSUERS"]) if each["kind"] == "local"]
        variables["SLIPWAY_ISSUERS"] = json.dumps([*local, *issuers])
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"

    def serve(self, package: zipfile.ZipFile | None = None, digest: str = "") -> None:
        """Stop the service, and serve the package's code, or this checkout's code if no package is given.

        `digest` is what the function's settings say of the package.
        """
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        if package is None:
            shutil.copytree(ROOT / "chalicelib", self._folder / "chalicelib")
            shutil.copy(ROOT / "app.py", self._folder)
        else:
            # Leave out the package's dependencies, because the local server needs parts of Chalice that they lack.
            ours = [name for name in package.namelist() if name == "app.py" or name.startswith("chalicelib/")]
            package.extractall(self._folder, ours)
        (self._folder / ".chalice").mkdir()
        (self._folder / ".chalice" / "config.json").write_text(json.dumps(self._config))
        issuer.private_key()
        (self._folder / ".local" / "issuer").mkdir(parents=True)
        shutil.copy(LOCAL_PUBLIC_KEY, self._folder / ".local" / "issuer")
        (self._folder / ".local" / "database-url").write_text(self._database)
        ours_end, theirs = socket.socketpair()
        with theirs, (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tools",
                    "local",
                    "serve",
                    f"--port={self._port}",
                    f"--channel={theirs.fileno()}",
                ],
                cwd=self._folder,
                # The folder contains the service's code, and the checkout contains the local server.
                env={**os.environ, "PYTHONPATH": str(ROOT), "SLIPWAY_PACKAGE": digest},
                pass_fds=[theirs.fileno()],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._channel = ours_end
        self._channel.settimeout(READY_SECONDS)
        assert self._channel.recv(1) == b"!", (self._folder / "log").read_text()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._channel.close()
            self._process = None


class Deployed(Place):
    """An environment of the emulated account. The account runs no functions, so this machine serves the code."""

    def __init__(
        self, *arguments: Any, environment: str, port: int, bucket: str, when_first_served: Callable[[str], None]
    ) -> None:
        super().__init__(*arguments)
        self._when_first_served = when_first_served
        self._target = f"{NAME}-{environment}"
        self._function = f"{self._target}-api"
        self._lambda = emulated_client("lambda", port)
        self._s3 = emulated_client("s3", port)
        self._bucket = bucket
        self._serving = ""
        self._lock = threading.Lock()

    def follow(self) -> None:
        """Serve the code that the alias points to, unless this code is served already."""
        with self._lock:
            digest = self.digest()
            if digest not in ("", self._serving):
                self.serve(self._package(digest), self._version()["Environment"]["Variables"]["SLIPWAY_PACKAGE"])
                if self._serving == "":
                    self._when_first_served(self.url)
                self._serving = digest

    def digest(self) -> str:
        """Return the SHA-256 digest of the package that the alias points to, or "" if the alias is missing."""
        try:
            version = self._version()
        except self._lambda.exceptions.ResourceNotFoundException:
            return ""
        return base64.b64decode(version["CodeSha256"]).hex()

    def _version(self) -> Any:
        """Return the configuration of the version that the alias points to."""
        alias = self._lambda.get_alias(FunctionName=self._function, Name="live")
        version = self._lambda.get_function(FunctionName=self._function, Qualifier=alias["FunctionVersion"])
        return version["Configuration"]

    def page(self) -> str:
        """Return the digest of the page that the environment's site shows."""
        buckets = [each["Name"] for each in self._s3.list_buckets()["Buckets"]]
        [bucket] = [name for name in buckets if re.fullmatch(f"{self._target}-[0-9a-f]{{8}}", name)]
        return str(self._s3.head_object(Bucket=bucket, Key="index.html")["Metadata"]["page"])

    def _package(self, digest: str) -> zipfile.ZipFile:
        """Return the package with this digest from the artifact bucket."""
        for item in self._s3.list_objects_v2(Bucket=self._bucket)["Contents"]:
            if item["Key"].endswith("/package.zip"):
                content = self._s3.get_object(Bucket=self._bucket, Key=item["Key"])["Body"].read()
                with zipfile.ZipFile(io.BytesIO(content)) as bundle:
                    package = bundle.read("deployment.zip")
                if hashlib.sha256(package).hexdigest() == digest:
                    return zipfile.ZipFile(io.BytesIO(package))
        raise AssertionError(
            f"sha256:{digest} of {self._function} is not in {self._bucket}: store the package before the apply"
        )
