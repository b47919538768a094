"""`make emulator`: serve the emulated account until Ctrl-C. PORT=… sets another port, and CALLS=… logs each call."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import boto3
from werkzeug.serving import BaseWSGIServer, make_server

from tools.checkout import ToolError
from tools.local.emulation import HOST, REGION, STATE_BUCKET, environment


def main(environ: Mapping[str, str]) -> None:
    """Serve the emulated account on PORT. Write the calls into the file CALLS."""
    port = int(environ["PORT"])
    # moto reads this variable when Python imports moto.
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    settings = environment(os.environ)
    os.environ.clear()
    os.environ.update(settings)
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )

    from tools.aws.emulator.browsers import NoBrowser  # noqa: PLC0415
    from tools.aws.emulator.calls import Calls  # noqa: PLC0415
    from tools.aws.emulator.gaps import GapsFilled  # noqa: PLC0415
    from tools.aws.emulator.moto_changes import change_moto  # noqa: PLC0415

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # do not log each request
    change_moto()
    note = Calls(Path(environ["CALLS"])).note if environ["CALLS"] else lambda _: None
    application = NoBrowser(GapsFilled(DomainDispatcherApplication(create_backend_app), note))
    try:
        server = make_server(HOST, port, application, threaded=True, request_handler=MotoRequestHandler)
    except (OSError, SystemExit):
        raise ToolError(
            f"Port {port} is not free: stop the emulator or LocalStack that uses the port, or set another PORT"
        ) from None
    with server_in_background(server):
        make_state_bucket(server.port)
        sys.stdout.write(f"An emulated AWS account runs at http://{HOST}:{server.port}, until Ctrl-C\n")
        sys.stdout.flush()
        signal.pause()


@contextmanager
def server_in_background(server: BaseWSGIServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def make_state_bucket(port: int) -> None:
    """Make the bucket for Terraform's state. In a real account, infra/account makes this bucket."""
    client = boto3.client("s3", endpoint_url=f"http://{HOST}:{port}")
    client.create_bucket(Bucket=STATE_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_bucket_versioning(Bucket=STATE_BUCKET, VersioningConfiguration={"Status": "Enabled"})


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
