"""Run the commands of `python -m tools GROUP COMMAND`. `make` and the workflows start tools this way."""

import importlib
import os
import sys
from collections.abc import MutableMapping, Sequence

from tools import lifeline
from tools.checkout import ROOT, ToolError, UsageError
from tools.commands import Command

PROGRAM = "python -m tools"

# Each group's purpose, and its folder. Each module `commands` in the folder, or below it, lists commands of the group.
GROUPS = {
    "local": ("run the service on this machine", "local"),
    "package": ("build the package that is deployed", "package"),
    "aws": ("manage environments and accounts, on AWS or emulated", "aws"),
    "checks": ("check code, policies, security and speed", "checks"),
    "pipeline": ("run the steps of the workflows", "pipeline"),
    # template
    "adopt": ("make a service of your own from this copy", "adopt"),
    # /template
    "client": ("call a registry from a pipeline that has only Python", "slipway_client"),
}
_HELP = ("-h", "--help")


def main(arguments: Sequence[str], environ: MutableMapping[str, str]) -> int:
    """Run a command. Return its exit code: 1 after a ToolError, 2 after a UsageError, 130 after Ctrl-C or SIGTERM."""
    try:
        return _run([*arguments], environ)
    except ToolError as error:
        _fail(environ, str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of the output, such as `head`, has ended. Without the next line, Python prints an error at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0 if _only_prints(*arguments[:2]) else 1


def _run(arguments: list[str], environ: MutableMapping[str, str]) -> int:
    group, name, *rest = [*arguments, "", ""][: max(2, len(arguments))]
    if group in ("", *_HELP):
        print(_overview(), flush=True)
        return 0 if group else 2
    commands = commands_of(group)
    if name in ("", *_HELP):
        print(_listed(group, commands), flush=True)
        return 0 if name else 2
    command = next((each for each in commands if each.name == name), None)
    if command is None:
        raise UsageError(
            f"{PROGRAM} {group} has no command {name!r}: run `{PROGRAM} {group} --help` to list the commands"
        )
    # Child processes of the command read these variables too.
    environ.update(command.variables(f"{PROGRAM} {group}", rest, environ))
    code = command.load()(environ) or 0
    sys.stdout.flush()  # flush here, so that `main` catches the error of a closed pipe
    return code


def commands_of(group: str) -> Sequence[Command]:
    """Return the commands of a group, or raise UsageError if no group has this name."""
    if group not in GROUPS:
        raise UsageError(f"There is no group {group!r}: use one of {', '.join(GROUPS)}")
    files = sorted((ROOT / "tools" / GROUPS[group][1]).rglob("commands.py"), key=lambda file: len(file.parts))
    modules = (".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files)
    return [command for module in modules for command in importlib.import_module(module).COMMANDS]


def _only_prints(group: str = "", name: str = "") -> bool:
    """True for help, and for a command that only prints. `make` says that a target failed unless its exit code is 0."""
    if group in ("", *_HELP) or name in ("", *_HELP):
        return True
    return any(command.only_prints for command in commands_of(group) if command.name == name)


def _overview() -> str:
    lines = [f"usage: {PROGRAM} GROUP COMMAND [--help]"]
    for group, (purpose, _) in GROUPS.items():
        lines += ["", f"{group}: {purpose}", *_lines(commands_of(group))]
    return "\n".join(lines)


def _listed(group: str, commands: Sequence[Command]) -> str:
    lines = [f"usage: {PROGRAM} {group} COMMAND [--help]", "", f"{group}: {GROUPS[group][0]}", *_lines(commands)]
    return "\n".join(lines)


def _lines(commands: Sequence[Command]) -> list[str]:
    return [f"  {command.name:<18} {command.help}" for command in commands]


def _fail(environ: MutableMapping[str, str], message: str) -> None:
    if environ.get("GITHUB_ACTIONS"):
        from tools.slipway_client.runner import fail  # noqa: PLC0415 (only GitHub Actions needs this module)

        fail(environ, message)
    else:
        print(message, file=sys.stderr)


if __name__ == "__main__":
    lifeline.clean_up_at_signals()
    lifeline.end_with_make()
    sys.exit(main(sys.argv[1:], os.environ))
