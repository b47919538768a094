"""Answer the requests that Terraform needs and moto can't answer as AWS does.

Other requests go to moto unchanged. When moto answers a request well, delete the answer here.
"""

import io
import json
import re
import sys
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from moto.backends import get_backend

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


class GapsFilled:
    """moto's application, with the answers that moto lacks. `note` gets each request before it is answered."""

    def __init__(self, moto: Application, note: Callable[[Environ], None] = lambda _: None) -> None:
        self._moto = moto
        self._note = note
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
        self._note(environ)
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
