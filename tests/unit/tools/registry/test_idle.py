"""`make acceptance` waits until another run has finished its deployment."""

from collections.abc import Callable

import pytest

from tools.checkout import ToolError
from tools.local.acceptance.service import Service, Wait
from tools.local.registry.idle import wait_until_idle


def test_it_waits_for_an_earlier_run_and_names_one_that_takes_too_long(
    answering: Callable[..., Service], wait: Wait
) -> None:
    busy = (200, b'{"items": [{"id": "17"}]}')
    for idle in ((200, b'{"items": []}'), (404, b"{}")):
        wait_until_idle(answering(busy, idle), wait)

    with pytest.raises(ToolError, match="deployment 17 is in progress"):
        wait_until_idle(answering(busy), wait)
