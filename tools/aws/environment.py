"""Manage an environment or a workspace, on AWS or emulated: `make plan|rollback ENV=…`."""

import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from chalicelib import NAME
from tools.aws import belonging, deploy, plan_summary, sources
from tools.aws.page import Page
from tools.aws.target import CHOICES, WORKSPACE, Target, port_of
from tools.aws.terminal import require_consent
from tools.aws.terraform import INIT, missing, terraform
from tools.checkout import ROOT, ToolError, UsageError, locked, read_json, write_atomically
from tools.local import emulation

# The tags of a new key may take five minutes to count, and until then AWS refuses its use to the pipelines' roles
# ("ABAC for AWS KMS"). So an apply that makes a key tries again after these pauses.
KEY_PAUSES_SECONDS = (60,) * 6
_REFUSED = re.compile(r"AccessDenied|KMSKeyNotAccessible|not authorized|KMS is not allowed", re.IGNORECASE)

# RDS writes a last time after Terraform has deleted the log group, and makes the group again, without tags. Terraform
# could then not create the group for the next cluster of this name.
_LOGS_OF_RDS = "/aws/rds/cluster/"

# The folder with each target's saved plan as JSON.
PLANS = ROOT / ".local" / "plans"

_OF_TERRAFORM = re.compile(f"([wd])-({WORKSPACE.pattern})")
# The emulated account stands for all accounts, but production refuses testing accounts. So the list of testing accounts
# has only this id, which no account has.
_NO_ACCOUNT = "000000000000"


class NotThere(ToolError):
    """The environment has no workspace of this name."""


def plan(target: Target, *, destroy: bool = False) -> plan_summary.Summary:
    """Save a plan of the target with its package. Return the plan's summary, or raise ToolError."""
    with _alone(target):
        return _plan(target, destroy=destroy)


def apply(target: Target, *, saved: bool = False) -> dict[str, Any]:
    """Apply the saved plan or a new one, migrate, and switch to the new versions. Return the outputs."""
    with _alone(target):
        if not saved:
            _consent(target, _plan(target))
        elif not target.plan_as_json.is_file():
            raise ToolError(f"{target.name} has no saved plan: save one with make plan first")
        _apply(target)
        _forget_plan(target)
        outputs = _outputs(target)
        if _values(outputs)["owns_database"]:
            # A preview's code writes the outputs of its workspace, so these do not choose the cluster.
            deploy.enable_data_api(target.client("rds", _values(outputs)["region"]), f"{NAME}-{target.name}")
        versions = deploy.deploy(outputs, _lambda(target, outputs), _page(target, outputs))
    _say_what_serves(target, versions)
    if target.emulated is not None:
        print("The emulated account runs no functions, so bootstrap and migrate did nothing there")
    return _values(outputs)


def rollback(target: Target) -> None:
    """Switch the target back to the versions that served before the last deployment, or raise ToolError."""
    with _alone(target):
        _prepare(target)
        outputs = _outputs(target)
        versions = deploy.rollback(outputs, _lambda(target, outputs), _page(target, outputs))
    _say_what_serves(target, versions)


def destroy(target: Target) -> None:
    """Destroy the target, then delete its Terraform workspace, except `default`.

    Raise ToolError if the target is protected, and NotThere if the workspace does not exist.
    """
    with _alone(target):
        planned = _plan(target, destroy=True)
        if _values(_outputs(target)).get("is_protected"):
            # RDS would also refuse to delete the database, but only after Terraform has destroyed other resources.
            raise ToolError(
                f"{target.name} is protected. To destroy it anyway, remove `production = true` from "
                f"infra/{target.environment}/main.tf, run make apply, and run this command again"
            )
        _consent(target, planned)
        destroyed = _planned(target)
        _terraform(target, ["apply", "-input=false", str(target.plan)], shown=True)
        _delete_logs_of_rds(target, destroyed, "delete")
        _forget_plan(target)
        if target.workspace != "default":
            # Terraform refuses to delete the workspace that it uses.
            _terraform(target, ["workspace", "delete", target.terraform_workspace], TF_WORKSPACE="default")
        shutil.rmtree(target.folder)


def unlock(target: Target, lock_id: str) -> None:
    """Take the lock of the target's state away, or raise ToolError, for example if somebody else holds the lock now."""
    with _alone(target):
        _prepare(target)
        _terraform(target, ["force-unlock", "-force", lock_id])


def outputs(target: Target) -> dict[str, Any]:
    """Return the outputs in the target's state, or {} if the state or the target does not exist."""
    return _values(_outputs(target))


def workspaces(target: Target) -> list[Target]:
    """Return the workspaces of the target's environment, without the environment itself."""
    found = [_OF_TERRAFORM.fullmatch(name) for name in target.states.workspaces()]
    return [replace(target, workspace=each[2], debug=each[1] == "d", choices={}) for each in found if each]


@contextmanager
def _alone(target: Target) -> Iterator[None]:
    with locked(target.folder.with_suffix(".lock")):
        yield


def _plan(target: Target, *, destroy: bool = False) -> plan_summary.Summary:
    _prepare(target, create=not destroy)
    sources.add_package(target)
    return _save_plan(target, {**_remembered(target), **target.choices}, destroy=destroy)


