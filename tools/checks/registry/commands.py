"""The commands of `python -m tools checks` for the registry."""

from tools.commands import Command, Option

COMMANDS = (
    Command(
        "screenshots",
        "Take a picture of each page of the dashboard, filled with the demo",
        "tools.checks.registry.screenshots:main",
        (
            Option("FOLDER", "where the pictures go", default=".local/screenshots"),
            Option("PICTURES", "also write the pictures of the README, in docs/pictures", flag=True),
        ),
    ),
)
