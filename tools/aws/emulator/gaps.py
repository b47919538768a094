"""Add the AWS features that Terraform needs and moto lacks.

Requests that need none of these features go to moto unchanged. When moto supports a feature, delete the feature from
this module.
"""

import io
import json
import re
import sys
import threading
import uuid
from collections.abc import Callable, Iterable
from copy import copy
from functools import wraps
from inspect import signature
from typing import Any
from urllib.parse import quote, unquote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from flask import has_request_context, request
from moto.apigateway.models import APIGatewayBackend
from moto.awslambda.models import LambdaFunction
from moto.backends import get_backend
from moto.core.config import default_user_config
from moto.core.responses import ActionResult
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.iam.responses import IamResponse
from moto.rds.models import DBCluster, DBInstance, RDSBackend
from moto.rds.responses import RDSResponse
from moto.s3.models import FakeBucket

from tools.local.emulation import ACCOUNT

# Lambda's settings in a new account.
_LAMBDA_SETTINGS = {
    "AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000},
    "AccountUsage": {"FunctionCount": 0},
}

_DISTRIBUTION = re.compile(r"<DistributionConfig(?: [^>]*)?>(.*)</DistributionConfig>", re.DOTALL)

# moto adds these elements to every distribution. AWS returns them only if the request had them.
_NOT_ADDED = ("ForwardedValues", "SSLSupportMethod")

_REMEMBERED = 500

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]


class Answer(Exception):
    """An answer that AWS would give. Raise it to end a request early."""

    def __init__(self, status: str, body: str = "", etag: str | None = None, kind: str = "text/xml") -> None:
        super().__init__(status)
        self.status = status
        self.body = body.encode()
        self.headers = [("Content-Type", kind), ("Content-Length", str(len(self.body)))]
        if etag:
            self.headers.append(("ETag", etag))


def fill_in_process() -> None:
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
    # moto requires an address and a method, but a mock integration has neither.
    _default(APIGatewayBackend, "put_integration", uri="", integration_method="")
    # moto forgets the settings of Performance Insights and of logging. Terraform would set them again in every apply.
    _remember_insights()
    _remember_logging()
    _switch_data_api()
    _encode_policies()


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


