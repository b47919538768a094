"""Eight writers, which record deployments and what decides about them, and keep what the service acknowledged."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from tests.service.deployments.records import an_artifact
from tests.service.registry.functions import Ended, Function
from tests.support.races import PATIENCE_SECONDS

SYSTEMS = ("azul", "blue")
ENVIRONMENTS = ("development", "preproduction", "production")
ARTIFACTS = [an_artifact(name) for name in ("first", "second", "third", "fourth")]
SUITES = ("acceptance", "load")

# The table of each kind of write, and the column with its mark.
MARKS = {
    "deployments": "run_url",
    "deployment_statuses": "detail",
    "verifications": "run_url",
    "approvals": "comment",
    "holds": "reason",
}


class Write(NamedTuple):
    """A write with its mark, which no other write has. `status` is that of the answer, 0 without any."""

    table: str
    mark: str
    status: int
    id: str | None


class Load:
    """The functions, and the ids of records, that all writers share."""

    def __init__(self, start: Callable[[], Function], token: Callable[..., str], seed: int, writers: int) -> None:
        self.stopped = threading.Event()
        # Writers note each answer and each failure with this lock.
        self.changed = threading.Condition()
        # The numbers of the functions that die just before their next answer.
        self.dying: set[int] = set()
        self.open: list[tuple[str, str]] = []
        self.done: list[tuple[str, str]] = []
        self.holds: list[str] = []
        self.functions = [start() for _ in range(writers)]
        for function in self.functions:
            function.wait()
        self.writers = [Writer(self, number, token, random.Random(seed + number)) for number in range(writers)]

    def restart(self, number: int, start: Callable[[], Function]) -> None:
        self.functions[number].close()
        self.functions[number] = start()
        self.functions[number].wait()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition about the writers is true, or raise AssertionError."""
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE_SECONDS), "The writers wait for something: find out what"

    def stop(self) -> list[Write]:
        """Let each writer end its last write; return all writes."""
        self.stopped.set()
        for writer in self.writers:
            writer.thread.join(60)
            assert not writer.thread.is_alive(), "A writer still waits for an answer: find out why"
        return [write for writer in self.writers for write in writer.writes]


