"""The delivery metrics in slow Python, written from docs/metrics.md and not from the SQL."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import floor
from typing import Any

MOST_CONTRIBUTING = 50


@dataclass(frozen=True, eq=False)
class Deployed:
    id: int
    environment: str
    workspace: str
    artifact: str
    kind: str
    state: str
    finished_at: datetime
    late: bool = False
    commits: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Verified:
    id: int
    deployment: int
    suite: str
    trigger: str
    outcome: str
    at: datetime


@dataclass(frozen=True)
class Marked:
    artifact: str
    at: datetime
    released: bool


class Reference:
    """The metrics of one system, whose environments come in the order of promotion."""

    def __init__(
        self,
        environments: Sequence[str],
        deployments: Iterable[Deployed],
        verifications: Iterable[Verified] = (),
        marks: Iterable[Marked] = (),
    ) -> None:
        own = [each for each in deployments if each.workspace == "default"]
        own.sort(key=lambda each: (each.finished_at, each.id))
        self.environments = environments
        self.everywhere = [each for each in own if each.state == "succeeded"]
        self.there = [each for each in self.everywhere if environments and each.environment == environments[-1]]
        self.attempts = [
            each
            for each in own
            if environments and each.environment == environments[-1] and each.state == "failed"
            if each.kind in ("rollout", "hotfix")
        ]
        self.verifications = sorted(verifications, key=lambda each: (each.at, each.id))
        self.marks = list(marks)
        self.taken_back = self._taken_back()
        self.failed = {each.id for each in self.there if self._failed_in_use(each)}

    def _failed_in_use(self, deployment: Deployed) -> bool:
        latest = {}
        for each in self.verifications:
            is_counted = each.trigger == "deployment" and each.outcome in ("success", "failure")
            if each.deployment == deployment.id and is_counted:
                latest[each.suite] = each.outcome
        return "failure" in latest.values() or deployment.id in self.taken_back or self._is_marked(deployment)

    def _is_marked(self, deployment: Deployed) -> bool:
        for mark in self.marks:
            ran = [each for each in self.there if each.finished_at <= mark.at]
            if not mark.released and mark.artifact == deployment.artifact and ran and ran[-1] is deployment:
                return True
        return False

    def _taken_back(self) -> set[int]:
        """Walk through the history. `places` has the number of each artifact's last rollout or hotfix so far."""
        found: set[int] = set()
        places: dict[str, int] = {}
        earlier: list[tuple[Deployed, int | None]] = []
        for number, each in enumerate(self.there):
            if each.kind != "rollback":
                places[each.artifact] = number
            elif earlier:
                new, replaced = places.get(each.artifact), earlier[-1]
                if (new is None or replaced[1] is None) and replaced[0].artifact != each.artifact:
                    found.add(replaced[0].id)
                if new is not None:
                    found |= {other.id for other, place in earlier if place is not None and place > new}
            earlier.append((each, places.get(each.artifact)))
        return found

    def metrics(self, start: datetime, end: datetime) -> dict[str, Any]:
        """Return the five figures of a window."""
        ran = [each for each in self.there if start <= each.finished_at < end]
        advances = [each for each in ran if each.kind != "rollback"]
        attempts = [each for each in self.attempts if start <= each.finished_at < end]
        reworks = [each for each in ran if each.kind != "rollout"]
        failed = [each for each in advances if each.id in self.failed]
        samples = self._lead_times(start, end)
        seconds = sorted(max(value, 0.0) for _, value in samples)
        begins = [
            (place, each)
            for place, each in enumerate(self.there)
            if each in ran and each.id in self.failed
            if place == 0 or self.there[place - 1].id not in self.failed
        ]
        recovered = sorted(
            (good.finished_at - first.finished_at).total_seconds()
            for place, first in begins
            for good in [each for each in self.there[place:] if each.id not in self.failed][:1]
        )
        days = {each.finished_at.astimezone(UTC).date() for each in advances}
        return {
            "from": start,
            "to": end,
            "deployment_frequency": {
                "per_day": len(advances) / ((end - start).total_seconds() / 86400) if advances else None,
                "deployments": len(advances) or None,
                "days": len(days) or None,
                **behind(len(advances), advances),
            },
            "change_lead_time_seconds": {
                "median": percentile(seconds, 0.5),
                "p90": percentile(seconds, 0.9),
                "anomalies": sum(value < 0 for _, value in samples) if samples else None,
                **behind(len(samples), [each for each in ran if each in [delivered for delivered, _ in samples]]),
            },
            "change_fail_rate": {
                "value": len(failed) / len(advances) if advances else None,
                "failed_attempts": len(attempts) if advances or attempts else None,
                **behind(len(advances), failed),
            },
            "failed_deployment_recovery_time_seconds": {
                "median": percentile(recovered, 0.5),
                "unrecovered": len(begins) - len(recovered) if ran else None,
                **behind(len(recovered), [each for _, each in begins]),
            },
            "deployment_rework_rate": {
                "value": len(reworks) / len(ran) if ran else None,
                **behind(len(ran), reworks),
            },
        }

    def _lead_times(self, start: datetime, end: datetime) -> list[tuple[Deployed, float]]:
        known: set[str] = set()
        found = []
        for number, each in enumerate(self.there):
            for sha, authored_at in each.commits.items():
                if number > 0 and sha not in known and start <= each.finished_at < end:
                    found.append((each, (each.finished_at - authored_at).total_seconds()))
            known |= each.commits.keys()
        return found

    def waiting(self, now: datetime) -> dict[str, Any]:
        head = self._chain(self._current(-2)) if len(self.environments) > 1 else []
        base = self._chain(self._current(-1)) if self.environments else []
        alone = [each for each in head if each not in base]
        if not head or (alone and not any(each.commits for each in alone)):
            return {"changes": None, "oldest_seconds": None, **behind(0, [])}
        contained = {sha for each in base for sha in each.commits}
        changes = {sha for each in head for sha in each.commits} - contained
        bringing = [each for each in alone if each.commits.keys() & changes]
        authored = [at for each in bringing for sha, at in each.commits.items() if sha in changes]
        bringing.sort(key=lambda each: (each.finished_at, each.id))
        return {
            "changes": len(changes),
            "oldest_seconds": floor((now - min(authored)).total_seconds()) if authored else None,
            **behind(len(changes), bringing),
        }

    def _current(self, rank: int) -> str | None:
        ran = [each.artifact for each in self.everywhere if each.environment == self.environments[rank]]
        return ran[-1] if ran else None

    def _chain(self, artifact: str | None) -> list[Deployed]:
        """Return the deployments that made an artifact: see "What an artifact contains" in docs/registry/rules.md."""
        counted = [each for each in self.everywhere if each.environment in self.environments[-2:] and not each.late]
        for number, each in enumerate(counted):
            if each.artifact == artifact:
                before = [other for other in counted[:number] if other.environment == each.environment]
                return [each, *(self._chain(before[-1].artifact) if before else [])]
        return []


def behind(sample_size: int, deployments: Iterable[Deployed]) -> dict[str, Any]:
    return {"sample_size": sample_size, "contributing": [str(each.id) for each in deployments][:MOST_CONTRIBUTING]}


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the value below which a share of the values is, between two of them by their distance."""
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
