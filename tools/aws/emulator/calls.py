"""Write each call to the emulated account into a file. The account allows every call, so a test judges them later.

The id of the access key names the caller: see `access_key` of tools/local/emulation.py.
"""

import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import UnknownServiceError
from moto.backends import get_backend
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.resource_tagging import iter_taggable_backends
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from tools.local.emulation import ACCOUNT, REGION

_SIGNED = re.compile(r"Credential=([^/,]+)/\d{8}/(?:([a-z0-9-]+)/)?([a-z0-9-]+)/aws4_request")
# Services that sign with another name than the one that botocore gives them.
_SIGNED_AS = {
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "tagging": "resourcegroupstaggingapi",
}
# Longer texts, such as the document of an API, say nothing about permissions.
_LONGEST = 20_000


class Calls:
    """The file. Call `note` before the request is answered: the tags are those that the resources have then."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def note(self, environ: dict[str, Any]) -> None:
        """Add a line to the file: the caller, the operation, its parameters, and tags of resources that it names."""
        if signed := _SIGNED.search(environ.get("HTTP_AUTHORIZATION", "")):
            with self._file.open("a") as file:
                file.write(json.dumps(_call(environ, *signed.groups()), default=str) + "\n")


def _call(environ: dict[str, Any], caller: str, region: str | None, signed: str) -> dict[str, Any]:
    service, region = _SIGNED_AS.get(signed, signed), region or REGION
    request = Request({**environ, "wsgi.input": io.BytesIO(_body(environ))})
    call = {"caller": caller, "service": service, "region": region, "http": [request.method, request.raw_path]}
    try:
        operation, in_path = get_service_router(service).match(request)
    except (NotFound, UnknownServiceError):
        return {**call, "operation": f"{request.method} {request.raw_path}", "parameters": {}, "tags": {}}
    protocol = determine_request_protocol(get_service_model(service), request.content_type)
    body = b"" if _is_file(operation.input_shape) else request.data
    parameters = PROTOCOL_PARSERS[protocol](operation).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": body,
            "url_path": request.path,
            "url_params": in_path,
        }
    )
    parameters = _short(parameters)
    named = json.dumps([parameters, request.raw_path], default=str)
    tags = {id_: tags for id_, tags in _tagged(service, region) if re.split("[:/]", id_)[-1] in named}
    return {**call, "operation": operation.name, "parameters": parameters, "tags": tags}


def _tagged(service: str, region: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the ARN, or EC2's id, and the tags of each resource of a service, and of each key.

    The association of a route table has the tags of the table.
    """
    # moto's own list lacks these, or a part of them.
    if service == "ec2":
        network = get_backend("ec2")[ACCOUNT][region]
        yield from network.tags.items()
        for table in network.route_tables.values():
            yield from ((each, network.tags[table.id]) for each in table.all_associations_ids)
    if service == "cognito-idp":
        pools = get_backend("cognito-idp")[ACCOUNT][region].user_pools.values()
        yield from ((pool.arn, pool.extended_config.get("UserPoolTags") or {}) for pool in pools)
    if service in ("apigateway", "wafv2"):
        apis = get_backend("apigateway")[ACCOUNT][region].apis.items()
        yield from ((f"arn:aws:apigateway:{region}::/restapis/{id_}", api.tags or {}) for id_, api in apis)
    for backend in iter_taggable_backends(ACCOUNT, region):
        if backend.SERVICE_NAMESPACE in {service, "kms"} - {"ec2"}:
            yield from ((each.arn, each.tags) for each in backend.iter_tagged_resources())


def _is_file(shape: Any) -> bool:
    """True if the request's body is the content of a file, or a function's input."""
    payload = shape.serialization.get("payload") if shape else None
    return payload is not None and shape.members[payload].type_name == "blob"


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _short(each) for key, each in value.items() if not isinstance(each, bytes)}
    if isinstance(value, list):
        return [_short(each) for each in value]
    return value[:_LONGEST] if isinstance(value, str) else value


def _body(environ: dict[str, Any]) -> bytes:
    """Return the request's body, and let moto read it again. Chunks have no length: leave them to moto."""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if body:
        environ["wsgi.input"] = io.BytesIO(body)
    return body