class Writer:
    """A maintainer who writes one thing after the other, and repeats each until the service accepts or refuses it.

    `served_at` is the moment of the last answer that is not a failure, and `failed_at` that of the last failure.
    """

    def __init__(self, load: Load, number: int, token: Callable[..., str], rng: random.Random) -> None:
        self.number = number
        self.writes: list[Write] = []
        self.served_at = self.failed_at = 0.0
        self._load = load
        self._rng = rng
        self._token = token(["admins"], sub=f"writer-{number}")
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        count = 0
        while not self._load.stopped.is_set():
            count += 1
            self._write(f"https://example.org/writes/{self.number}-{count}")

    def _write(self, mark: str) -> None:
        table, path, body, learn = self._next(mark)
        while True:
            dies = self.number in self._load.dying
            try:
                status, answer = self._load.functions[self.number].ask(self._token, path, body, mark, dies=dies)
            except Ended:
                status, answer = 0, None
            if status and status != 401 and status < 500:
                break
            # The answer to a write that is repeated says what became of it, so writers never give up.
            with self._load.changed:
                self.failed_at = time.monotonic()
                self._load.changed.notify_all()
        with self._load.changed:
            self.served_at = time.monotonic()
            self.writes.append(Write(table, mark, status, answer.get("id")))
            self._load.changed.notify_all()
        if status < 300:
            learn(answer)

    def _next(self, mark: str) -> tuple[str, str, Any, Callable[[Any], object]]:
        rng, load = self._rng, self._load
        system, environment, artifact = rng.choice(SYSTEMS), rng.choice(ENVIRONMENTS), rng.choice(ARTIFACTS)
        kind = rng.choices(("open", "end", "verify", "ask", "approve", "hold", "release"), (25, 25, 25, 8, 8, 3, 6))[0]
        if kind == "end" and load.open:
            system, id_ = load.open.pop(rng.randrange(len(load.open)))
            state = rng.choices(("succeeded", "failed"), (9, 1))[0]
            path = f"/v1/systems/{system}/deployments/{id_}/statuses"
            body = {"state": state, "detail": mark}
            return "deployment_statuses", path, body, lambda _: load.done.append((system, id_))
        if kind == "verify" and load.done:
            system, id_ = rng.choice(load.done[-8:])
            outcome = rng.choices(("success", "failure", "error"), (16, 1, 1))[0]
            body = {"deployment": id_, "suite": rng.choice(SUITES), "outcome": outcome, "run_url": mark}
            path = f"/v1/systems/{system}/verifications"
            return "verifications", path, {**body, "trigger": "deployment"}, lambda _: None
        if kind == "ask":
            path = f"/v1/systems/{system}/promotions"
            return "promotions", path, {"environment": environment, "artifact": artifact}, lambda _: None
        if kind == "approve":
            body = {"environment": "production", "artifact": artifact, "comment": mark}
            return "approvals", f"/v1/systems/{system}/approvals", body, lambda _: None
        if kind == "release" and load.holds:
            path = f"{load.holds.pop()}/release"
            return "releases", path, {"reason": "It was only for the test"}, lambda _: None
        if kind == "hold":
            path, body = self._hold(system, environment, artifact)
            return "holds", path, {**body, "reason": mark}, lambda answer: load.holds.append(f"{path}/{answer['id']}")
        body = {"environment": environment, "artifact": artifact, "run_url": mark}
        body["kind"] = rng.choices(("rollout", "hotfix", "rollback"), (8, 1, 2))[0]
        if body["kind"] != "rollback" and rng.random() < 0.05:
            body["override_reason"] = "The writers override sometimes"
        path = f"/v1/systems/{system}/deployments"
        return "deployments", path, body, lambda answer: load.open.append((system, answer["id"]))

    def _hold(self, system: str, environment: str, artifact: str) -> tuple[str, dict[str, Any]]:
        path, soon = f"/v1/systems/{system}/holds", (datetime.now(UTC) + timedelta(seconds=3)).isoformat()
        choices: list[tuple[str, dict[str, Any]]] = [
            (path, {"kind": "freeze", "environment": environment, "blocks_rollbacks": True, "ends_at": soon}),
            ("/v1/holds", {"kind": "freeze", "production": True, "ends_at": soon}),
            (path, {"kind": "pin", "environment": environment}),
            (path, {"kind": "bad", "artifact": artifact}),
        ]
        return self._rng.choice(choices)


def lost_or_doubled(writes: list[Write], sql: Callable[..., list[tuple[Any, ...]]]) -> Iterator[str]:
    """Yield a line for each write that the tables contradict: acknowledged but not there once, or refused but there."""
    for table, column in MARKS.items():
        found: dict[str, list[str]] = {}
        for id_, mark in sql(
            f"SELECT id::text, {column} FROM {table} WHERE {column} LIKE 'https://example.org/writes/%'"
        ):
            found.setdefault(mark, []).append(id_)
        marked = [write for write in writes if write.table == table]
        for write in marked:
            there = found.pop(write.mark, [])
            # An approval that its giver has given before is answered with 200, and is not written again.
            if len(there) != (1 if write.status == 201 else 0):
                yield f"{write} is there {len(there)} times"
        for mark in found:
            yield f"nobody knows of {mark} in {table}"
    promotions = {id_ for (id_,) in sql("SELECT id::text FROM promotions")}
    for write in writes:
        if write.table == "promotions" and write.status < 300 and write.id not in promotions:
            yield f"{write} is lost"
    for action, resource, count in sql(
        """
        SELECT action, resource, count(*) FROM audit_events
        WHERE refusal IS NULL AND before IS NULL GROUP BY action, resource HAVING count(*) > 1
        """
    ):
        yield f"{action} of {resource} has {count} audit events"
