"""The sweep ends expired records in batches. Concurrent sweeps end each record only once."""

from pydoc import locate
from types import SimpleNamespace

import pytest

import app as application
from chalicelib.database.connection import forget_connections, lock_key
from chalicelib.database.roles import APP
from chalicelib.settings import settings
from chalicelib.sweep import schedule
from chalicelib.sweep.schedule import Step, SweepIncomplete
from tests.support.races import at_once, held
from tests.support.stage import SCHEDULED
from tests.support.writes import everything

LOCK = f"SELECT pg_advisory_xact_lock({lock_key('system azul')})"
DAY = 86400


def sweep(request_id="request-1"):
    """Call the function `sweep` as Lambda does; return its counts."""
    return schedule.sweep(SCHEDULED, SimpleNamespace(aws_request_id=request_id))


@pytest.fixture
def no_steps(monkeypatch):
    """Take the service's steps away, as in a service whose records never expire."""
    monkeypatch.setattr(schedule, "STEPS", {})


@pytest.fixture
def over(api, given, no_steps):
    """Make the systems azul and blue with records that have expired, and green without. A test's step ends the records.

    The records are environments, and expired ones have a rank of 100 or more.
    """
    schedule.STEPS["environments"] = Step("SELECT system_id FROM environments WHERE rank >= 100", _end)
    for system in ("azul", "blue", "green"):
        given.a_system(system)
        given.an_environment("current", system=system, rank=1)
    for rank in (100, 101, 102):
        given.an_environment(f"expired-{rank}", rank=rank)
    given.an_environment("expired", system="blue", rank=100)
    api.post("/v1/systems", {"key": "old", "name": "Old"}, idempotency_key="old")
    given.time_passes(2 * DAY)
    api.post("/v1/systems", {"key": "new", "name": "New"}, idempotency_key="new")


def _end(db, system, limit, request_id):
    return db.execute(
        """
        DELETE FROM environments WHERE id IN (
            SELECT e.id FROM environments e JOIN systems s ON s.id = e.system_id
            WHERE s.key = %(system)s AND rank >= 100 ORDER BY e.id LIMIT %(limit)s
        )
        """,
        system=system,
        limit=limit,
    )


def test_without_steps_it_deletes_only_old_idempotency_keys(api, given, no_steps):
    given.the_usual()
    api.post("/v1/systems", {"key": "blue", "name": "Blue"}, idempotency_key="old")
    given.time_passes(2 * DAY)
    api.post("/v1/systems", {"key": "green", "name": "Green"}, idempotency_key="new")
    before = everything(given)

    assert sweep() == {"idempotency_keys": 1}

    assert given.sql("SELECT key FROM idempotency_keys") == [("new",)]
    assert {**everything(given), "idempotency_keys": None} == {**before, "idempotency_keys": None}


def test_it_ends_what_has_expired_and_nothing_else(given, over):
    assert sweep() == {"environments": 4, "idempotency_keys": 1}

    assert given.sql("SELECT name FROM environments") == [("current",)] * 3
    assert given.sql("SELECT key FROM idempotency_keys") == [("new",)]


def test_a_second_sweep_changes_nothing(given, over):
    sweep()
    before = everything(given)

    assert sweep() == {"environments": 0, "idempotency_keys": 0}
    assert everything(given) == before


def test_several_sweeps_at_once_do_everything_once(given, over):
    counts = at_once(sweep, sweep, sweep)

    assert sum(each["environments"] for each in counts) == 4
    assert sum(each["idempotency_keys"] for each in counts) == 1


def test_an_empty_database_needs_no_sweep(given):
    assert set(sweep().values()) == {0}


def test_more_than_a_batch_takes_several(given, over, monkeypatch):
    monkeypatch.setattr(schedule, "BATCH", 2)
    limits = []
    step = schedule.STEPS["environments"]

    def count(db, system, limit, request_id):
        limits.append((system, limit))
        return step.end(db, system, limit, request_id)

    schedule.STEPS["environments"] = step._replace(end=count)

    assert sweep()["environments"] == 4
    assert limits == [("azul", 2), ("azul", 2), ("blue", 2)]


