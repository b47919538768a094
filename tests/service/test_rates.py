"""In an hour, the requests of a caller may leave a limited number of records (chalicelib/rest/rates.py)."""

from tests.support.claims import PEOPLE
from tests.support.races import at_once, statuses
from tests.support.sample import A_DENIED_VOYAGE, A_REFUSED_VOYAGE, A_VOYAGE, VOYAGES
from tests.support.writes import everything

SYSTEM = "/v1/systems/azul"
HOUR_SECONDS = 3600


def _is_refused(answer):
    assert (answer.status, answer.problem) == (429, "too-many-writes")
    assert 1 <= int(answer.headers["Retry-After"]) <= HOUR_SECONDS


def test_a_write_beyond_the_rate_changes_nothing(given, sample, rate):
    given.a_system_with_an_environment()
    rate(2)
    pipeline = sample.as_("pipeline")
    begun = [pipeline.post(VOYAGES, A_VOYAGE) for _ in range(2)]
    before = everything(given)

    for method, path, body in (("POST", VOYAGES, A_VOYAGE), ("POST", VOYAGES, A_DENIED_VOYAGE)):
        _is_refused(pipeline.send(method, path, body, {"idempotency_key": "one"}))

    assert statuses(begun) == {201: 2}
    assert everything(given) == before


def test_patches_and_deletions_count_too(api, given, rate):
    given.a_system_with_an_environment()
    given.an_environment("testing")
    maintainer = api.as_("maintainer")
    rate(2)

    answers = [
        maintainer.patch(SYSTEM, {"name": "Blue"}, if_match="*"),
        maintainer.delete(f"{SYSTEM}/environments/testing", if_match="*"),
    ]

    assert [answer.status for answer in answers] == [200, 204]
    _is_refused(maintainer.patch(SYSTEM, {"name": "Green"}, if_match="*"))
    assert api.get(SYSTEM)["name"] == "Blue"


def test_refusals_are_not_recorded_beyond_the_rate(api, given, sample, rate):
    given.a_system_with_an_environment()
    rate(2)
    viewer = api.as_("viewer")
    forbidden = [viewer.patch(SYSTEM, {"name": "Blue"}, if_match="*") for _ in range(2)]
    before = everything(given)

    _is_refused(viewer.patch(SYSTEM, {"name": "Blue"}, if_match="*"))
    assert sample.as_("pipeline").post(VOYAGES, A_REFUSED_VOYAGE).problem == "icebound"

    assert [answer.problem for answer in forbidden] == ["forbidden"] * 2
    assert len(everything(given)["audit_events"]) == len(before["audit_events"]) + 1


def test_refusals_and_writes_do_not_use_each_other_up(given, sample, rate):
    given.a_system_with_an_environment()
    rate(2)
    pipeline = sample.as_("pipeline")
    begun = [pipeline.post(VOYAGES, A_VOYAGE) for _ in range(2)]
    _is_refused(pipeline.post(VOYAGES, A_VOYAGE))
    another = sample.as_("pipeline", sub="another")
    refused = [another.post(VOYAGES.replace("azul", "blue"), A_VOYAGE) for _ in range(2)]
    _is_refused(another.post(VOYAGES.replace("azul", "blue"), A_VOYAGE))

    assert [each.status for each in begun] == [201, 201]
    assert pipeline.post(VOYAGES.replace("azul", "blue"), A_VOYAGE).problem == "forbidden"
    assert [each.problem for each in refused] == ["forbidden"] * 2
    assert another.post(VOYAGES, A_VOYAGE).status == 201


def test_reads_stored_answers_that_are_repeated_and_invalid_requests_do_not_count(given, sample, rate):
    given.a_system_with_an_environment()
    pipeline = sample.as_("pipeline")
    rate(2)
    pipeline.post(VOYAGES, A_VOYAGE, idempotency_key="one")

    for _ in range(3):
        assert pipeline.get(VOYAGES).status == 200
        assert pipeline.post(VOYAGES, A_VOYAGE, idempotency_key="one").status == 201
        assert pipeline.post(VOYAGES, {}).problem == "invalid"

    assert pipeline.post(VOYAGES, A_VOYAGE).status == 201
    assert pipeline.post(VOYAGES, A_VOYAGE, idempotency_key="one").status == 201
    _is_refused(pipeline.post(VOYAGES, A_VOYAGE))


