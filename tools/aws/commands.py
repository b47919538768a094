"""The commands of `python -m tools aws`."""

from tools.checkout import ENVIRONMENTS
from tools.commands import Command, Option

_ENV = Option("ENV", "the environment", ENVIRONMENTS, required=True)
_WORKSPACE = Option("WORKSPACE", "a workspace of it; `default` is the environment itself", default="default")
_OF_A_WORKSPACE = Option("WORKSPACE", "a workspace of the environment, such as fix-42", required=True)
_EMULATED = Option("EMULATED", "1 for the emulated account, or its port")
_YES = Option("YES", "apply without asking", flag=True)
_PACKAGE = Option("PACKAGE", "a folder with a package; without it, the checkout is packaged")
_CHOICES = (
    Option("PURPOSE", "the purpose of the workspace", ("personal", "preview", "debug")),
    Option("DATABASE", "the source of its data", ("empty", "clone", "live")),
    Option("OWNER", "the person who is responsible for it"),
)
_TARGET = (_ENV, _WORKSPACE, _EMULATED)
_SLIPWAY = (
    Option("SLIPWAY_URL", "the Slipway to record workspaces in; without it, nothing is recorded"),
    Option("SLIPWAY_SYSTEM", "the key of the system there"),
    Option("SLIPWAY_TOKEN", "a token for it"),
)
_REASON = Option("REASON", "why it is needed")
_EXPIRES = Option("EXPIRES", "how long it is needed, such as 8h or 2d", required=True)
_CLIENT = Option("CLIENT", "the client", required=True)
_WORKSPACE_TARGET = (_ENV, _OF_A_WORKSPACE, _EMULATED, _YES, *_SLIPWAY)

COMMANDS = (
    Command(
        "emulator",
        "Serve an emulated AWS account until Ctrl-C",
        "tools.aws.emulator.serve:main",
        (Option("PORT", "the port on 127.0.0.1", default="4566"),),
    ),
    Command(
        "account",
        "Create the resources that an AWS account needs once, before its environments",
        "tools.aws.account:main",
        (Option("ACCOUNT", "the account", ("testing", "production"), default="testing"), _EMULATED, _YES),
    ),
    Command(
        "plan",
        "Package the checkout, and save a plan of an environment or a workspace",
        "tools.aws.environment:plan_command",
        (*_TARGET, *_CHOICES, _PACKAGE, Option("LOCK", "0 to plan without a lock", ("0", "1"))),
    ),
    Command(
        "apply",
        "Apply a plan, migrate the database, and switch to the new version",
        "tools.aws.environment:apply_command",
        (*_TARGET, *_CHOICES, _PACKAGE, _YES, Option("PLAN", "apply the plan that `plan` saved", flag=True)),
    ),
    Command(
        "rollback",
        "Switch back to the previous version",
        "tools.aws.environment:rollback_command",
        _TARGET,
    ),
    Command(
        "destroy",
        "Destroy an environment or a workspace",
        "tools.aws.environment:destroy_command",
        (*_TARGET, _PACKAGE, _YES),
    ),
    Command(
        "workspace-create",
        "Record a workspace in Slipway and create it",
        "tools.aws.workspace:create",
        (
            *_WORKSPACE_TARGET,
            *_CHOICES,
            _PACKAGE,
            _REASON,
            _EXPIRES,
            Option("CLIENT", "a client that is routed to it"),
            Option("UNTIL", "how long the client is routed to it, such as 2h"),
        ),
    ),
    Command(
        "workspace-extend",
        "Change the time when a workspace expires",
        "tools.aws.workspace:extend",
        (*_WORKSPACE_TARGET, _REASON, _EXPIRES),
    ),
    Command(
        "workspace-destroy",
        "Destroy a workspace, its routes and its record",
        "tools.aws.workspace:destroy",
        (*_WORKSPACE_TARGET, _PACKAGE),
    ),
    Command(
        "route",
        "Send a client to a debug workspace",
        "tools.aws.workspace:route",
        (*_WORKSPACE_TARGET, _CLIENT, Option("UNTIL", "for how long, such as 2h", required=True)),
    ),
    Command(
        "unroute",
        "Send a client to its environment again",
        "tools.aws.workspace:unroute",
        (*_WORKSPACE_TARGET, _CLIENT),
    ),
    Command(
        "reap",
        "Destroy expired workspaces, and report those without a record or resources",
        "tools.aws.workspace:reap",
        (_ENV, _EMULATED, _YES, _PACKAGE, *_SLIPWAY),
    ),
    Command(
        "logs",
        "Print what an environment's functions and gateway logged",
        "tools.aws.logs:main",
        (
            *_TARGET,
            Option("SINCE", "how far back, such as 30m or 2h", default="1h"),
            Option("REQUEST_ID", "print only this request's lines"),
            Option("FOLLOW", "go on with new lines until Ctrl-C", flag=True),
        ),
    ),
    Command(
        "db-shell",
        "Run SQL on the database of an environment, or on the local one",
        "tools.aws.db_shell:main",
        (
            Option("ENV", "the environment; without it, the local database", (*ENVIRONMENTS, "local")),
            Option("WORKSPACE", "a workspace of the environment"),
            _EMULATED,
            _YES,
            Option("SQL", "one statement; without it, a shell"),
            Option("WRITE", "let statements write", flag=True),
        ),
    ),
    Command(
        "doctor",
        "Print which programs are missing and which quotas would stop an apply",
        "tools.aws.doctor:main",
        (Option("ENV", "the environment whose account is checked", ENVIRONMENTS), _WORKSPACE, _EMULATED),
    ),
)
