"""Find the benchmarks of packages. A package's benchmark is the module with its name in tools/checks/bench."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

from tools.checks import bench
from tools.checks.bench.bare import Bare
from tools.checks.bench.figures import Figure
from tools.local.gateway_event import Event


class Sent(NamedTuple):
    """A request to measure, and the bound of the figure, or None if any value holds."""

    what: str
    event: Event
    bound: float | None = None


class Bench(NamedTuple):
    """The constant BENCH of a module."""

    # Creates the records that the requests read and extend.
    prepare: Callable[[], None]
    # Adds a bare view for each of the requests in `timed`.
    views: Callable[[Bare], None]
    # The requests whose time is compared with that of the bare views. Each request is sent before the next one is made.
    timed: Callable[[], Iterator[Sent]]
    # The requests whose round trips are counted.
    counted: Callable[[], Iterator[Sent]]


def benches() -> dict[str, Bench]:
    """Return BENCH of each module that has the name of a package of the service."""
    return {name: module.BENCH for name, module in _modules().items() if hasattr(module, "BENCH")}


def figures() -> Iterator[Figure]:
    """Yield the further figures of each of these modules."""
    for module in _modules().values():
        if hasattr(module, "figures"):
            yield from module.figures()


def figures_at_scale() -> Iterator[Figure]:
    """Yield the figures that need millions of rows: those of modules with a function `at_scale`."""
    for module in _modules("registry").values():
        if hasattr(module, "at_scale"):
            yield from module.at_scale()


def fill(deployments: int) -> None:
    """Record many systems, with some deployments each, if a module has a function for it."""
    for module in _modules("registry").values():
        if hasattr(module, "fill"):
            module.fill(deployments)


def _modules(*others: str) -> dict[str, Any]:
    """Import the modules that have the name of a package of the service, and `others`."""
    found = [module.name for module in pkgutil.iter_modules(bench.__path__)]
    names = [name for name in found if name in others or find_spec(f"chalicelib.{name}")]
    return {name: importlib.import_module(f"{bench.__name__}.{name}") for name in names}
