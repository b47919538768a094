"""The plans that policies are held against: made in an emulated account of their own, and without one.

A first plan of an environment knows no id and no ARN, and so none of the policies in which they are. So there are two
of each: the real one, and one with a provider that makes ids up at once (`terraform test`). What the real one does not
know yet, readable.py takes from the other.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools import lifeline
from tools.aws import terraform as tool
from tools.aws.emulator.account import emulated_account, emulated_client
from tools.checkout import ROOT, ToolError
from tools.checks.readable import Resource, Target, configured, resources, target_of
from tools.local.emulation import ACCOUNT, REGION, environment
from tools.package import compose

INFRA = ROOT / "infra"

_SECONDS = 300
_GENERATED = Path("modules/api/generated.tf.json")
_TEST = "made_up.tftest.hcl"
# Production refuses a testing account, and the emulated one is one.
_EMULATED = {"account_id": ACCOUNT, "testing_account_ids": ["000000000000"]}
# State stays in the folder, and moto answers to no host that a bucket's name is part of.
_OVERRIDE = """\
terraform {
  backend "local" {}
}

provider "aws" {
  s3_use_path_style = true
}
"""

# What rules know by its look, and what the provider checks the look of.
_MADE_UP: dict[str, dict[str, Any]] = {
    "aws_cognito_user_pool": {"id": f"{REGION}_madeup"},
    "aws_rds_cluster": {
        "master_user_secret": [{"secret_arn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:made-up"}]
    },
    "aws_security_group": {"id": "sg-0madeup"},
    "aws_subnet": {"id": "subnet-0madeup"},
}


@dataclass(frozen=True)
class Wanted:
    """A plan to make: of an environment, or of a workspace of one."""

    environment: str
    workspace: str = "default"
    variables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.environment if self.workspace == "default" else f"{self.environment}-{self.workspace}"


@dataclass(frozen=True)
class Planned:
    """What a plan is of, and what will be there after it."""

    target: Target
    resources: list[Resource]


ENVIRONMENTS = ("development", "preproduction", "production")
DEBUG_WORKSPACE = Wanted("production", "incident", {"workspace_purpose": "debug", "database_source": "clone"})
ALL = (*(Wanted(environment) for environment in ENVIRONMENTS), DEBUG_WORKSPACE)


def plans(wanted: Sequence[Wanted], folder: Path) -> dict[str, Planned]:
    """Plans by name, made in an account of their own from this checkout as it is; two at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        packaging = pool.submit(_packaged, folder / "package")
        with emulated_account() as port:
            account = environment(os.environ, port)
            _what_a_debug_workspace_reads(port)
            copies = [_copy(each.environment, packaging.result(), folder / each.name) for each in wanted]
            _initialise(copies[0], folder / "data")
            try:
                made = pool.map(lambda each, copy: _planned(each, copy, folder / "data", account), wanted, copies)
                return {each.name: plan for each, plan in zip(wanted, made, strict=True)}
            except BaseException:
                lifeline.interrupt()
                raise


def given(plan: dict[str, Any], folder: Path) -> Planned:
    """A plan that somebody else made of this checkout. Raises ToolError where it is of anything else."""
    try:
        target = target_of(plan)
    except (KeyError, TypeError) as error:
        raise ToolError(
            f"That is no plan of infra/development, preproduction or production ({error!r} is missing): make it with "
            "`terraform plan -out=plan` and `terraform show -json plan`"
        ) from None
    copy = _copy(target.environment, _packaged(folder / "package"), folder / target.name)
    _initialise(copy, folder / "data")
    return Planned(target, resources(plan, _made_up(plan, target, copy, folder / "data")))


def _planned(wanted: Wanted, copy: Path, data: Path, account: Mapping[str, str]) -> Planned:
    environ = {**account, "TF_DATA_DIR": str(data), "TF_WORKSPACE": wanted.workspace}
    (copy / "policy.auto.tfvars.json").write_text(json.dumps({**_EMULATED, **wanted.variables}))
    _told(["plan", "-input=false", "-no-color", "-refresh=false", "-lock=false", "-out=plan"], copy, environ)
    shown = _told(["show", "-json", "-no-color", "plan"], copy, environ)
    (copy / "plan.json").write_text(shown)
    plan = json.loads(shown)
    return Planned(target_of(plan), resources(plan, _made_up(plan, target_of(plan), copy, data)))


