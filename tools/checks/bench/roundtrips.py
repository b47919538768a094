"""Count a request's round trips to PostgreSQL, and the statements in them. BEGIN and COMMIT count too."""

from collections.abc import Iterator

from tools.checks.bench import service
from tools.checks.bench.exchanges import recorded
from tools.checks.bench.figures import Figure
from tools.checks.bench.packages import Bench, Sent, benches


def figures() -> Iterator[Figure]:
    """Yield the number of round trips for the most frequent requests of each package. First call each `prepare`."""
    for bench in benches().values():
        yield from counted(bench)


def counted(bench: Bench) -> Iterator[Figure]:
    return map(_figure, bench.counted())


def _figure(sent: Sent) -> Figure:
    with recorded() as exchanges:
        service.ask(sent.event)
    statements = sum(exchange.statements for exchange in exchanges)
    return Figure(f"round trips: {sent.what}", len(exchanges), "", sent.bound, f"statements: {statements}")