def _save_plan(target: Target, variables: Mapping[str, str], *, destroy: bool = False) -> plan_summary.Summary:
    arguments = ["plan", "-input=false", f"-out={target.plan}"]
    if destroy:
        arguments += ["-destroy"]
    variables = {**variables}
    if target.emulated is not None:
        variables |= {"account_id": emulation.ACCOUNT, "region": emulation.REGION}
        variables |= {"testing_account_ids": json.dumps([_NO_ACCOUNT])}
    arguments += [f"-var={name}={value}" for name, value in variables.items()]
    if os.environ.get("LOCK") == "0":
        arguments += ["-lock=false"]
    _forget_plan(target)
    _terraform(target, arguments, shown=True)
    shown = _terraform(target, ["show", "-json", str(target.plan)])
    strange = list(belonging.foreign(json.loads(shown), target.environment, target.terraform_workspace))
    if strange:
        _forget_plan(target)
        raise ToolError(
            f"The state of {target.name} names resources of another target: {', '.join(strange)}. Nothing was changed: "
            "find out who wrote the state, and remove these resources from it with `terraform state rm`"
        )
    PLANS.mkdir(parents=True, exist_ok=True)
    for path in (PLANS / f"{target.name}.json", target.plan_as_json):
        write_atomically(path, shown)
    return plan_summary.summary(json.loads(shown))


def _apply(target: Target) -> None:
    """Apply the saved plan. If it makes a key whose use AWS still refuses, plan the rest and try again."""
    planned = _planned(target)
    _delete_logs_of_rds(target, planned, "create")
    pauses = list(KEY_PAUSES_SECONDS) if target.emulated is None and _makes_key(planned) else []
    choices = {name: each["value"] for name, each in planned.get("variables", {}).items() if name in CHOICES.values()}
    while True:
        arguments = ["apply", "-input=false", str(target.plan)]
        folder = target.folder / target.environment
        answer = terraform(arguments, folder, base=target.environ, capture=False, capture_errors=bool(pauses))
        if answer.returncode == 0:
            return
        if not pauses or not _REFUSED.search(answer.stderr):
            raise ToolError(_failed(target, "apply"))
        print(f"{target.name}: the tags of the new key may not count yet, so try again in {pauses[0]} seconds")
        time.sleep(pauses.pop(0))
        _save_plan(target, choices)


def _planned(target: Target) -> dict[str, Any]:
    found: dict[str, Any] = read_json(target.plan_as_json)
    return found


def _forget_plan(target: Target) -> None:
    for path in (target.plan_as_json, target.plan):
        path.unlink(missing_ok=True)


def _makes_key(planned: Mapping[str, Any]) -> bool:
    changes = planned.get("resource_changes", [])
    return any(each["type"] == "aws_kms_key" and "create" in each["change"]["actions"] for each in changes)


def _delete_logs_of_rds(target: Target, planned: Mapping[str, Any], action: str) -> None:
    """Delete the log groups that RDS has made again, of those that a plan creates or deletes."""
    for each in planned.get("resource_changes", []):
        change = each["change"]
        if each["type"] != "aws_cloudwatch_log_group" or change["actions"] != [action]:
            continue
        name = (change["before"] if action == "delete" else change["after"])["name"]
        if name.startswith(f"{_LOGS_OF_RDS}{NAME}-{target.name}/"):
            logs = target.client("logs", planned["variables"]["region"]["value"])
            with suppress(logs.exceptions.ResourceNotFoundException):
                logs.delete_log_group(logGroupName=name)
                print(f"{target.name}: deleted the log group {name}, which RDS had made again")


def _prepare(target: Target, *, create: bool = False) -> None:
    """Make and initialise a new copy of infra/, with web/, for the target.

    If the workspace does not exist, create it, or raise NotThere if `create` is false.
    """
    if reason := missing():
        raise ToolError(f"Terraform can't be run: {reason}")
    if target.workspace != "default" and target.terraform_workspace not in target.states.workspaces():
        if not create:
            raise NotThere(
                f"{target.environment} has no workspace {target.workspace}: check WORKSPACE, or create the workspace"
            )
        target.states.create(target.terraform_workspace)
    target.folder.mkdir(parents=True, exist_ok=True)
    # A saved plan is valid only with its package, which the copy deletes.
    _forget_plan(target)
    sources.copy(target)
    arguments = [*INIT, "-reconfigure", "-backend-config=state.s3.tfbackend"]
    if target.emulated is not None:
        arguments += [f"-backend-config=bucket={emulation.STATE_BUCKET}", f"-backend-config=region={emulation.REGION}"]
    _terraform(target, arguments)


