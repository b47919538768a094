"""`make bench`: print the costs as a table. The exit code is 1 if a bound does not hold."""

from collections.abc import Iterable, Iterator, Mapping

from tools.checkout import ToolError
from tools.checks.bench import cold, handler, package, packages, roundtrips, service
from tools.checks.bench.figures import Figure, table
from tools.checks.bench.packages import benches


def main(environ: Mapping[str, str]) -> int:
    """Measure the figures, and print each one when it is ready. Return 1 if a bound does not hold."""
    return report(measured_at_scale() if environ.get("SCALE") == "1" else measured())


def measured() -> Iterator[Figure]:
    with service.on_a_database():
        for bench in benches().values():
            bench.prepare()
        yield from handler.figures()
        yield from roundtrips.figures()
        yield from packages.figures()
        try:
            folder = package.make()
        except ToolError as reason:
            print(f"package and cold start: {reason}")
            return
        yield package.figure(folder)
        yield from cold.figures(folder)


def measured_at_scale() -> Iterator[Figure]:
    with service.on_a_database():
        yield from packages.figures_at_scale()


def report(figures: Iterable[Figure]) -> int:
    """Print each figure when it is ready. Return 1 if a bound does not hold."""
    code = 0
    for figure in figures:
        print(table([figure]), flush=True)
        code |= not figure.holds
    return code
