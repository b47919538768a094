"""Windows for random requests for metrics."""

from tools.checks.fuzz import Fuzz, ahead, always, often

_WINDOW = {"query.from": always(ahead(days=-20)), "query.to": often(ahead(days=-1), ahead(days=1))}

FUZZ = Fuzz(
    only={"get_metrics": _WINDOW, "list_metrics": _WINDOW},
    rules={
        (
            "(get|list)_metrics",
            "#/(from|to)",
        ): "the window must begin after 1969 and before its end, and not be too long",
        ("get_metrics", "#/per"): "the window must have few periods",
    },
)
