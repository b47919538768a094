"""The figures of docs/capacity.md follow from its measured ones, by today's settings and prices."""

from tools.checks.capacity import page


def test_the_computed_figures_are_up_to_date() -> None:
    text = page.PAGE.read_text()
    figures = text.partition("<!-- figures -->\n")[2].partition("<!-- /figures -->")[0]

    assert figures == "".join(f"{line}\n" for line in page.lines(page.read(text))), (
        "Settings or prices changed since `make capacity` ran: run it again, on a machine that does nothing else"
    )
