"""How many random examples a test tries. `make nightly` tries many times as many as `make test`."""

import os

TIMES = int(os.environ.get("MANY_EXAMPLES", "1"))


def examples(number: int) -> int:
    return number * TIMES
