"""The settings of each environment, and of workspaces of production: sizes, protection, alarms, trusted issuers.

The plans come from infra/*/tests, with a mocked provider. Each plan has the resources of all modules.
"""

import json
import re
from typing import Any

import pytest

from chalicelib import NAME, SQL_NAME
from chalicelib.settings import read
from tests.support import modules
from tools.aws import doctor
from tools.aws.terraform import missing
from tools.checks.policy.plans import RUNS

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")

Plan = dict[str, dict[str, Any]]

RUN = {run.name: run for run in RUNS}
SIZES = {
    "development": {
        "capacity": (0, 2),
        "instances": 1,
        "backup_days": 3,
        "protected": False,
        "log_days": {14},
        "reserved": -1,
        "throttling": (50, 100),
    },
    "preproduction": {
        "capacity": (0, 2),
        "instances": 1,
        "backup_days": 7,
        "protected": False,
        "log_days": {30},
        "reserved": -1,
        "throttling": (50, 100),
    },
    "production": {
        "capacity": (1, 16),
        "instances": 2,
        "backup_days": 30,
        "protected": True,
        "log_days": {365},
        "reserved": 100,
        "throttling": (200, 400),
    },
}
OF_A_WORKSPACE_OF_PRODUCTION = {
    **SIZES["production"],
    "capacity": (0, 16),
    "instances": 1,
    "backup_days": 1,
    "protected": False,
    "reserved": -1,
}


NAMES = {
    "personal": f"{NAME}-production-w-fix-1",
    "clone": f"{NAME}-production-d-fix-1",
    "live": f"{NAME}-production-d-fix-1",
}


@pytest.fixture(scope="module")
def workspaces() -> dict[str, Plan]:
    """Plans of production's workspaces w-fix-1, for personal use, and d-fix-1, to debug on a clone and on live data."""
    return {run: modules.arguments(RUN[f"production-{run}"]) for run in ("personal", "clone", "live")}


@pytest.mark.parametrize("environment", SIZES)
def test_an_environment_has_its_sizes_and_sends_its_alarms(environment: str) -> None:
    plan = modules.arguments(RUN[environment])

    assert sizes(plan) == SIZES[environment]
    assert max(sizes(plan)["reserved"], 0) == doctor.RESERVED[environment]
    assert told(plan) == (["ann@example.org"], environment != "development")
    assert schedules(plan) == {"ENABLED"}
    assert logins(plan) == {f"{SQL_NAME}_app_{environment}", f"{SQL_NAME}_migrator_{environment}"}
    # The environment's pipeline may create only roles with this boundary.
    [boundary] = {role["permissions_boundary"] for role in of_type(plan, "aws_iam_role")}
    assert boundary.endswith(f":policy/{NAME}-account-boundary-{environment}")
    assert names_without(plan, f"{NAME}-{environment}") == []
    assert logins(plan) == {f"{SQL_NAME}_{role}_{environment}" for role in ("app", "migrator")}
    assert len(names_without(plan, f"{NAME}-another")) > 50
    trusted = issuers(plan, environment)
    assert [(issuer.kind, issuer.audience_claim) for issuer in trusted] == [
        ("github-actions", "aud"),
        ("people", "client_id"),
    ]
    assert trusted[0].audience == f"{NAME}-{environment}"
    assert {name: (group.role, group.systems) for name, group in trusted[1].groups.items()} == {
        "everybody": ("viewer", ()),
        "maintainers": ("maintainer", "all"),
        "admins": ("admin", ()),
    }


@pytest.mark.parametrize("run", ["personal", "clone"])
def test_a_workspace_of_production_is_small_unprotected_and_sends_no_alarms(
    run: str, workspaces: dict[str, Plan]
) -> None:
    plan = workspaces[run]

    assert sizes(plan) == OF_A_WORKSPACE_OF_PRODUCTION
    assert told(plan) == ([], False)
    assert names_without(plan, NAMES[run]) == []


@pytest.mark.parametrize("environment", SIZES)
def test_no_name_of_an_environment_is_a_name_of_its_workspaces(environment: str) -> None:
    """Roles for workspaces reach every name that begins like the names of a kind of workspace."""
    assert names_of_workspaces(modules.arguments(RUN[environment]), environment) == []


