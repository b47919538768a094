"""The commands of `python -m tools local` for the registry."""

from tools.commands import Command, Option
from tools.local.commands import TOKEN

COMMANDS = (
    Command(
        "replay",
        "Record a project's real deployment history in a running service",
        "tools.local.registry.replay:main",
        (Option("URL", "the address of the service, without /v1", default="http://127.0.0.1:8000"), TOKEN),
    ),
)
