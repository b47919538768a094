"""Write the figures into docs/capacity.md, and read the measured ones back."""

import re
from collections.abc import Iterator

from tools.checkout import ENVIRONMENTS, ROOT
from tools.checks.capacity import computing
from tools.checks.capacity.measuring import Cost, Floor, Measured

PAGE = ROOT / "docs" / "capacity.md"
_BEGIN, _END = "<!-- figures -->", "<!-- /figures -->"
_FIGURES = re.compile(rf"{_BEGIN}\n.*{_END}\n", re.DOTALL)
_ROW = re.compile(r"^\| (.+) \|$", re.MULTILINE)


def main(_: object) -> None:
    """Measure, and write the figures into the page."""
    from tools.checks.capacity.measuring import measure  # noqa: PLC0415 (reading the page needs no service)

    measured = read("\n".join(lines(measure())))  # as rounded as the page, so that the page can be checked
    text = "".join(f"{line}\n" for line in lines(measured))
    PAGE.write_text(_with_figures(PAGE.read_text(), text))
    print(text, end="")


def lines(measured: Measured) -> Iterator[str]:
    """Yield the lines of the figures: measured, then computed."""
    yield ""
    yield "### Measured here"
    yield ""
    yield f"On {measured.machine}, on {measured.on}."
    yield "Times are milliseconds of a request: the whole time, the function's processor, and PostgreSQL's processor."
    yield ""
    yield "| journey | requests | their share | round trips | whole time | function | PostgreSQL | KB of an answer |"
    yield "|---|---|---|---|---|---|---|---|"
    for each in [*measured.costs, measured.mean]:
        figures = (each.share, each.trips, each.took, each.function, each.postgres, each.kilobytes)
        yield f"| {each.name} | {each.requests:g} | {' | '.join(f'{figure:.3f}' for figure in figures)} |"
    yield ""
    yield "| pgbench: transaction | clients | a second | PostgreSQL's processor, ms |"
    yield "|---|---|---|---|"
    for floor in measured.floors:
        yield f"| {floor.name} | {floor.clients} | {floor.per_second:.0f} | {floor.postgres:.3f} |"
    yield ""
    yield "### Computed for AWS"
    yield ""
    mean = measured.mean
    yield "| figure | of the mix |"
    yield "|---|---|"
    yield f"| time of a warm function, ms | {computing.milliseconds_on_aws(mean):.1f} |"
    yield f"| requests a second of one concurrent execution | {computing.per_execution(mean):.0f} |"
    yield f"| requests a second of one ACU | {computing.per_acu(mean):.0f} |"
    yield f"| requests a second that one address may send | {computing.kept_by_an_address():.0f} |"
    for name in ENVIRONMENTS:
        yield from _of(computing.settings(name), measured)
    yield ""


def _of(settings: computing.Settings, measured: Measured) -> Iterator[str]:
    yield ""
    yield f"| {settings.name}: requests a second | executions, connections | ACUs | dollars a million | first limit |"
    yield "|---|---|---|---|---|"
    first = min(computing.limits(settings, measured))
    for need in computing.needs(settings, measured):
        limit = f"{first.per_second:,.0f} a second: {first.what}"
        reached = f"**{limit}**" if first.per_second < need.per_second else f"not reached ({limit})"
        cells = (f"{need.per_second:,}", f"{need.executions:.1f}", f"{need.acus:.1f}", f"{need.dollars:.2f}", reached)
        yield f"| {' | '.join(cells)} |"


def _with_figures(page: str, text: str) -> str:
    """Return the page with these figures instead of its own. A page without figures gets them at the end."""
    block = f"{_BEGIN}\n{text}{_END}\n"
    return _FIGURES.sub(lambda _: block, page) if _FIGURES.search(page) else f"{page}\n{block}"


def read(page: str) -> Measured:
    """Return the measured figures of the page."""
    [(machine, on)] = re.findall(r"^On (.+), on (\d\d \w+ \d{4})\.$", page, re.MULTILINE)
    rows = [row.split(" | ") for row in _ROW.findall(page)]
    costs = [Cost(row[0], *map(float, row[1:])) for row in rows if len(row) == 8 and _is_number(row[1])]
    floors = [Floor(row[0], int(row[1]), *map(float, row[2:])) for row in rows if len(row) == 4 and _is_number(row[3])]
    return Measured(machine, on, [each for each in costs if each.name != "all"], floors)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[\d.]+", text) is not None
