"""A second, simple implementation of the gate, which checks the recorded decisions afterwards.

It shares no code with the service. It reads whole tables, and applies rules 1, 2, 14 and 15 of docs/registry/rules.md
to what had been recorded before each decision. It knows neither imports nor workspaces nor freezes that repeat.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

Row = SimpleNamespace
Sql = Callable[[str], list[tuple[Any, ...]]]


class Records:
    """All records of the service."""

    def __init__(self, sql: Sql) -> None:
        def table(name: str) -> list[Row]:
            return [Row(**row) for (row,) in sql(f"SELECT to_jsonb(each) FROM {name} AS each ORDER BY id")]

        self.environments = {each.id: each for each in table("environments")}
        self.deployments = _timed(table("deployments"), "started_at", "finished_at")
        self.verifications = _timed(table("verifications"), "counts_at")
        self.holds = _timed(table("holds"), "starts_at", "ends_at", "created_at", "released_at")
        self.approvals = _timed(table("approvals"), "created_at", "withdrawn_at")
        self.promotions = {each.id: each for each in _timed(table("promotions"), "decided_at")}

    def grants(self) -> list[Row]:
        """Return the deployments that the gate or the rules of rollbacks let through."""
        return [each for each in self.deployments if each.override_reason is None]

    def wrong(self) -> list[str]:
        """Return the decisions that the rules contradict: grants that they deny, and those with other blockers."""
        return [*self._wrong_deployments(), *self._wrong_decisions()]

    def _wrong_deployments(self) -> Iterator[str]:
        for each in self.deployments:
            rule = self.stops_rollback if each.kind == "rollback" else self.stops
            codes = rule(each.environment_id, each.artifact, each.started_at, (each.issuer, each.created_by))
            if codes != set(each.overridden or ()):
                yield f"deployment {each.id} passed {each.overridden}, but the rules say {sorted(codes)}"

    def _wrong_decisions(self) -> Iterator[str]:
        deployed = {each.promotion_id: each for each in self.deployments}
        for each in self.promotions.values():
            opener = deployed.get(each.id)
            people = {(person.issuer, person.created_by) for person in self.approvals} | {None}
            if opener is not None:
                people = {(opener.issuer, opener.created_by)}
            said = {blocker["code"] for blocker in each.blockers}
            # A denial does not say if it was about a deployment, whose opener's own approval does not count.
            possible = [self.stops(each.environment_id, each.artifact, each.decided_at, who) for who in people]
            if said not in possible:
                yield f"promotion {each.id} says {sorted(said)}, but the rules say {[*map(sorted, possible)]}"

    def stops(self, environment: int, artifact: str, at: datetime, opener: Any) -> set[str]:
        """Return the codes of what stops a rollout or hotfix at a moment."""
        into = self.environments[environment]
        codes = self._holds(into, artifact, at, lambda hold: True)
        if len(self._approvers(into, artifact, at) - {opener}) < into.required_approvals:
            codes.add("not-approved")
        lower = [
            each for each in self.environments.values() if each.system_id == into.system_id and each.rank < into.rank
        ]
        if not lower:
            return codes
        before = max(lower, key=lambda each: each.rank)
        history = self._history(before.id, at)
        mine = [each for each in history if each.artifact == artifact]
        if not mine:
            return {*codes, "not-deployed"}
        latest = mine[-1]
        if any(
            self._went_behind(artifact, back, before.id)
            for place in (before.id, into.id)
            for back in self._history(place, at)
            if back.kind == "rollback" and back.finished_at > latest.finished_at
        ):
            codes.add("rolled-back")
        verdicts = self._verdicts(latest, at)
        if not verdicts or set(into.required_suites) - set(verdicts):
            codes.add("not-verified")
        if any(each.outcome == "failure" for each in verdicts.values()):
            codes.add("verification-failed")
        if (most := into.verification_max_age_seconds) is not None and any(
            at - each.counts_at > timedelta(seconds=most)
            for each in verdicts.values()
            if not into.required_suites or each.suite in into.required_suites
        ):
            codes.add("verification-expired")
        after = history[history.index(latest) + 1 :]
        until = after[0].finished_at if after else at
        if until - latest.finished_at < timedelta(seconds=into.required_soak_seconds):
            codes.add("soaking")
        return codes

    def stops_rollback(self, environment: int, artifact: str, at: datetime, opener: Any) -> set[str]:
        """Return the codes of what stops a rollback at a moment."""
        into, history = self.environments[environment], self._history(environment, at)
        codes = self._holds(into, artifact, at, lambda hold: hold.kind != "freeze" or hold.blocks_rollbacks)
        mine = [each for each in history if each.artifact == artifact]
        if not mine:
            return {*codes, "no former deployment"}
        attempts = [each for each in self.deployments if each.environment_id == environment and each.started_at < at]
        if history[-1].artifact == artifact and attempts[-1].state == "succeeded":
            codes.add("current")
        if any(each.outcome == "failure" for each in self._verdicts(mine[-1], at).values()):
            codes.add("verification-failed")
        if any(
            self._went_behind(artifact, back, environment)
            for back in history
            if back.kind == "rollback" and back.finished_at > mine[-1].finished_at
        ):
            codes.add("rolled-back")
        return codes

    def _history(self, environment: int, at: datetime) -> list[Row]:
        """Return the deployments to an environment that had succeeded before a moment, in order."""
        found = [
            each
            for each in self.deployments
            if each.environment_id == environment and each.state == "succeeded" and each.finished_at < at
        ]
        return sorted(found, key=lambda each: each.finished_at)

    def _went_behind(self, artifact: str, back: Row, before: int) -> bool:
        """True if a rollback went from the artifact, or a later one, to an earlier one."""
        earlier = self._history(back.environment_id, back.finished_at)
        old = earlier[-1].artifact if earlier else None

        def place(environment: int, of: str | None) -> datetime | None:
            moments = [
                each.finished_at
                for each in self._history(environment, back.finished_at)
                if each.artifact == of and each.kind != "rollback"
            ]
            return moments[-1] if moments else None

        # If the artifact never was here, use the order of the environment before: all artifacts go through it.
        here = back.environment_id
        order = here if place(here, artifact) is not None else before
        its = place(order, artifact)
        new, was = (place(order, each) or place(here, each) for each in (back.artifact, old))
        return None not in (its, new, was) and new < its <= was  # type: ignore[operator]

    def _verdicts(self, deployment: Row, at: datetime) -> dict[str, Row]:
        """Return the latest verdict of each suite on a deployment."""
        return {
            each.suite: each
            for each in self.verifications
            if each.deployment_id == deployment.id and each.outcome in ("success", "failure") and each.counts_at < at
        }

    def _holds(self, into: Row, artifact: str, at: datetime, concerns: Callable[[Row], bool]) -> set[str]:
        codes = set()
        for hold in self.holds:
            there = hold.created_at < at and (hold.released_at is None or at < hold.released_at) and concerns(hold)
            if not there or hold.system_id not in (None, into.system_id):
                continue
            if hold.environment_id not in (None, into.id) or (hold.production and not into.production):
                continue
            if hold.kind == "freeze" and hold.starts_at <= at and (hold.ends_at is None or at < hold.ends_at):
                codes.add("frozen")
            if hold.kind == "pin" and hold.artifact != artifact:
                codes.add("pinned")
            if hold.kind == "bad" and hold.artifact == artifact:
                codes.add("marked-bad")
        return codes

    def _approvers(self, into: Row, artifact: str, at: datetime) -> set[Any]:
        """Return the people whose approvals count at a moment."""
        ends = [each.finished_at for each in self._history(into.id, at) if each.artifact == artifact]
        ends += [
            each.created_at
            for each in self.holds
            if (each.kind, each.system_id, each.artifact) == ("bad", into.system_id, artifact) and each.created_at < at
        ]
        return {
            (each.issuer, each.created_by)
            for each in self.approvals
            if (each.environment_id, each.artifact) == (into.id, artifact)
            and each.created_at < at < each.created_at + timedelta(days=14)
            and (each.withdrawn_at is None or at < each.withdrawn_at)
            and not any(each.created_at < end for end in ends)
        }


def _timed(rows: list[Row], *names: str) -> list[Row]:
    for row in rows:
        for name in names:
            text = getattr(row, name)
            setattr(row, name, None if text is None else datetime.fromisoformat(text))
    return rows