def test_more_than_a_batch_of_keys_takes_several(api, given, no_steps, monkeypatch):
    monkeypatch.setattr(schedule, "KEYS_BATCH", 2)
    for number in range(3):
        api.post("/v1/systems", {"key": f"s{number}", "name": "S"}, idempotency_key=str(number))
    given.time_passes(2 * DAY)

    assert sweep() == {"idempotency_keys": 3}


def test_the_steps_get_the_requests_id(given, over):
    seen = []
    step = schedule.STEPS["environments"]
    schedule.STEPS["environments"] = step._replace(end=lambda db, system, limit, id_: seen.append(id_) or 0)

    sweep("request-7")

    assert seen == ["request-7", "request-7"]


def test_the_next_sweep_continues_if_time_runs_out(given, over, monkeypatch):
    monkeypatch.setattr(schedule, "SECONDS", 0)

    assert sweep() == {"environments": 0, "idempotency_keys": 0}

    monkeypatch.setattr(schedule, "SECONDS", 60)
    assert sum(sweep().values()) == 5


def test_it_waits_for_the_systems_lock(given, over, database_url):
    with held(database_url, LOCK) as hold:
        swept = hold.waiting(sweep)
        waited = not swept.done()

    assert waited
    assert swept.result()["environments"] == 4


def test_a_key_used_again_meanwhile_keeps_its_answer(given, over, database_url):
    renewal = "UPDATE idempotency_keys SET created_at = now() WHERE key = 'old'"

    with held(database_url, renewal) as hold:
        swept = hold.waiting(sweep)
        waited = not swept.done()

    assert not waited
    assert swept.result()["idempotency_keys"] == 0
    assert given.sql("SELECT count(*) FROM idempotency_keys") == [(2,)]


def test_a_failure_in_one_system_does_not_stop_the_others(given, over, log):
    def fail(db, system, limit, request_id):
        if system == "azul":
            raise ZeroDivisionError
        return 0

    # The step before the failing one is rolled back too.
    schedule.STEPS["failing"] = Step("SELECT id FROM systems", fail)

    with pytest.raises(SweepIncomplete, match="system azul"):
        sweep("request-9")

    [failure] = [line for line in log if line["message"] == "not swept"]
    assert (failure["request_id"], failure["what"]) == ("request-9", "system azul")
    assert given.sql(
        "SELECT key, count(*) FROM environments e JOIN systems s ON s.id = system_id GROUP BY key ORDER BY key"
    ) == [("azul", 4), ("blue", 1), ("green", 1)]
    assert given.sql("SELECT count(*) FROM idempotency_keys") == [(1,)]


def test_the_log_has_the_counts(given, over, log):
    sweep("request-1")

    [line] = log
    assert (line["message"], line["request_id"]) == ("swept", "request-1")
    assert line["swept"] == {"environments": 4, "idempotency_keys": 1}


def test_a_sweep_counts_if_it_ran_to_its_end(given, over, log):
    sweep()
    schedule.STEPS["failing"] = Step("SELECT id FROM systems", lambda *_: 1 / 0)
    with pytest.raises(SweepIncomplete):
        sweep()

    assert [line.get("sweeps") for line in log if line["message"] == "swept"] == [1, None]


def test_a_sweep_without_a_database_counts_the_failure(log, stage, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")
    settings.cache_clear()
    forget_connections()

    with pytest.raises(SweepIncomplete, match="idempotency keys"):
        sweep()

    swept = log[-1]
    assert (swept["level"], swept["database_failures"] > 0, "sweeps" in swept) == ("ERROR", True, False)


def test_it_has_only_the_services_rights(given, over):
    given.sql(f"REVOKE DELETE ON idempotency_keys FROM {APP}")

    with pytest.raises(SweepIncomplete, match="idempotency keys"):
        sweep()


def test_lambda_calls_it_on_schedule():
    [event] = [each for each in application.app.event_sources if each.name == "sweep"]

    assert locate(event.handler_string) is schedule.sweep
