"""The benchmark of the overview: the service's time to answer, and the browser's time to show the answer."""

from collections.abc import Iterator

from tools.checks.bench.figures import Figure
from tools.checks.bench.overview import answers, page


def figures() -> Iterator[Figure]:
    yield from answers.figures()
    yield from page.figures()
