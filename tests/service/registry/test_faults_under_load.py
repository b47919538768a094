"""Faults while eight writers write: nothing is lost, doubled or let through wrongly, and the service soon serves again.

SEED=… repeats the order of the faults, and each writer's choices.
"""

import json
import os
import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from chalicelib import NAME
from tests.service.registry.functions import Function
from tests.service.registry.gate_checker import Records
from tests.service.registry.network import Network, network
from tests.service.registry.writers import ENVIRONMENTS, SYSTEMS, Load, lost_or_doubled
from tests.support.cluster import Cluster
from tests.support.issuer import IssuerServer, serving
from tests.support.postgres import server_folder, stop
from tests.support.races import eventually

WRITERS = 8
ROUNDS = 20
RECOVERY_SECONDS = 5
WRITES_BEFORE_A_FAULT = 40


class Scene:
    """All that a fault may break. `start` starts a function."""

    def __init__(self, cluster: Cluster, issuer: IssuerServer, net: Network, address: str, rng: random.Random) -> None:
        self.cluster = cluster
        self.issuer = issuer
        self.network = net
        self.rng = rng
        self._database = parse_dsn(address)["dbname"]
        self._environ = {
            "SLIPWAY_STAGE": "local",
            "SLIPWAY_ISSUERS": json.dumps([issuer.settings("people")]),
            "SLIPWAY_WRITES_PER_HOUR": "1000000",
            "DATABASE_URL": make_dsn(address, host="127.0.0.1", port=net.port),
        }

        self._started: list[Function] = []

    def start(self) -> Function:
        self._started.append(Function(self._environ))
        return self._started[-1]

    def close(self) -> None:
        for function in self._started:
            function.close()

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        return self.cluster.sql(statement, self._database)


KILL = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{NAME}'"


def until_noticed(load: Load, *numbers: int) -> None:
    """Wait until each of these writers gets no service. Without numbers, wait until any writer gets none."""
    now = time.monotonic()
    if numbers:
        load.until(lambda: all(load.writers[number].failed_at > now for number in numbers))
    else:
        load.until(lambda: any(writer.failed_at > now for writer in load.writers))


def until_each_has_written(load: Load, many: int) -> None:
    before = [len(writer.writes) for writer in load.writers]
    load.until(lambda: all(len(writer.writes) >= had + many for writer, had in zip(load.writers, before, strict=True)))


# Each fault ends before its function returns.


def the_backends_are_killed(scene: Scene, load: Load) -> None:
    for _ in range(5):
        scene.cluster.sql(KILL)
        recovery(load)


def the_server_is_killed(scene: Scene, load: Load) -> None:
    scene.cluster.kill()
    scene.cluster.start()


def the_server_freezes(scene: Scene, load: Load) -> None:
    scene.cluster.freeze()
    until_noticed(load)
    scene.cluster.thaw()


def the_primary_becomes_a_reader(scene: Scene, load: Load) -> None:
    with scene.cluster.as_reader():
        until_noticed(load)


def the_connections_are_exhausted(scene: Scene, load: Load) -> None:
    now = time.monotonic()
    with ExitStack() as taken:
        first = taken.enter_context(closing(psycopg2.connect(scene.cluster.address("postgres"))))
        first.autocommit = True

        def noticed() -> bool:
            with suppress(psycopg2.OperationalError):
                taken.enter_context(closing(psycopg2.connect(scene.cluster.address("postgres"))))
                return False
            with first.cursor() as cursor:
                cursor.execute(KILL)  # a connection that a function loses is taken next
            return any(writer.failed_at > now for writer in load.writers)

        eventually(noticed)


def functions_die_between_commit_and_answer(scene: Scene, load: Load) -> None:
    numbers = scene.rng.sample(range(WRITERS), 4)
    load.dying = set(numbers)
    for number in numbers:
        eventually(load.functions[number].has_ended)
    load.dying = set()
    for number in numbers:
        load.restart(number, scene.start)


