"""The function `sweep`. It runs hourly in production. Elsewhere it runs daily, so that an idle database can pause."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from chalice.app import Blueprint

from chalicelib.database.connection import Database, database
from chalicelib.database.roles import own_settings_deleted
from chalicelib.rest import idempotency
from chalicelib.settings import Aurora, settings
from chalicelib.sweep import store
from chalicelib.systems import store as systems
from chalicelib.telemetry import logs, metrics
from chalicelib.telemetry.logs import configure, logger
from chalicelib.telemetry.metrics import Metric, Sample

blueprint = Blueprint(__name__)

# `chalice package` imports this module with the environment variables of the stage.
EVERY = "rate(1 hour)" if os.environ.get("SLIPWAY_STAGE") == "production" else "rate(1 day)"

# The most rows of a kind that one transaction may change. A transaction that sweeps a system holds the system's lock.
BATCH = 200
KEYS_BATCH = 5_000
# After this number of seconds, the sweep leaves the rest to its next run. Lambda stops the function later
# (lambda_timeout in .chalice/config.json).
SECONDS = 240


class Step(NamedTuple):
    """A step of the sweep, which ends records of one kind.

    `due` is a SELECT of the ids of the systems that have such records. `end` takes the database, a system's key, a
    limit and the request's id. It ends up to `limit` records of the system, and returns their count. `counted` has the
    metrics that this count adds to, and the values of their own dimensions.
    """

    due: str
    end: Callable[[Database, str, int, str], int]
    counted: Sequence[tuple[Metric, str | None]] = ()


# The steps for each system, by the kind of record. app.py adds the steps in the order in which they run.
STEPS: dict[str, Step] = {}


class SweepIncomplete(Exception):
    """Some records could not be swept; the log says why. The next run tries again."""


@blueprint.schedule(EVERY, name="sweep", description="Ends what has expired, and deletes old idempotency keys")
def sweep(event: Any) -> dict[str, int]:
    """End all that has expired, and return the count of each kind. After SECONDS, leave the rest to the next run.

    Two runs at the same time end each record only once. If something fails, sweep everything else, then raise
    SweepIncomplete.
    """
    configure()
    request_id = str(getattr(event.context, "aws_request_id", None) or os.urandom(16).hex())
    before = logs.about.set(lambda: {"request_id": request_id, "operation": "sweep"})
    deadline = time.monotonic() + SECONDS
    swept: Counter[str] = Counter(dict.fromkeys((*STEPS, "idempotency_keys"), 0))
    samples: list[Sample] = []
    failed: list[str] = []
    due: list[str] = []
    try:
        with _noted(failed, "the search for what is due"), _session(samples) as db:
            due = store.systems_due(db, [step.due for step in STEPS.values()])
        for system in due:
            with _noted(failed, f"system {system}"):
                _sweep_system(system, swept, samples, request_id, deadline)
        with _noted(failed, "idempotency keys"):
            _forget_keys(swept, samples, deadline)
        with _noted(failed, "settings of the login"):
            _forget_settings(samples)
    finally:
        if not failed:
            samples.append(Sample(metrics.sweeps))
        fields = {"request_id": request_id, "operation": "sweep", "swept": dict(swept)}
        logs.write_with_samples("ERROR" if failed else "INFO", "swept", fields, _together(samples))
        logs.about.reset(before)
    if failed:
        raise SweepIncomplete(
            f"The sweep failed for {', '.join(failed)}. Read the reasons in the log of request {request_id}"
        )
    return dict(swept)


def _sweep_system(system: str, swept: Counter[str], samples: list[Sample], request_id: str, deadline: float) -> None:
    more = True
    while more and time.monotonic() < deadline:
        with _session(samples) as db, db.transaction():
            systems.lock(db, system)
            done = {name: step.end(db, system, BATCH, request_id) for name, step in STEPS.items()}
        swept.update(done)
        samples += [Sample(metric, done[name], of) for name in done for metric, of in STEPS[name].counted if done[name]]
        more = any(count >= BATCH for count in done.values())


def _forget_keys(swept: Counter[str], samples: list[Sample], deadline: float) -> None:
    forgotten = KEYS_BATCH
    while forgotten >= KEYS_BATCH and time.monotonic() < deadline:
        with _session(samples) as db:
            forgotten = idempotency.forget(db, KEYS_BATCH)
        swept["idempotency_keys"] += forgotten


def _forget_settings(samples: list[Sample]) -> None:
    """Delete the settings that the service's login has stored for itself, such as a planner's setting that slows it.

    Only an attacker who injects SQL stores such settings. On other stages, the login is not the service's own.
    """
    stored = settings().database
    if isinstance(stored, Aurora):
        with _session(samples) as db, db.transaction():
            for statement in own_settings_deleted(stored.name):
                db.queue(statement)


def _together(samples: list[Sample]) -> list[Sample]:
    """Add the values of the same metric."""
    sums: dict[tuple[Metric, str | None], float] = {}
    for metric, value, of in samples:
        sums[metric, of] = sums.get((metric, of), 0) + value
    return [Sample(metric, value, of) for (metric, of), value in sums.items()]


@contextmanager
def _session(samples: list[Sample]) -> Iterator[Database]:
    """Open the database for one batch, with a new deadline. Add its failures to `samples`."""
    db = database()
    try:
        yield db
    finally:
        if db.failures:
            samples.append(Sample(metrics.database_failures, db.failures))
        db.close()


@contextmanager
def _noted(failed: list[str], what: str) -> Iterator[None]:
    """Log an exception, add `what` to `failed` and continue: a failure in one system must not stop the others."""
    try:
        yield
    except Exception as error:
        logger.error("not swept", exc_info=error, extra={"what": what})
        failed.append(what)