def _remembered(target: Target) -> dict[str, str]:
    """Return the choices of the workspace's last apply. Raise ToolError if DATABASE would change."""
    if target.workspace == "default":
        return {}
    made = _made_with(_outputs(target))
    if not target.debug and made:
        # A preview's code writes its own state. With other choices, Terraform would refuse to destroy the workspace.
        purpose = made.get("workspace_purpose")
        made["database_source"] = "empty"
        made["workspace_purpose"] = purpose if purpose in ("personal", "preview") else "personal"
        made["owner"] = made.get("owner", "").strip() or "unknown"
    source = target.choices.get("database_source")
    if source not in (None, made.get("database_source", source)):
        raise ToolError(
            f"{target.name} was created with DATABASE={made['database_source']}, which can't be changed: "
            "destroy the workspace first, or name another workspace"
        )
    return made


def _consent(target: Target, summary: plan_summary.Summary) -> None:
    """Print the summary. On AWS, ask for consent, unless YES=1 or nothing changes. Raise ToolError without consent."""
    page = _page(target, _outputs(target))
    changes_page = page is not None and page.newest() != page.serving()[0]
    print(f"{target.name}: {summary}{', and a changed page' if changes_page else ''}")
    if target.emulated is not None or os.environ.get("YES") == "1" or not (summary.changes or changes_page):
        return
    require_consent(target.name, otherwise="set YES=1, or PLAN=1 to apply a saved plan")


def _outputs(target: Target) -> Any:
    return target.states.outputs(target.terraform_workspace)


def _values(outputs: Any) -> dict[str, Any]:
    return {**outputs["main"]["value"], "made_with": _made_with(outputs)} if "main" in outputs else {}


def _made_with(outputs: Any) -> dict[str, str]:
    """Return the choices in the state. Ignore all else there, because these values become options of Terraform."""
    made = (outputs.get("made_with") or {"value": {}})["value"]
    return {name: made[name] for name in CHOICES.values() if name in made}


def _lambda(target: Target, outputs: Any) -> Any:
    return target.client("lambda", _values(outputs)["region"], deploy.CONFIG)


def _page(target: Target, outputs: Any) -> Page | None:
    """Return the page of the target's copy and its bucket, or None if the target has no site."""
    site = _values(outputs).get("site")
    if not site:
        return None
    # A preview's code writes the outputs of its workspace, so these must not choose the bucket of another target.
    if not re.fullmatch(f"{NAME}-{target.name}-[0-9a-f]{{8}}", site["bucket"]):
        raise ToolError(f"The outputs of {target.name} name the bucket {site['bucket']}, which is not its own")
    return Page(target.client("s3", _values(outputs)["region"]), site["bucket"], target.folder / "web")


def _say_what_serves(target: Target, versions: Mapping[str, str]) -> None:
    for role, version in versions.items():
        print(f"{target.name}: {role}: version {version} serves")


def _terraform(target: Target, arguments: Sequence[str], *, shown: bool = False, **environ: str) -> str:
    answer = terraform(arguments, target.folder / target.environment, environ, base=target.environ, capture=not shown)
    if answer.returncode != 0:
        raise ToolError(_failed(target, arguments[0], None if shown else answer.stderr))
    return answer.stdout or ""


def _failed(target: Target, command: str, errors: str | None = None) -> str:
    which, said = ("the error above", "") if errors is None else ("this error", f":\n{errors.strip()}")
    return f"`terraform {command}` failed for {target.name}. Fix {which}, and run the command again{said}"


def target_of(environ: Mapping[str, str]) -> Target:
    """Return the target that the variables name, or raise ToolError."""
    package = environ.get("PACKAGE")
    target = Target(
        environ.get("ENV", ""),
        environ.get("WORKSPACE") or "default",
        package=Path(package).resolve() if package else None,
        emulated=port_of(environ.get("EMULATED", "")),
    )
    choices = {variable: environ[name] for name, variable in CHOICES.items() if environ.get(name)}
    return replace(target, debug=_is_debug(target, environ.get("PURPOSE")), choices=choices)


def _is_debug(target: Target, purpose: str | None) -> bool:
    """True if PURPOSE, or else the workspace that exists, says that the target is a debug workspace."""
    if target.workspace == "default":
        return False
    there = {each.debug for each in workspaces(target) if each.workspace == target.workspace}
    if len(there) == 2 and not purpose:
        raise UsageError(
            f"{target.environment} has two workspaces {target.workspace}: set PURPOSE=debug for the debug workspace, "
            "PURPOSE=personal for the other one"
        )
    debug = purpose == "debug" if purpose else there == {True}
    if there and debug not in there:
        raise other_kind(target.workspace, debug=not debug)
    return debug


def other_kind(workspace: str, *, debug: bool) -> UsageError:
    """Return the error for a PURPOSE that does not fit. `debug` is true if the workspace is for debugging."""
    not_debug = "not a debug workspace: leave out PURPOSE=debug, or choose another name"
    return UsageError(f"{workspace} is {'a debug workspace: set PURPOSE=debug' if debug else not_debug}")


def plan_command(environ: Mapping[str, str]) -> None:
    """Plan the target that the variables name."""
    target = target_of(environ)
    print(
        f"{target.name}: {plan(target)} (as JSON: {(PLANS / target.name).relative_to(ROOT)}.json). "
        "To apply it, run the same command with `make apply` and PLAN=1"
    )


def rollback_command(environ: Mapping[str, str]) -> None:
    """Roll back the target that the variables name."""
    rollback(target_of(environ))