def functions_are_killed(scene: Scene, load: Load) -> None:
    numbers = scene.rng.sample(range(WRITERS), 4)
    for number in numbers:
        load.functions[number].kill()
    for number in numbers:
        load.restart(number, scene.start)


def the_issuer_is_away(scene: Scene, load: Load) -> None:
    """Functions that know the issuer's keys serve. Two new functions don't know them."""
    scene.issuer.behaves("down", "")
    numbers = scene.rng.sample(range(WRITERS), 2)
    for number in numbers:
        load.restart(number, scene.start)
    until_noticed(load, *numbers)
    scene.issuer.behaves("well", "")


def the_network_cuts_messages(scene: Scene, load: Load) -> None:
    scene.network.cuts.set()
    until_noticed(load)
    scene.network.cuts.clear()


FAULTS = [
    the_backends_are_killed,
    the_server_is_killed,
    the_server_freezes,
    the_primary_becomes_a_reader,
    the_connections_are_exhausted,
    functions_die_between_commit_and_answer,
    functions_are_killed,
    the_issuer_is_away,
    the_network_cuts_messages,
]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a line, also of a test that passes."""

    def print_it(line: str) -> None:
        with capsys.disabled():
            print(line)  # noqa: T201

    return print_it


@pytest.fixture
def seed(say: Callable[[str], None]) -> int:
    number = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**32))
    say(f"\nSEED={number}")
    return number


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    folder = server_folder()
    yield Cluster(folder)
    stop(folder)


@pytest.fixture
def scene(cluster: Cluster, seed: int) -> Iterator[Scene]:
    rng, address = random.Random(seed), cluster.new_database()
    with serving() as issuer, network(cluster.socket(), rng) as net:
        made = Scene(cluster, issuer, net, address, rng)
        yield made
        made.close()


# The settings of production and preproduction.
REQUIREMENTS: dict[str, dict[str, Any]] = {
    "development": {},
    "preproduction": {"required_suites": ["acceptance"], "verification_max_age_seconds": 5},
    "production": {
        "production": True,
        "required_suites": ["acceptance", "load"],
        "required_soak_seconds": 1,
        "required_approvals": 1,
    },
}


@pytest.fixture
def load(scene: Scene, seed: int) -> Iterator[Load]:
    """Writers that write already, to two systems with three environments each."""
    function, token = scene.start(), scene.issuer.person_token(["admins"])
    function.wait()
    for system in SYSTEMS:
        bodies = [("/v1/systems", {"key": system, "name": system})]
        for rank, name in enumerate(ENVIRONMENTS, start=1):
            bodies.append((f"/v1/systems/{system}/environments", {"name": name, "rank": rank, **REQUIREMENTS[name]}))
        for path, body in bodies:
            status, answer = function.ask(token, path, body, str(uuid.uuid4()))
            assert status == 201, answer
    load = Load(scene.start, scene.issuer.person_token, seed, WRITERS)
    yield load
    load.stopped.set()


def recovery(load: Load) -> float:
    """Return the seconds from now until each writer was served."""
    start = time.monotonic()
    load.until(lambda: all(writer.served_at > start for writer in load.writers))
    return max(writer.served_at for writer in load.writers) - start


@pytest.mark.nightly
def test_nothing_is_lost_doubled_or_wrongly_granted_in_20_rounds_of_faults(
    scene: Scene, load: Load, say: Callable[[str], None]
) -> None:
    rounds = (FAULTS * (ROUNDS // len(FAULTS) + 1))[:ROUNDS]
    scene.rng.shuffle(rounds)

    for fault in rounds:
        until_each_has_written(load, WRITES_BEFORE_A_FAULT)
        fault(scene, load)
        seconds = recovery(load)
        say(f"{fault.__name__}: all served again after {seconds:.1f} s")
        assert seconds < RECOVERY_SECONDS
    writes = load.stop()

    records = Records(scene.sql)
    say(f"{len(writes)} writes, {len(records.promotions)} decisions, {len(records.grants())} grants")
    assert [*lost_or_doubled(writes, scene.sql)] == []
    assert records.wrong() == []
    assert {each.environment_id for each in records.grants()} == set(records.environments)
