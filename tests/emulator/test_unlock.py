"""`make unlock` says who holds the lock of a state, asks, and takes the lock away."""

import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tools.aws import unlock
from tools.aws.target import Target
from tools.aws.terraform import missing
from tools.checkout import ToolError
from tools.local.emulation import STATE_BUCKET

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")

HELD = {
    "ID": "c0ffee00-7f1e-4b6e-9d55-2f1d3a8f9b11",
    "Operation": "OperationTypeApply",
    "Info": "",
    "Who": "jane@laptop",
    "Version": "1.11.4",
    "Created": "2026-11-26T09:00:00.123456789Z",
    "Path": f"{STATE_BUCKET}/preproduction.tfstate",
}
KEY = "preproduction.tfstate.tflock"


@pytest.fixture
def environ(emulated_port: int, client: Callable[[str], Any]) -> Iterator[dict[str, str]]:
    """Variables that name an environment whose state is locked."""
    client("s3").put_object(Bucket=STATE_BUCKET, Key=KEY, Body=json.dumps(HELD).encode())
    yield {"ENV": "preproduction", "EMULATED": str(emulated_port)}
    client("s3").delete_object(Bucket=STATE_BUCKET, Key=KEY)
    shutil.rmtree(Target("preproduction", emulated=emulated_port).folder, ignore_errors=True)


@pytest.fixture
def is_locked(client: Callable[[str], Any]) -> Callable[[], bool]:
    return lambda: "Contents" in client("s3").list_objects_v2(Bucket=STATE_BUCKET, Prefix=KEY)


def test_the_holder_is_named_and_nothing_happens_without_consent(
    environ: dict[str, str], is_locked: Callable[[], bool], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ToolError, match="YES=1"):
        unlock.main(environ)

    said = capsys.readouterr().out
    assert "jane@laptop since 2026-11-26T09:00:00" in said
    assert "OperationTypeApply" in said
    assert is_locked()


def test_after_consent_the_state_is_unlocked(
    environ: dict[str, str], is_locked: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "preproduction")

    unlock.main(environ)

    assert not is_locked()


@pytest.mark.parametrize("lock", [b"", b"[1]", b'{"ID": '])
def test_a_lock_that_cannot_be_read_is_named(
    environ: dict[str, str], client: Callable[[str], Any], lock: bytes
) -> None:
    client("s3").put_object(Bucket=STATE_BUCKET, Key=KEY, Body=lock)

    with pytest.raises(ToolError, match=KEY):
        unlock.main(environ)


def test_a_state_that_nobody_locks_stays_as_it_is(
    environ: dict[str, str], client: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    client("s3").delete_object(Bucket=STATE_BUCKET, Key=KEY)

    unlock.main(environ)

    assert "Nobody holds the lock of preproduction" in capsys.readouterr().out
