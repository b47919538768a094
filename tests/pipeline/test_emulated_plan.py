"""A plan needs no AWS account: an emulated account runs while Terraform plans, and then stops."""

import socket
import sys
from pathlib import Path

import pytest

from tools.local.emulation import STATE_BUCKET
from tools.pipeline import emulated_plan
from tools.pipeline.artifact import Store

ASK = """
import os, pathlib, urllib.request
port = os.environ["EMULATED"]
urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/data.json").close()
pathlib.Path(os.environ["SEEN"]).write_text(port)
raise SystemExit(3)
"""


@pytest.mark.slow
def test_the_account_exists_only_for_the_plan(tmp_path: Path) -> None:
    seen = tmp_path / "seen"

    code = emulated_plan.main({"SEEN": str(seen)}, (sys.executable, "-c", ASK))

    assert code == 3
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(seen.read_text())), timeout=5).close()


def test_a_store_in_the_emulated_account_writes_once(emulated_port: int) -> None:
    environ = {"EMULATED": str(emulated_port), "ARTIFACT_BUCKET": STATE_BUCKET}

    assert Store(environ).write("key", b"first") is True
    assert Store(environ).write("key", b"second") is False
    assert Store(environ).read("key") == b"first"
    assert Store(environ).read("other") is None
