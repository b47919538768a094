"""Change classes of moto where they differ from AWS. When moto does as AWS, delete the change here."""

import json
from copy import copy
from functools import wraps
from inspect import signature
from typing import Any
from urllib.parse import quote

from flask import has_request_context, request
from moto.apigateway.models import APIGatewayBackend
from moto.awslambda.models import LambdaFunction
from moto.budgets.models import BudgetsBackend
from moto.budgets.responses import BudgetsResponse
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.config import default_user_config
from moto.core.responses import ActionResult
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.iam.responses import IamResponse
from moto.rds.models import DBCluster, DBInstance, RDSBackend
from moto.rds.responses import RDSResponse
from moto.s3.models import FakeBucket


def change_moto() -> None:
    """Change moto's settings and classes. Call this function once, before the first request."""
    # moto needs Docker to run functions. With this setting, moto runs no function and answers with the input.
    default_user_config["lambda"]["use_docker"] = False
    # moto allows the Data API only on Serverless v1.
    DBCluster.enable_http_endpoint = property(  # type: ignore[method-assign, assignment]
        lambda cluster: cluster._enable_http_endpoint,  # noqa: SLF001
        lambda cluster, value: setattr(cluster, "_enable_http_endpoint", bool(value)),
    )
    # moto gives every cluster the scaling configuration of Serverless v1.
    DBCluster.scaling_configuration_info = None  # type: ignore[method-assign, assignment]
    # moto's default certificate does not exist on AWS. Terraform would replace it and restart the instance.
    _default(DBInstance, "__init__", ca_certificate_identifier="rds-ca-rsa2048-g1")
    # moto forgets the description of a rule that names a security group. Terraform would set it again in every apply.
    SecurityGroupRule.description = property(  # type: ignore[method-assign, assignment]
        lambda rule: {**rule.source_group, **rule.ip_range}.get("Description")
    )
    # moto requires an address and a method, but a mock integration has neither.
    _default(APIGatewayBackend, "put_integration", uri="", integration_method="")
    # moto forgets the settings of Performance Insights and of logging. Terraform would set them again in every apply.
    _remember_insights()
    _remember_logging()
    _remember_tags_of_budgets()
    # moto's method for metric alarms takes composite alarms too, but not under the name of the action.
    CloudWatchResponse.put_composite_alarm = CloudWatchResponse.put_metric_alarm  # type: ignore[attr-defined]
    _switch_data_api()
    _encode_policies()
    bucket: Any = FakeBucket
    bucket.get_permission = _permission