def test_the_names_of_workspaces_tell_their_kinds(workspaces: dict[str, Plan]) -> None:
    for run, plan in workspaces.items():
        found = names_of_workspaces(plan, "production")
        assert len(found) > 50
        assert [name for name in found if NAMES[run] not in name] == []


def test_each_kind_of_workspace_has_its_own_logins_and_live_data_has_those_of_the_service(
    workspaces: dict[str, Plan],
) -> None:
    app, migrator = f"{SQL_NAME}_app_production", f"{SQL_NAME}_migrator_production"

    assert {run: logins(plan) for run, plan in workspaces.items()} == {
        "personal": {f"{app}_w", f"{migrator}_w"},
        "clone": {f"{app}_d", f"{migrator}_d"},
        "live": {app},
    }


def test_only_debug_workspaces_disable_schedules(workspaces: dict[str, Plan]) -> None:
    assert {run: schedules(plan) for run, plan in workspaces.items()} == {
        "personal": {"ENABLED"},
        "clone": {"DISABLED"},
        "live": {"DISABLED"},
    }


def test_a_debug_workspace_trusts_the_issuers_of_its_environment(workspaces: dict[str, Plan]) -> None:
    audiences = {run: issuers(plan, "production")[0].audience for run, plan in workspaces.items()}
    pools = {run: [address for address in plan if "cognito" in address] for run, plan in workspaces.items()}

    assert audiences == {
        "personal": f"{NAME}-production-w-fix-1",
        "clone": f"{NAME}-production",
        "live": f"{NAME}-production",
    }
    assert issuers(workspaces["clone"], "production") == issuers(workspaces["live"], "production")
    assert issuers(workspaces["live"], "production")[1].audience == "client-of-the-environment"
    assert len(pools["personal"]) == 6
    assert pools["clone"] == pools["live"] == []


def test_a_clone_starts_with_the_environments_data(workspaces: dict[str, Plan]) -> None:
    [source] = of_type(workspaces["clone"], "aws_rds_cluster")[0]["restore_to_point_in_time"]

    assert (source["source_cluster_identifier"], source["restore_type"]) == (f"{NAME}-production", "copy-on-write")
    assert of_type(workspaces["personal"], "aws_rds_cluster")[0]["restore_to_point_in_time"] == []


def test_a_workspace_on_live_data_has_no_network_database_or_master_password_of_its_own(
    workspaces: dict[str, Plan],
) -> None:
    plan = workspaces["live"]

    of_the_database = ("aws_rds", "aws_vpc", "aws_db", "aws_secretsmanager")
    assert [address for address in plan if kind_of(address).startswith(of_the_database)] == []
    assert [address for address in plan if "bootstrap" in address or "migrate" in address] == []
    assert "secretsmanager" not in str(of_type(plan, "aws_iam_role_policy"))
    assert settings(plan, "api")["SLIPWAY_DATABASE_HOST"] == "environment.example"
    assert names_without(plan, NAMES["live"]) == []


def sizes(plan: Plan) -> dict[str, Any]:
    [cluster] = of_type(plan, "aws_rds_cluster")
    [scaling] = cluster["serverlessv2_scaling_configuration"]
    [method] = of_type(plan, "aws_api_gateway_method_settings")
    [limits] = method["settings"]
    pools = {pool["deletion_protection"] == "ACTIVE" for pool in of_type(plan, "aws_cognito_user_pool")}
    protected = cluster["deletion_protection"]
    assert pools <= {protected}
    return {
        "capacity": (scaling["min_capacity"], scaling["max_capacity"]),
        "instances": len(of_type(plan, "aws_rds_cluster_instance")),
        "backup_days": cluster["backup_retention_period"],
        "protected": protected,
        "log_days": {group["retention_in_days"] for group in of_type(plan, "aws_cloudwatch_log_group")},
        "reserved": max(
            function["reserved_concurrent_executions"] for function in of_type(plan, "aws_lambda_function")
        ),
        "throttling": (limits["throttling_rate_limit"], limits["throttling_burst_limit"]),
    }


def told(plan: Plan) -> tuple[list[str], bool]:
    """Return the mail addresses that get alarms, and a boolean: True if an alarm notifies them."""
    notifies = any(alarm["actions_enabled"] for alarm in of_type(plan, "aws_cloudwatch_composite_alarm"))
    return sorted({each["endpoint"] for each in of_type(plan, "aws_sns_topic_subscription")}), notifies


