"""Each request leaves one log line. It says what happened and carries metrics, but has no secret or personal data."""

import json
import re

import msgspec
import pytest

import app as application
from chalicelib.database.connection import forget_connections
from chalicelib.rest import observing
from chalicelib.settings import settings
from chalicelib.systems import store as systems
from chalicelib.telemetry import logs, tracing
from tests.support.api import ROUTES
from tests.support.operations import OPERATIONS, address, example
from tools.local.gateway_event import gateway_event

SYSTEM = "/v1/systems/azul"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2VjcmV0"
SECRETS = ("jane.doe@example.org", TOKEN)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HEADERS = (
    *("Authorization", "Cookie", "Forwarded", "Idempotency-Key", "If-Match", "If-None-Match", "Referer", "User-Agent"),
    *("X-Amzn-Trace-Id", "X-Forwarded-For", "X-Request-Id", "baggage", "traceparent", "tracestate"),
)


@pytest.fixture(autouse=True)
def warm(monkeypatch):
    monkeypatch.setattr(observing, "_is_cold", False)


def test_a_request_leaves_one_line_with_its_ids(api, given, log):
    given.a_system()
    log.clear()

    answer = api.as_("viewer").get(SYSTEM, traceparent=TRACEPARENT, baggage="team=blue,user=jane%40example.org")

    [line] = log
    assert line.keys() - {"_aws", "latency", "statements_time"} <= logs.FIELDS.keys() | {
        "class",
        "requests",
        "server_errors",
    }
    assert {name: line[name] for name in ("level", "operation", "system", "principal", "status", "statements")} == {
        "level": "INFO",
        "operation": "get_system",
        "system": "azul",
        "principal": "local",
        "status": 200,
        "statements": 1,
    }
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert (line["traceparent"], line["baggage"]) == (TRACEPARENT, "team=blue,user=[removed]")
    assert (line["requests"], line["server_errors"]) == (1, 0)
    assert line["latency"] >= line["statements_time"] > 0


def test_the_line_says_which_deployment_runs_and_which_trace(api, given, log, monkeypatch):
    monkeypatch.setenv("SLIPWAY_PACKAGE", f"sha256:{'5b678574' * 8}")
    monkeypatch.setenv("SLIPWAY_WORKSPACE", "fix-42")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-68f0c2a5-5d1f7a5c0d3b6e4f2a1b3c4d;Sampled=0")
    monkeypatch.setattr(tracing, "_is_lambda", True)
    logs.place.cache_clear()

    api.get(f"{SYSTEM}/environments/none")

    [line] = log
    assert (line["environment"], line["workspace"], line["deployment"]) == ("local", "fix-42", "5b6785745b67")
    assert line["trace_id"] == "1-68f0c2a5-5d1f7a5c0d3b6e4f2a1b3c4d"
    assert (line["status"], line["problem"]) == (404, "not-found")


@pytest.mark.parametrize("sent", [f"{TRACEPARENT}x", TRACEPARENT.upper(), "x" * 55])
def test_a_traceparent_in_another_form_is_not_logged(api, log, sent):
    api.get("/v1/health", traceparent=sent)

    assert "traceparent" not in log[0]


def test_baggage_is_bounded(api, log):
    api.get("/v1/health", baggage=",".join(["team=blue"] * 1000))

    assert len(log[0]["baggage"]) == 500


def test_a_cold_start_counts_once(api, log, monkeypatch):
    monkeypatch.setattr(observing, "_is_cold", True)

    for _ in range(2):
        api.get("/v1/health")

    assert [line.get("cold_starts") for line in log] == [1, None]


def test_a_slow_request_is_a_warning_with_its_slowest_statement(api, given, log, monkeypatch):
    given.a_system()
    log.clear()
    monkeypatch.setattr(observing, "SLOW_MILLISECONDS", 0)

    api.get(SYSTEM)

    [line] = log
    assert line["level"] == "WARNING"
    assert re.match("SELECT .* FROM systems", line["statement"])
    assert "azul" not in line["statement"]