def _remember_insights() -> None:
    make = DBInstance.__init__

    @wraps(make)
    def made(self: Any, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        self.performance_insights_enabled = named.get("enable_performance_insights", False)
        self.performance_insights_kms_key_id = named.get("performance_insights_kms_key_id")
        self.performance_insights_retention_period = named.get("performance_insights_retention_period")

    DBInstance.__init__ = made  # type: ignore[method-assign]


def _switch_data_api() -> None:
    """Switch the Data API off in a restored cluster, as AWS does, and let a request enable it. moto copies the setting.

    See "EnableHttpEndpoint" in the API Reference of Amazon RDS.
    """
    restore = RDSBackend.restore_db_cluster_to_point_in_time

    @wraps(restore)
    def restored(self: Any, *arguments: Any, **named: Any) -> DBCluster:
        cluster = restore(self, *arguments, **named)
        cluster.enable_http_endpoint = False
        return cluster

    def enable(self: Any) -> ActionResult:
        arn = self.params["ResourceArn"]
        [cluster] = self.backend.describe_db_clusters(arn.rpartition(":")[2])
        cluster.enable_http_endpoint = True
        return ActionResult({"ResourceArn": arn, "HttpEndpointEnabled": True})

    RDSBackend.restore_db_cluster_to_point_in_time = restored  # type: ignore[method-assign]
    RDSResponse.enable_http_endpoint = enable  # type: ignore[attr-defined]


def _remember_logging() -> None:
    make, change, tell = LambdaFunction.__init__, LambdaFunction.update_configuration, LambdaFunction.get_configuration

    @wraps(make)
    def made(self: Any, account_id: str, spec: dict[str, Any], *arguments: Any, **named: Any) -> None:
        make(self, account_id, spec, *arguments, **named)
        self.logging = spec.get("LoggingConfig")

    @wraps(change)
    def changed(self: Any, config_updates: dict[str, Any]) -> Any:
        self.logging = config_updates.get("LoggingConfig", self.logging)
        return change(self, config_updates)

    @wraps(tell)
    def told(self: Any, on_create: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 (moto's arguments)
        usual = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{self.function_name}"}
        return {**tell(self, on_create), "LoggingConfig": {**usual, **(self.logging or {})}}

    LambdaFunction.__init__ = made  # type: ignore[method-assign]
    LambdaFunction.update_configuration = changed  # type: ignore[method-assign]
    LambdaFunction.get_configuration = told  # type: ignore[method-assign]


def _remember_tags_of_budgets() -> None:
    create = BudgetsResponse.create_budget

    @wraps(create)
    def created(self: Any) -> str:
        answer = create(self)
        _tags_of(self.backend)[self._get_param("Budget")["BudgetName"]] = self._get_param("ResourceTags", [])
        return answer

    def listed(self: Any) -> str:
        name = self._get_param("ResourceARN").rpartition("/")[2]
        return json.dumps({"ResourceTags": _tags_of(self.backend).get(name, [])})

    BudgetsResponse.create_budget = created  # type: ignore[method-assign]
    BudgetsResponse.list_tags_for_resource = listed  # type: ignore[attr-defined]


def _tags_of(backend: BudgetsBackend) -> dict[str, Any]:
    """Return the tags of the budgets of an account, by the budget's name."""
    found: dict[str, Any] = backend.__dict__.setdefault("tags_of_budgets", {})
    return found


def _encode_policies() -> None:
    """Encode a policy's document like an address, as AWS does. moto sends it plain, so `%2F` in it would be decoded."""
    tell = IamResponse.get_policy_version

    @wraps(tell)
    def told(self: Any) -> Any:
        answer: Any = tell(self)
        version = copy(answer.result["PolicyVersion"])
        version.document = quote(version.document, safe="")
        answer.result["PolicyVersion"] = version
        return answer

    IamResponse.get_policy_version = told  # type: ignore[method-assign]


def _default(owner: type, name: str, **defaults: str) -> None:
    """Give default values to keyword arguments of a method."""
    method = getattr(owner, name)

    @wraps(method)
    def filled(self: Any, *arguments: Any, **named: Any) -> Any:
        taken = signature(method).bind_partial(self, *arguments).arguments
        return method(self, *arguments, **{key: value for key, value in defaults.items() if key not in taken} | named)

    setattr(owner, name, filled)


def _permission(bucket: Any, action: str, resource: str) -> Any:
    """Return what a bucket's policy says about an action: permitted, denied or neutral.

    moto ignores conditions, so "deny without TLS" would deny every request.
    """
    policy = json.loads(bucket.policy or b'{"Statement": []}')
    holding = [
        {name: value for name, value in statement.items() if name != "Condition"}
        for statement in policy["Statement"]
        if _holds(statement.get("Condition", {}))
    ]
    if not holding:
        return PermissionResult.NEUTRAL
    return IAMPolicy(json.dumps({**policy, "Statement": holding})).is_action_permitted(action, resource)


def _holds(condition: dict[str, dict[str, str]]) -> bool:
    """True if the request meets a condition. A condition with an unknown key or operator counts as not met."""
    found = {
        "aws:SecureTransport": "true",  # the emulator uses plain HTTP in place of TLS
        "s3:ObjectCreationOperation": "true",
        "s3:if-none-match": request.headers.get("If-None-Match") if has_request_context() else None,
    }
    for operator, wanted in condition.items():
        for key, value in wanted.items():
            if key not in found or operator not in ("Bool", "Null"):
                return False
            if value != (found[key] if operator == "Bool" else str(found[key] is None).lower()):
                return False
    return True
