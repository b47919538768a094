"""Define commands of `python -m tools` and their options.

Each option is also a variable, so that `make plan ENV=production` works.
"""

import argparse
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from tools.checkout import UsageError

Environ = Mapping[str, str]
Run = Callable[[Environ], int | None]


@dataclass(frozen=True)
class Option:
    """An option, named by its variable: `Option("REQUEST_ID", …)` is also `--request-id`."""

    variable: str
    help: str
    choices: tuple[str, ...] = ()
    default: str = ""
    required: bool = False
    flag: bool = False  # True if the value can only be 1 or 0

    @property
    def name(self) -> str:
        return "--" + self.variable.lower().replace("_", "-")

    def check(self, value: str) -> None:
        """Raise UsageError unless the value is allowed."""
        choices = ("1", "0") if self.flag else self.choices
        if not value and self.required:
            raise UsageError(f"{self.variable} is missing: {self._example()}")
        if value and choices and value not in choices:
            raise UsageError(f"{self.variable} is {value!r}: {self._example()}")

    def _example(self) -> str:
        if self.flag:
            return f"set {self.variable}=1, or leave it out"
        value = "|".join(self.choices) or "…"
        return f"set {self.variable}={value} or pass {self.name} {value} ({self.help})"


@dataclass(frozen=True)
class Command:
    """A command: its name in its group, a line of help, the function that runs the command, and the options.

    `function` has the form `module:function`. The module is imported only when the command runs, because some imports
    take a second. The function gets the variables. It returns an exit code or None, or raises ToolError.
    """

    name: str
    help: str
    function: str
    options: tuple[Option, ...] = ()
    only_prints: bool = False  # True if the command has done its work when nobody reads its output any more

    def load(self) -> Run:
        module, _, function = self.function.partition(":")
        run: Run = getattr(importlib.import_module(module), function)
        return run

    def variables(self, program: str, arguments: Sequence[str], environ: Environ) -> dict[str, str]:
        """Return the value of each option: from the command line, else from `environ`, else the default.

        An empty variable counts as not set. Raise UsageError if a value is missing or not allowed.
        """
        parser = _Parser(prog=f"{program} {self.name}", description=self.help, allow_abbrev=False)
        for option in self.options:
            shown = f"{option.help} (or {option.variable}=…)"
            if option.flag:
                parser.add_argument(option.name, dest=option.variable, action="store_const", const="1", help=shown)
            else:
                parser.add_argument(option.name, dest=option.variable, metavar=option.variable, help=shown)
        given = vars(parser.parse_args(arguments))
        found = {}
        for option in self.options:
            value = given[option.variable]
            found[option.variable] = environ.get(option.variable) or option.default if value is None else value
            option.check(found[option.variable])
        return found


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}: run `{self.prog} --help` to list the options")