def test_a_failed_statement_is_named_without_its_values(api, given, log):
    given.a_system()
    given.sql("ALTER TABLE systems RENAME COLUMN description TO about")
    log.clear()

    assert api.get(SYSTEM).status == 503

    [line] = log
    assert (line["level"], line["server_errors"], line["database_failures"]) == ("ERROR", 1, 1)
    assert "description" in line["reason"]
    assert "WHERE" in line["statement"]
    assert "azul" not in json.dumps([line["reason"], line["statement"]])


def test_a_database_that_does_not_answer_is_counted(api, log, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://app:s3cr3t@127.0.0.1:1/none")
    settings.cache_clear()
    forget_connections()

    assert api.get("/v1/systems").status == 503

    [line] = log
    assert (line["status"], line["problem"], line["database_failures"]) == (503, "unavailable", 1)
    assert "s3cr3t" not in json.dumps(line)


def with_secrets(value, secret):
    """Return a JSON value with the secret in place of each text."""
    if isinstance(value, dict):
        return {name: with_secrets(each, secret) for name, each in value.items()}
    if isinstance(value, list):
        return [with_secrets(each, secret) for each in value]
    return secret if isinstance(value, str) else value


def events(operation, secret, claims):
    """Yield events of requests to an operation, with the secret in each place that a caller chooses."""
    quoted = secret.replace("@", "%40")
    fields = [field.encode_name for field in msgspec.structs.fields(operation.query)] if operation.query else []
    queries = ["", *(f"{name}={quoted}" for name in [*fields, "unknown"])]
    body = example(operation)
    bodies = [None] if body is None else [body, {**body, secret: 1}, with_secrets(body, secret), secret]
    for path in (address(operation).partition("?")[0], re.sub(r"\{\w+\}", quoted, operation.path)):
        for query in queries:
            for each in bodies:
                headers = {**dict.fromkeys(HEADERS, secret), "Content-Type": "application/json"}
                text = each if each is None or isinstance(each, str) else json.dumps(each)
                target = f"{path}?{query}" if query else path
                yield gateway_event(ROUTES, operation.method, target, headers.items(), text, claims=claims)


@pytest.mark.parametrize("secret", SECRETS)
def test_no_field_of_a_request_brings_a_secret_into_the_log(api, given, log, secret, capfd):
    given.two_of_everything()
    log.clear()
    claims = {**api.claims, "sub": secret, "email": secret, "name": secret, "actor": secret, "run_id": secret}

    sent = [application.app(event, None) for each in OPERATIONS for event in events(each, secret, claims)]

    assert len([line for line in log if line["message"] == "request"]) == len(sent)
    assert {answer["statusCode"] for answer in sent} >= {200, 400, 404, 422}
    assert secret not in json.dumps(log)
    assert all(line.keys() - dimensions(line) <= logs.FIELDS.keys() | {"_aws"} for line in log)
    assert secret not in capfd.readouterr().out


def dimensions(line):
    """Return the names of the metrics in a line and of their dimensions."""
    described = line.get("_aws", {}).get("CloudWatchMetrics", [])
    return {each["Name"] for one in described for each in one["Metrics"]} | {
        name for one in described for names in one["Dimensions"] for name in names
    }


@pytest.mark.parametrize("secret", SECRETS)
def test_no_exception_brings_a_secret_into_the_log(api, log, monkeypatch, secret):
    def casts(db, new):
        return db.value("SELECT %(name)s::integer", name=new.name)

    def misses(db, new):
        return {}[new.name]

    def injects(db, new):
        return db.value(new.name)

    for insert in (casts, misses, injects):
        monkeypatch.setattr(systems, "insert", insert)
        api.post("/v1/systems", {"key": "azul", "name": secret})

    assert [line["status"] for line in log] == [422, 500, 500]
    assert secret not in json.dumps([{**line, "statement": ""} for line in log])  # the last one is an injection
    assert log[1]["exception"].endswith("builtins.KeyError")
    assert log[2]["exception"].endswith("psycopg2.errors.SyntaxError")
