"""The commands of `python -m tools adopt`."""

from tools.commands import Command, Option

COMMANDS = (
    Command(
        "run",
        "Rename this copy of the repository, and remove the registry's business from it",
        "tools.adopt.command:main",
        (
            Option("NAME", "the new service's name, such as orders or order-desk", required=True),
            Option("OWNER", "the owner of the new repository on GitHub"),
            Option("DESCRIPTION", "a sentence that says what the new service does"),
            Option("DRY_RUN", "only print what would change", flag=True),
        ),
    ),
    Command(
        "try",
        "Adopt a copy of this checkout in a temporary folder, and run `make test` there",
        "tools.adopt.trial:main",
        (Option("NAME", "the copy's name", default="slipway-two"),),
    ),
)