def _made_up(plan: dict[str, Any], target: Target, copy: Path, data: Path) -> dict[str, dict[str, Any]]:
    """The same plan with ids and ARNs made up, by address."""
    (copy / _TEST).write_text(_test(plan))
    # No provider is asked anything; and whatever of it were, goes nowhere.
    environ = {**environment(os.environ, 1), "TF_DATA_DIR": str(data), "TF_WORKSPACE": target.workspace}
    arguments = ["test", "-json", "-verbose", f"-filter={_TEST}"]
    answer = tool.terraform(arguments, copy, tool.environment(environ), seconds=_SECONDS)
    messages = [json.loads(line) for line in answer.stdout.splitlines()]
    if answer.returncode != 0:
        said = [
            f"{m['diagnostic']['summary']}: {m['diagnostic']['detail']}" for m in messages if m["type"] == "diagnostic"
        ]
        raise ToolError("\n".join([f"{target.name} can't be planned once its ids are known:", *said, answer.stderr]))
    made = next(message["test_plan"] for message in messages if message["type"] == "test_plan")
    return {each["address"]: each["change"] for each in made["resource_changes"]}


def _test(plan: dict[str, Any]) -> str:
    """A test of Terraform's that plans what `plan` does, and knows what it reads; written as HCL."""
    made_up: dict[str, dict[str, Any]] = {}
    for each in plan["resource_changes"]:
        if each["mode"] == "managed":
            # Of what is there already AWS has told its ARN: it is known, and made up all the same.
            told = [key for key, value in (each["change"]["after"] or {}).items() if value is not None]
            computed = {*each["change"]["after_unknown"], *told} - configured(plan, each["address"])
            arns = sorted(key for key in computed if key == "arn" or key.endswith("_arn"))
            service = each["type"].split("_")[1]
            arn = f"arn:aws:{service}:{REGION}:{ACCOUNT}:{each['type']}/made-up"
            made_up.setdefault(each["type"], {}).update(dict.fromkeys(arns, arn), **_MADE_UP.get(each["type"], {}))
    provider = ["override_during = plan"]
    provider += [
        f"mock_resource {json.dumps(kind)} {{\ndefaults = {_text(values)}\n}}" for kind, values in made_up.items()
    ]
    blocks = ['mock_provider "aws" {', *provider, "}", 'mock_provider "aws" {', 'alias = "us_east_1"', *provider, "}"]
    for read in _read(plan.get("prior_state", {}).get("values", {}).get("root_module", {})):
        values = {key: value for key, value in read["values"].items() if value is not None}
        blocks.append(f"override_data {{\ntarget = {read['address']}\nvalues = {_text(values)}\n}}")
    variables = {key: each["value"] for key, each in plan["variables"].items() if "value" in each}
    blocks += ["variables {", *(f"{key} = {_text(value)}" for key, value in variables.items()), "}"]
    return "\n".join([*blocks, 'run "plan" {', "command = plan", "}", ""])


def _read(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What data sources read."""
    yield from (each for each in module.get("resources", []) if each["mode"] == "data")
    for child in module.get("child_modules", []):
        yield from _read(child)


def _text(value: Any) -> str:
    """As HCL, in which JSON is the same but for templates."""
    return json.dumps(value).replace("${", "$${").replace("%{", "%%{")


def _packaged(folder: Path) -> dict[str, Any]:
    """What Terraform is told of the package. Of the wheels in it that is nothing, so there are none."""
    sources = folder / "sources"
    sources.mkdir(parents=True)
    for name in ("chalicelib", ".chalice"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", sources)
    (sources / "requirements.txt").touch()
    compose.package("development", folder, sources)
    return dict(json.loads((folder / "generated.tf.json").read_text()))


def _copy(stage: str, package: dict[str, Any], folder: Path) -> Path:
    """A copy of infra/, since Terraform writes where it works. The stage's package differs in nothing but the name."""
    ignored = shutil.ignore_patterns(".terraform", "__pycache__", "generated.tf.json", "deployment.zip", "*.tfstate*")
    shutil.copytree(INFRA, folder, ignore=ignored, dirs_exist_ok=True)
    told = package["locals"]
    (folder / _GENERATED).write_text(json.dumps({"locals": {**told, "package": {**told["package"], "stage": stage}}}))
    (folder / stage / "policy_override.tf").write_text(_OVERRIDE)
    return folder / stage


def _initialise(copy: Path, data: Path) -> None:
    """Once for all: every environment calls the same modules."""
    environ = {name: value for name, value in os.environ.items() if name != "TF_WORKSPACE"}
    _told(["init", "-input=false", "-no-color"], copy, {**environ, "TF_DATA_DIR": str(data)})


def _told(arguments: list[str], copy: Path, environ: Mapping[str, str]) -> str:
    answer = tool.terraform(arguments, copy, tool.environment(environ), seconds=_SECONDS)
    if answer.returncode != 0:
        raise ToolError(f"terraform {arguments[0]} of {copy.name} failed:\n{answer.stderr}")
    return answer.stdout


def _what_a_debug_workspace_reads(port: int) -> None:
    """The user pool of production, by name. To apply production for it would take a minute and more."""
    client = emulated_client("cognito-idp", port)
    pool = client.create_user_pool(PoolName="slipway-production")["UserPool"]["Id"]
    client.create_user_pool_client(UserPoolId=pool, ClientName="slipway-production")
