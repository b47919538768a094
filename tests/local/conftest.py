import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """A new checkout. After the test, delete the checkout's database, which lies outside the checkout."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    checkout = Checkout(folder, databases=Path(os.environ["SLIPWAY_TEST_RUN"]) / "local")
    yield checkout
    reset = checkout.call("local", "database-reset")
    assert reset.returncode == 0, reset.stderr
