import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """A checkout that never ran. Files that it leaves outside its folder are deleted."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    checkout = Checkout(folder, databases=Path(os.environ["SLIPWAY_TEST_RUN"]) / "local")
    yield checkout
    reset = checkout.call("local", "database-reset")
    assert reset.returncode == 0, reset.stderr