def test_each_caller_has_its_own_count(given, sample, rate):
    given.a_system_with_an_environment()
    rate(1)
    callers = [
        sample.as_("pipeline"),
        sample.as_("pipeline", sub="another"),
        sample.as_member("azul-pipelines", sub="pipeline@local"),
    ]

    assert [caller.post(VOYAGES, A_VOYAGE).status for caller in callers] == [201] * 3
    for caller in callers:
        _is_refused(caller.post(VOYAGES, A_VOYAGE))
    assert given.sql("SELECT writer, writes FROM hourly_writes WHERE issuer = %s", PEOPLE) == [("pipeline@local", 1)]


def test_the_runs_of_a_publisher_are_counted_together(given, sample, rate):
    given.a_system_with_an_environment()
    given.a_publisher()
    given.a_publisher(repository_id="75")
    rate(2)

    assert sample.as_run().post(VOYAGES, A_VOYAGE).status == 201
    assert sample.as_run(run_id="4712", environment=None, sub="another").post(VOYAGES, A_VOYAGE).status == 201
    _is_refused(sample.as_run(run_id="4713", run_attempt="2").post(VOYAGES, A_VOYAGE))
    assert sample.as_run(repository_id="75").post(VOYAGES, A_VOYAGE).status == 201


def test_a_preview_uses_up_nothing_of_the_pipeline_that_deploys(given, sample, rate):
    given.a_system_with_an_environment()
    given.a_publisher(environments={"development": "development"})
    given.a_publisher(environments={"development": "previews"})
    rate(2)
    preview, deploying = sample.as_run(environment="previews"), sample.as_run(environment="development")

    for body in (A_VOYAGE, A_REFUSED_VOYAGE):
        answers = [preview.post(VOYAGES, body) for _ in range(3)]
        assert [answer.status for answer in answers] == [201 if body is A_VOYAGE else 409] * 2 + [429]

    assert [deploying.post(VOYAGES, A_VOYAGE).status for _ in range(2)] == [201] * 2
    assert deploying.post(VOYAGES, A_REFUSED_VOYAGE).problem == "icebound"


def test_a_job_gets_no_count_by_a_github_environment_that_no_publisher_names(given, sample, rate):
    given.a_system_with_an_environment()
    given.a_publisher()
    rate(1)

    assert sample.as_run(environment=None).post(VOYAGES, A_VOYAGE).status == 201
    for name in ("made-up", "another"):
        _is_refused(sample.as_run(environment=name).post(VOYAGES, A_VOYAGE))


def test_the_count_starts_again_after_an_hour(given, sample, rate):
    given.a_system_with_an_environment()
    rate(1)
    pipeline = sample.as_("pipeline")
    pipeline.post(VOYAGES, A_VOYAGE)
    _is_refused(pipeline.post(VOYAGES, A_VOYAGE))

    given.time_passes(HOUR_SECONDS)

    assert pipeline.post(VOYAGES, A_VOYAGE).status == 201
    _is_refused(pipeline.post(VOYAGES, A_VOYAGE))


def test_of_many_writes_at_once_as_many_as_allowed_succeed(given, sample, rate):
    given.a_system_with_an_environment()
    rate(5)

    answers = at_once(*[lambda: sample.as_("pipeline").post(VOYAGES, A_VOYAGE)] * 12)

    assert statuses(answers) == {201: 5, 429: 7}
    assert given.sql("SELECT count(*) FROM voyages") == [(5,)]


def test_a_caller_without_a_role_is_not_counted(api, given, rate):
    given.a_system()
    rate(1)

    answers = [api.as_run(repository_id="75").patch(SYSTEM, {}, if_match="*") for _ in range(3)]

    assert [answer.problem for answer in answers] == ["forbidden"] * 3
