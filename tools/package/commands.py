"""The commands of `python -m tools package`."""

from tools.checkout import ENVIRONMENTS
from tools.commands import Command, Option

COMMANDS = (
    Command(
        "make",
        "Package the functions into infra/modules/api and print the digest",
        "tools.package.compose:main",
        (Option("STAGE", "the Chalice stage", ENVIRONMENTS, default="development"),),
    ),
)
