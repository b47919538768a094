"""The commands of `python -m tools local` for the registry."""

from tools.commands import Command, Option
from tools.local.commands import TOKEN

_URL = Option("URL", "the address of the service, without /v1", default="http://127.0.0.1:8000")

COMMANDS = (
    Command(
        "replay",
        "Record a project's real deployment history in a running service",
        "tools.local.registry.replay:main",
        (_URL, TOKEN),
    ),
    Command(
        "demo",
        "Fill a running service with 40 made-up systems and their history",
        "tools.local.registry.demo:main",
        (_URL, TOKEN),
    ),
)
