"""The journeys of people and pipelines through each part of the service, and how often they make them.

Each module has the constant JOURNEYS, for one part. To load a part of your own, add a module.
"""

import importlib
import pkgutil

from tools.local.load.journeys import Journey


def journeys() -> list[Journey]:
    """Return the journeys of all modules."""
    modules = (importlib.import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__))
    return [journey for module in modules for journey in module.JOURNEYS]
