"""Bindings and crosstalk: rule 9 of docs/registry/rules.md."""

import pytest

from chalicelib.bindings.model import MOST_BINDINGS, MOST_SHOWN
from chalicelib.database.connection import lock_key
from chalicelib.identity.roles import Role
from tests.service.bindings.records import QUEUE, a_binding
from tests.support.expected import WHOLE, Expected, Write
from tests.support.largest import copy
from tests.support.races import held, statuses

OTHER_QUEUE = "arn:aws:sqs:eu-central-1:111122223333:other"


def _replaces_bindings(given):
    given.a_system_with_an_environment()
    path = "/v1/systems/azul/environments/development/bindings"
    body = {"bindings": [a_binding()], "dry_run": False}
    return Write(path, "azul/development/bindings", body, {**body, "bindings": [a_binding(OTHER_QUEUE)]})


def _two(given, system):
    both = a_binding(), a_binding("https://pay.example.org", dependency="payments")
    for environment in ("development", "production"):
        given.bindings(*both, environment=environment, system=system)


EXPECTED = Expected(
    roles={
        "GET /v1/systems/{system}/environments/{environment}/bindings": Role.viewer,
        "PUT /v1/systems/{system}/environments/{environment}/bindings": Role.pipeline,
        "GET /v1/systems/{system}/crosstalk": Role.viewer,
        "GET /v1/crosstalk": Role.viewer,
    },
    rights={
        "bindings": {"SELECT": WHOLE, "INSERT": WHOLE, "UPDATE": "instance access exclusive", "DELETE": WHOLE},
    },
    out_of_reach={
        "bindings_once": "a write changes the existing row",
        "bindings_end_with_environment": "replacing bindings and deleting the environment wait for each other",
    },
    writes={"PUT /v1/systems/{system}/environments/{environment}/bindings": _replaces_bindings},
    two=_two,
)


def path(environment="development", system="azul"):
    return f"/v1/systems/{system}/environments/{environment}/bindings"


def put(api, *bindings, environment="development", system="azul", if_match="*", **fields):
    body = {"bindings": bindings, **fields}
    return api.send("PUT", path(environment, system), body, {"if_match": if_match})


def shared(answer):
    """Return the environments that each instance with crosstalk is bound to."""
    return {each["instance"]: [use["environment"] for use in each["bindings"]] for each in answer.json["crosstalk"]}


def two_systems(given):
    given.the_usual()
    given.a_system("blue")
    given.an_environment("live", system="blue")


def test_bindings_are_replaced_and_read(api, given):
    given.the_usual()
    first = put(api, a_binding(), a_binding("https://pay.example.org", dependency="payments", access="read_only"))

    changed = put(api, a_binding(OTHER_QUEUE), if_match=first.headers["ETag"])
    read = api.as_("viewer").get(path())

    assert (first.status, changed.status) == (200, 200)
    assert [each["dependency"] for each in first["bindings"]] == ["orders", "payments"]
    assert changed.json == {
        "system": "azul",
        "environment": "development",
        "bindings": [a_binding(OTHER_QUEUE)],
        "crosstalk": [],
    }
    assert (read.json, read.headers["ETag"]) == (changed.json, changed.headers["ETag"])
    assert put(api, if_match=first.headers["ETag"]).problem == "precondition-failed"
    assert put(api)["bindings"] == []


def test_two_environments_that_write_to_one_queue_are_crosstalk(api, given):
    given.the_usual()
    given.bindings(a_binding(access="read_only"), environment="preproduction")

    answer = put(api, a_binding(), a_binding(OTHER_QUEUE, dependency="returns"))

    assert shared(answer) == {QUEUE: ["development", "preproduction"]}
    assert shared(api.get(path("preproduction"))) == shared(answer)
    for listed in (api.get("/v1/systems/azul/crosstalk"), api.get("/v1/crosstalk")):
        assert [each["instance"] for each in listed["items"]] == [QUEUE]
    assert [each["instance"] for each in api.get("/v1/crosstalk?all=true")["items"]] == [QUEUE, OTHER_QUEUE]