def schedules(plan: Plan) -> set[str]:
    return {rule["state"] for rule in of_type(plan, "aws_cloudwatch_event_rule")}


def test_each_environment_has_an_issuer_of_its_own_among_its_dependencies() -> None:
    found = {each: dependencies(modules.arguments(RUN[each]), each) for each in SIZES}

    assert {each: list(declared) for each, declared in found.items()} == {each: ["identity"] for each in SIZES}
    assert len({declared["identity"].instance for declared in found.values()}) == len(SIZES)


def dependencies(plan: Plan, stage: str) -> dict[str, Any]:
    """Return the dependencies, read from the variables of the functions."""
    given = settings(plan, "api")["SLIPWAY_DEPENDENCIES"]
    issuers_ = settings(plan, "api")["SLIPWAY_ISSUERS"]
    return {**read({"SLIPWAY_STAGE": stage, "SLIPWAY_ISSUERS": issuers_, "SLIPWAY_DEPENDENCIES": given}).dependencies}


def issuers(plan: Plan, stage: str) -> tuple[Any, ...]:
    """Return the trusted issuers, read from the variables of the functions."""
    given = settings(plan, "api")["SLIPWAY_ISSUERS"]
    assert settings(plan, "authorizer")["SLIPWAY_ISSUERS"] == given
    return read({"SLIPWAY_STAGE": stage, "SLIPWAY_ISSUERS": given}).issuers


def settings(plan: Plan, function: str) -> dict[str, str]:
    """Return the environment variables of a function."""
    [made] = [made for address, made in plan.items() if address.endswith(f'aws_lambda_function.this["{function}"]')]
    [environment] = made["environment"]
    variables: dict[str, str] = environment["variables"]
    return variables


def logins(plan: Plan) -> set[str]:
    """Return the logins in the database that the functions get.

    Require that a function's role may log in as its login, and that bootstrap creates the logins.
    """
    found = set()
    for address, function in plan.items():
        if kind_of(address) != "aws_lambda_function":
            continue
        variables = function["environment"][0]["variables"]
        [policy] = [
            json.loads(each["policy"])["Statement"]
            for each in of_type(plan, "aws_iam_role_policy")
            if each["name"] == function["function_name"]
        ]
        may = [statement["Resource"] for statement in policy if "rds-db:connect" in statement["Action"]]
        given = [variables["SLIPWAY_DATABASE_USER"]] if "SLIPWAY_DATABASE_USER" in variables else []
        assert [arn.rpartition("/")[2] for arns in may for arn in arns] == given
        found |= {*given}
    created = {
        settings(plan, "bootstrap")[f"SLIPWAY_DATABASE_{login}_LOGIN"]
        for login in ("APP", "MIGRATOR")
        if any("bootstrap" in address for address in plan)
    }
    assert created in (found, set())
    return found


def names_without(plan: Plan, name: str) -> list[str]:
    """Return the addresses of named resources whose name does not contain `name`."""
    of_their_own = {
        "aws_rds_cluster": "cluster_identifier",
        "aws_rds_cluster_instance": "identifier",
        "aws_lambda_function": "function_name",
        "aws_s3_bucket": "bucket",
        "aws_cloudwatch_metric_alarm": "alarm_name",
        "aws_cloudwatch_composite_alarm": "alarm_name",
        "aws_cloudwatch_dashboard": "dashboard_name",
    }
    # The name of a resource of these types need only be unique within its parent.
    within = ("aws_lambda_alias", "aws_iam_role_policy", "aws_cognito_user_group")
    found = {address: kind_of(address) for address in plan if kind_of(address) not in within}
    return [
        address
        for address, kind in found.items()
        if name not in (plan[address].get(of_their_own.get(kind, "name")) or name)
    ]


def names_of_workspaces(plan: Plan, environment: str) -> list[str]:
    """Return all texts of a plan, at any depth, that contain the beginning of a workspace's name."""
    found: list[str] = []

    def look(value: Any) -> None:
        if isinstance(value, str) and re.search(rf"{NAME}-{environment}-[wd]-", value):
            found.append(value)
        for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
            look(each)

    look(plan)
    return found


def kind_of(address: str) -> str:
    return re.sub(r"\[.*?\]", "", address).split(".")[-2]


def of_type(plan: Plan, kind: str) -> list[dict[str, Any]]:
    return [resource for address, resource in plan.items() if kind_of(address) == kind]