class GapsFilled:
    """moto's application, with the features that moto lacks."""

    def __init__(self, moto: Application) -> None:
        bucket: Any = FakeBucket
        bucket.get_permission = _permission
        self._moto = moto
        self._lock = threading.Lock()
        self._policies: dict[tuple[str, str], tuple[str, str]] = {}
        self._distributions: dict[str, str] = {}
        self._answered: dict[str, tuple[str, Any, list[bytes]]] = {}
        self._keys: dict[str, dict[str, str]] = {}
        self._etags: dict[str, str] = {}

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        # Handle one request at a time, because moto is not thread-safe.
        with self._lock:
            call = environ.get("HTTP_AMZ_SDK_INVOCATION_ID")
            if not call or environ["REQUEST_METHOD"] in ("GET", "HEAD"):
                return list(self._answer(environ, start_response))
            if call in self._answered:
                # The SDK lost the answer and sends the request again. The change is already made: repeat the answer.
                sys.stderr.write(f"repeated the answer to {environ['REQUEST_METHOD']} {environ['PATH_INFO']}\n")
            else:
                self._do_once(call, environ)
            status, headers, body = self._answered[call]
            if not status.startswith("2"):
                del self._answered[call]  # so that the SDK can try a failed request again
            start_response(status, headers)
            return body

    def _do_once(self, call: str, environ: Environ) -> None:
        """Answer a request, and keep the answer in case the SDK repeats the request."""
        said: list[Any] = []
        body = list(self._answer(environ, lambda *words: said.extend(words)))
        self._answered[call] = (said[0], said[1], body)
        if len(self._answered) > _REMEMBERED:
            del self._answered[next(iter(self._answered))]

    def _answer(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        # WSGI decodes the path, but an ARN with a slash must stay one segment.
        raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or path
        try:
            self._cloudfront(environ, path)
            self._key_value_stores(environ, raw.split("?")[0])
            self._cognito(environ)
            if path.rstrip("/") == "/2016-08-19/account-settings":
                raise Answer("200 OK", json.dumps(_LAMBDA_SETTINGS), kind="application/json")
        except Answer as answer:
            start_response(answer.status, answer.headers)
            return [answer.body]
        if match := re.fullmatch(r"/2020-05-31/distribution(?:/([^/]+)(?:/config)?)?", path):
            return self._distribution(environ, start_response, match[1])
        return self._moto(environ, start_response)

    def _distribution(self, environ: Environ, start_response: Any, identifier: str | None) -> Iterable[bytes]:
        """Answer with the distribution's configuration as Terraform sent it. moto keeps only a part of it."""
        given = _DISTRIBUTION.search(_body(environ)) if environ["REQUEST_METHOD"] in ("POST", "PUT") else None
        if given:
            sent = _without_groups(_body(environ)).encode()
            environ = {**environ, "wsgi.input": io.BytesIO(sent), "CONTENT_LENGTH": str(len(sent))}
        said: list[Any] = []
        answer = b"".join(self._moto(environ, lambda *words: said.extend(words))).decode()
        status, headers = said[:2]
        if given and status.startswith("2"):
            identifier = identifier or re.findall(r"<ARN>[^<]*:distribution/([^<]*)</ARN>", answer)[0]
            self._distributions[identifier] = given[1]
        if kept := self._distributions.get(identifier or ""):
            answer = _DISTRIBUTION.sub(lambda known: _complete(kept, known[1]), answer)
        body = answer.encode()
        headers = [each for each in headers if each[0].lower() != "content-length"]
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _cloudfront(self, environ: Environ, path: str) -> None:
        if match := re.fullmatch(
            r"/2020-05-31/(cache|response-headers|origin-request)-policy(?:/([^/]+?))?(/config)?", path
        ):
            self._policy(environ, match[1], match[2])
        if match := re.fullmatch(r"/2020-05-31/function/([^/]+)/publish", path):
            _publish(match[1])

    def _policy(self, environ: Environ, kind: str, identifier: str | None) -> None:
        """Raise the Answer to a request about policies. Keep the XML of each policy as Terraform sent the XML."""
        method = environ["REQUEST_METHOD"]
        name = "".join(part.title() for part in kind.split("-")) + "Policy"
        if method == "POST":
            identifier = str(uuid.uuid4())
        elif identifier is None:
            items = "".join(
                f"<{name}Summary><Type>custom</Type>{_policy_xml(name, key[1], config)}</{name}Summary>"
                for key, (config, _) in self._policies.items()
                if key[0] == kind
            )
            raise Answer("200 OK", f"<{name}List><Items>{items}</Items></{name}List>")
        elif (kind, identifier) not in self._policies:
            raise Answer("404 Not Found", _error(f"NoSuch{name}"))
        assert identifier is not None
        if method in ("PUT", "DELETE") and environ.get("HTTP_IF_MATCH") != self._policies[kind, identifier][1]:
            raise Answer("412 Precondition Failed", _error("PreconditionFailed"))
        if method == "DELETE":
            del self._policies[kind, identifier]
            raise Answer("204 No Content")
        if method in ("POST", "PUT"):
            self._policies[kind, identifier] = (_without_declaration(_body(environ)), uuid.uuid4().hex)
        config, etag = self._policies[kind, identifier]
        status = "201 Created" if method == "POST" else "200 OK"
        body = config if environ["PATH_INFO"].endswith("/config") else _policy_xml(name, identifier, config)
        raise Answer(status, body, etag)

    def _key_value_stores(self, environ: Environ, path: str) -> None:
        one = path.replace("key-value-store/", "key-value-store%2F")
        match = re.fullmatch(r"/key-value-stores/([^/]+)(?:/keys(?:/([^/]+))?)?", one)
        if not match:
            return
        arn, key, method = unquote(match[1]), match[2] and unquote(match[2]), environ["REQUEST_METHOD"]
        stores = get_backend("cloudfront")[ACCOUNT]["aws"].key_value_stores
        if all(store.arn != arn for store in stores.values()):
            raise Answer("404 Not Found", json.dumps({"Message": "no such store"}), kind="application/json")
        keys = self._keys.setdefault(arn, {})
        etag = self._etags.setdefault(arn, uuid.uuid4().hex)
        if method in ("PUT", "DELETE"):
            if environ.get("HTTP_IF_MATCH") != etag:
                raise Answer("409 Conflict", json.dumps({"Message": "stale"}), kind="application/json")
            if method == "PUT":
                keys[key] = json.loads(_body(environ))["Value"]
            else:
                keys.pop(key, None)
            etag = self._etags[arn] = uuid.uuid4().hex
        size = {"ItemCount": len(keys), "TotalSizeInBytes": sum(len(name) + len(keys[name]) for name in keys)}
        if key is None:
            found = [{"Key": name, "Value": keys[name]} for name in sorted(keys)]
            raise Answer("200 OK", json.dumps({"KvsARN": arn, "Items": found, **size}), etag, "application/json")
        if method == "GET" and key not in keys:
            raise Answer("404 Not Found", json.dumps({"Message": "no such key"}), kind="application/json")
        value = {"Key": key, "Value": keys[key]} if method == "GET" else {}
        raise Answer("200 OK", json.dumps({**value, **size}), etag, "application/json")

    def _cognito(self, environ: Environ) -> None:
        if environ.get("HTTP_X_AMZ_TARGET", "").endswith(".DeleteResourceServer"):
            asked = json.loads(_body(environ))
            region = environ.get("HTTP_AUTHORIZATION", "").split("/")[2]
            pools = get_backend("cognito-idp")[ACCOUNT][region]
            servers = pools.describe_user_pool(asked["UserPoolId"]).resource_servers
            if servers.pop(asked["Identifier"], None) is None:
                problem = json.dumps(
                    {"__type": "ResourceNotFoundException", "message": "The resource server does not exist"}
                )
                raise Answer("400 Bad Request", problem, kind="application/x-amz-json-1.1")
            raise Answer("200 OK", "{}", kind="application/x-amz-json-1.1")


def _complete(given: str, known: str) -> str:
    """Return the configuration that Terraform sent, plus the elements that moto added, except those in _NOT_ADDED."""
    configuration, other = _parsed(given), _parsed(known)
    _add(configuration, other)
    return ET.tostring(configuration, encoding="unicode")


def _parsed(content: str) -> ET.Element:
    return ET.fromstring(f"<DistributionConfig>{content}</DistributionConfig>")  # noqa: S314 (this XML is trusted)


def _add(given: ET.Element, known: ET.Element) -> None:
    for tag in dict.fromkeys(child.tag for child in known):
        ours, theirs = given.findall(tag), known.findall(tag)
        if not ours and tag not in _NOT_ADDED:
            given.extend(theirs)
        for one, other in zip(ours, theirs, strict=False):
            _add(one, other)


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


def _publish(name: str) -> None:
    backend = get_backend("cloudfront")[ACCOUNT]["aws"]
    function = backend.describe_function(name=name)
    summary = function.function_summary
    config = "".join(f"<{key}>{escape(summary['FunctionConfig'][key])}</{key}>" for key in ("Comment", "Runtime"))
    metadata = f"<FunctionARN>{function.arn}</FunctionARN><Stage>LIVE</Stage>"
    raise Answer(
        "200 OK",
        f"<FunctionSummary><Name>{name}</Name><Status>UNASSOCIATED</Status>"
        f"<FunctionConfig>{config}</FunctionConfig><FunctionMetadata>{metadata}</FunctionMetadata></FunctionSummary>",
        function.etag,
    )


def _policy_xml(name: str, identifier: str, config: str) -> str:
    return f"<{name}><Id>{identifier}</Id><LastModifiedTime>2026-01-01T00:00:00Z</LastModifiedTime>{config}</{name}>"


def _without_declaration(xml: str) -> str:
    return re.sub(r"<\?xml[^>]*\?>\s*", "", xml)


def _error(code: str) -> str:
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>{code}</Message></Error></ErrorResponse>"


def _without_groups(text: str) -> str:
    """Name the first origin of a group instead of the group, because moto knows only origins."""
    for group in re.findall("<OriginGroup>.*?</OriginGroup>", text, re.DOTALL):
        name, first = re.findall("<Id>([^<]*)</Id>", group)[0], re.findall("<OriginId>([^<]*)</OriginId>", group)[0]
        text = text.replace(f"<TargetOriginId>{name}</TargetOriginId>", f"<TargetOriginId>{first}</TargetOriginId>")
    return text


def _body(environ: Environ) -> str:
    """Return the request's body, and let moto read it again."""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body.decode()
