"""`python -m tools.checks.bench` prints the table; its exit code is 1 where a bound does not hold."""

import sys
from collections.abc import Iterable, Iterator

from tools.checkout import Unusable
from tools.checks.bench import handler, imports, package, roundtrips, service
from tools.checks.bench.figures import Figure, table


def main() -> None:
    sys.exit(report(measured()))


def measured() -> Iterator[Figure]:
    with service.on_a_database():
        service.tell_history()
        yield from handler.figures()
        yield from roundtrips.figures()
    yield imports.figure()
    try:
        yield package.figure()
    except Unusable as reason:
        print(f"package: {reason}")


def report(figures: Iterable[Figure]) -> int:
    """Print the figures as they come; 1 where a bound does not hold."""
    code = 0
    for figure in figures:
        print(table([figure]), flush=True)
        code |= not figure.holds
    return code


if __name__ == "__main__":
    try:
        main()
    except Unusable as error:
        sys.exit(str(error))