def test_readers_and_the_dependencies_of_one_environment_share_an_instance_without_crosstalk(api, given):
    given.the_usual()
    for environment in ("development", "preproduction"):
        given.bindings(a_binding(access="read_only"), environment=environment)
    given.bindings(a_binding(OTHER_QUEUE), a_binding(OTHER_QUEUE, dependency="returns"), environment="production")

    assert api.get("/v1/crosstalk")["items"] == []
    assert [each["crosstalk"] for each in api.get("/v1/systems/azul/crosstalk?all=true")["items"]] == [False, False]


@pytest.mark.parametrize(
    ("existing", "new", "refused"),
    [
        ({"exclusive": True}, {"access": "read_only"}, True),
        ({"access": "read_only"}, {"exclusive": True}, True),
        ({}, {"access": "read_only", "exclusive": True}, True),
        ({"access": "read_only", "exclusive": True}, {}, True),
        ({"access": "read_only", "exclusive": True}, {"access": "read_only", "exclusive": True}, False),
        ({}, {}, False),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_crosstalk_is_refused_if_either_binding_is_exclusive(api, given, existing, new, refused, dry_run):
    given.the_usual()
    given.bindings(a_binding(**existing), environment="production")

    answer = put(api, a_binding(OTHER_QUEUE, dependency="returns"), a_binding(**new), dry_run=dry_run)

    assert answer.status == (409 if refused else 200)
    if refused:
        assert answer.problem == "crosstalk-refused"
        assert "production of azul" in answer["detail"]
        assert [fault["pointer"] for fault in answer["errors"]] == ["#/bindings/1"]
    assert api.get(path())["bindings"] == [] or not (refused or dry_run)


def test_another_environment_is_exclusive_by_one_binding_and_writes_by_another(api, given):
    given.the_usual()
    claim = a_binding(access="read_only", exclusive=True)
    given.bindings(claim, a_binding(dependency="writer"), environment="production")

    answer = put(api, a_binding(access="read_only"))

    assert answer.problem == "crosstalk-refused"
    assert "production of azul writes to it, and a binding of production of azul is exclusive" in answer["detail"]


def test_a_dry_run_answers_what_would_be_and_changes_nothing(api, given):
    given.the_usual()
    given.bindings(a_binding(access="read_only"), environment="preproduction")
    given.bindings(a_binding(OTHER_QUEUE))
    events = given.sql("SELECT count(*) FROM audit_events")

    answer = put(api, a_binding(), dry_run=True)
    given.sql("UPDATE bindings SET exclusive = true WHERE access = 'read_only'")
    refused = put(api, a_binding(), dry_run=True)

    assert shared(answer) == {QUEUE: ["development", "preproduction"]}
    assert refused.problem == "crosstalk-refused"
    assert api.get(path())["bindings"] == [a_binding(OTHER_QUEUE)]
    assert given.sql("SELECT count(*) FROM audit_events") == events


def test_environments_of_two_systems_are_crosstalk_too(api, given):
    two_systems(given)
    given.bindings(a_binding(), environment="live", system="blue")

    found = put(api, a_binding())
    refused = put(api, a_binding(exclusive=True))

    assert [(use["system"], use["environment"]) for use in found["crosstalk"][0]["bindings"]] == [
        ("azul", "development"),
        ("blue", "live"),
    ]
    assert "live of blue" in refused["detail"]


def test_a_pipeline_learns_no_name_of_a_system_that_does_not_trust_it(api, given):
    two_systems(given)
    given.a_publisher(kinds=["bindings"])
    run = api.as_run()
    given.bindings(a_binding(), environment="live", system="blue")

    found = put(run, a_binding())
    refused = put(run, a_binding(exclusive=True))
    lists = [run.get(f"{address}?all=true") for address in ("/v1/systems/azul/crosstalk", "/v1/crosstalk")]

    uses = found["crosstalk"][0]["bindings"]
    assert [(use["system"], use["environment"], use["dependency"]) for use in uses] == [
        ("azul", "development", "orders"),
        (None, None, None),
    ]
    assert refused.problem == "crosstalk-refused"
    for answer in (found, refused, *lists):
        assert not {"blue", "live"} & {*answer.body.replace('"', " ").split()}
    [event] = given.sql(
        "SELECT before::text || after::text FROM audit_events WHERE principal LIKE 'repo:%' AND refusal IS NULL"
    )
    assert "crosstalk" not in event[0]


def test_a_pipeline_lists_no_instance_that_only_others_use(api, given):
    two_systems(given)
    given.a_publisher(kinds=["bindings"])
    given.bindings(a_binding(), environment="live", system="blue")

    assert api.as_run().get("/v1/crosstalk?all=true")["items"] == []
    assert len(api.get("/v1/crosstalk?all=true")["items"]) == 1


def test_maintainers_write_bindings_and_pipelines_with_a_publisher_for_them(api, given):
    given.the_usual()
    given.a_publisher(kinds=["deployments", "verifications", "workspaces"])

    refused = [
        put(api.as_("viewer"), a_binding()),
        put(api.as_("maintainer", of="blue"), a_binding()),
        put(api.as_run(), a_binding()),
    ]
    given.a_publisher(kinds=["bindings"])

    assert [answer.problem for answer in refused] == ["forbidden"] * 3
    assert put(api.as_run(), a_binding()).status == 200
    assert put(api.as_run(), a_binding(), environment="production").problem == "forbidden"
    assert put(api.as_("maintainer"), a_binding(), environment="production").status == 200


@pytest.mark.parametrize(
    "instance",
    [
        "orders",
        "http://pay.example.org",
        "https://Pay.example.org",
        "https://pay.example.org/",
        "https://pay.example.org:443/v1",
        "https://user:secret@pay.example.org",
        "https://pay.example.org?key=secret",
        "https://pay.example.org/a/../b",
        "ws://pay.example.org",
        "amqp://broker.example.org",
        "redis://cache.example.org",
        "amqps://broker.example.org:5671",
        "postgresql://db.example.org:5432/orders",
        "postgresql+psycopg://db.example.org/orders",
        "https://sqs.eu-central-1.amazonaws.com/111122223333/orders",
        "https://eu-central-1.queue.amazonaws.com/111122223333/orders",
        "https://orders.s3.eu-central-1.amazonaws.com",
        "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/orders",
        "https://sqs.eusc-de-east-1.amazonaws.eu/111122223333/orders",
        "https://sqs.eu-central-1.api.aws/111122223333/orders",
        "s3://orders",
        "postgres://db.example.org:5432/orders",
        "arn:aws:sqs:eu-central-1:1111:orders",
        "arn:aws:sqs:eu-central-1::orders",
        "arn:aws:sqs::111122223333:orders",
        "arn:aws:sqs:eu-central-1:111122223333:orders/",
        "arn:aws:sqs:eu-central-1:111122223333:*",
        "arn:aws:sqs:eu-central-1:111122223333:order?",
        "arn:aws:s3:eu-central-1:111122223333:orders",
        "arn:aws:s3:::orders/",
        "arn:awsome:s3:::orders",
        "https://pay.example.org\n",
        f"https://{'x' * 493}",
    ],
)
def test_another_spelling_of_an_instance_is_refused(api, given, instance):
    given.the_usual()

    answer = put(api, a_binding(), a_binding(instance, dependency="returns"))

    assert (answer.status, answer.problem) == (422, "invalid")
    assert [fault["pointer"] for fault in answer["errors"]] == ["#/bindings/1/instance"]


@pytest.mark.parametrize(
    "instance",
    [
        "arn:aws:s3:::orders",
        "arn:aws:events:eu-central-1:111122223333:event-bus/orders",
        "arn:aws-cn:sqs:cn-north-1:111122223333:orders.fifo",
        "arn:aws-eusc:sqs:eusc-de-east-1:000022223333:orders",
        "arn:aws:logs:eu-central-1:111122223333:log-group:/orders#returns",
        "arn:aws:states:eu-central-1:111122223333:stateMachine:orders(new)!",
        "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf123",
        "https://sqs.example.org:8443/v1/orders",
        "arn:aws:logs:eu-central-1:111122223333:log-group:/orders/live",
        "postgresql://db.example.org:6432/orders",
        "amqps://broker.example.org",
    ],
)
def test_an_instance_is_an_arn_or_a_url(api, given, instance):
    given.the_usual()

    assert put(api, a_binding(instance))["bindings"] == [a_binding(instance)]


def test_bindings_out_of_bounds_are_refused(api, given):
    given.the_usual()
    many = [a_binding(dependency=f"d{number}") for number in range(MOST_BINDINGS + 1)]

    assert put(api, *many).status == 422
    assert put(api, *many[1:]).status == 200
    assert put(api, a_binding(), a_binding())["errors"][0]["pointer"] == "#/bindings/1/dependency"
    assert put(api, environment="nowhere").problem == "not-found"
    assert put(api, system="green").problem == "not-found"


def test_an_environment_takes_its_bindings_along(api, given):
    given.the_usual()
    given.bindings(a_binding(exclusive=True))

    deleted = api.delete("/v1/systems/azul/environments/development", if_match="*")
    given.an_environment("development")

    assert deleted.status == 204
    assert api.get(path())["bindings"] == []
    assert put(api, a_binding(), environment="preproduction").status == 200


def test_a_system_takes_the_bindings_of_its_environments_along(api, given):
    two_systems(given)
    given.bindings(a_binding(exclusive=True), environment="live", system="blue")

    deleted = api.delete("/v1/systems/blue", if_match="*")

    assert deleted.status == 204
    assert given.sql("SELECT count(*) FROM bindings") == [(0,)]


def test_an_answer_names_a_bounded_number_of_bindings(api, given):
    given.a_system_with_an_environment()
    given.sql(
        "INSERT INTO environments (system_id, name, rank, production, required_soak_seconds, required_suites)"
        f" SELECT 1, 'e' || n, n + 1, false, 0, '{{}}' FROM generate_series(1, {MOST_SHOWN}) AS n"
    )
    given.bindings(a_binding())
    others = ", environments e WHERE e.name LIKE 'e_%'"
    copy(given, "bindings", others, environment_id="e.id")

    [item] = api.get("/v1/crosstalk")["items"]

    assert (len(item["bindings"]), item["more_bindings"]) == (MOST_SHOWN, True)


def test_crosstalk_is_listed_in_pages(api, given):
    given.the_usual()
    instances = [f"arn:aws:sqs:eu-central-1:111122223333:q{number}" for number in range(5)]
    for environment in ("development", "production"):
        given.bindings(
            *(a_binding(each, dependency=f"d{index}") for index, each in enumerate(instances)), environment=environment
        )

    for address in ("/v1/crosstalk", "/v1/systems/azul/crosstalk"):
        found, cursor = [], ""
        while cursor is not None:
            page = api.get(f"{address}?limit=2{cursor}")
            found += [each["instance"] for each in page["items"]]
            cursor = f"&cursor={page['next']}" if page["next"] else None
        assert found == instances


def test_one_of_several_bindings_that_would_be_refused_crosstalk_together_wins(api, given, database_url):
    two_systems(given)
    both = a_binding(exclusive=True), a_binding(OTHER_QUEUE, dependency="returns", exclusive=True)
    targets = [("azul", "development", both), ("azul", "production", both[::-1]), ("blue", "live", both[::-1])]

    # Requests may read bindings, but write none before the block ends.
    with held(database_url, "LOCK TABLE bindings IN SHARE MODE") as hold:
        waiting = [
            hold.waiting(lambda system=system, name=name, them=them: put(api, *them, system=system, environment=name))
            for system, name, them in targets
        ]

    assert statuses([each.result() for each in waiting]) == {200: 1, 409: 2}
    assert given.sql("SELECT count(DISTINCT environment_id), count(*) FROM bindings") == [(1, 2)]


def test_a_binding_waits_for_others_to_the_same_instance_and_decides_by_them(api, given, database_url):
    two_systems(given)
    given.a_system("green")
    given.an_environment("live", system="green")
    given.bindings(a_binding(OTHER_QUEUE), environment="live", system="blue")
    other = f"SELECT pg_advisory_xact_lock({lock_key(f'instance {QUEUE}')}); UPDATE bindings SET instance = '{QUEUE}'"

    with held(database_url, other) as hold:
        waiting = hold.waiting(lambda: put(api, a_binding(exclusive=True)))
        waited = not waiting.done()
        apart = put(api, a_binding(OTHER_QUEUE), environment="live", system="green")

    assert (waited, waiting.result().problem, apart.status) == (True, "crosstalk-refused", 200)
