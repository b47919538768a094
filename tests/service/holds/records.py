"""Make holds that a test starts with."""

from typing import Any

from tests.support.api import Answer
from tests.support.given import Given

BECAUSE = {"reason": "The test starts with this record"}


class Records(Given):
    def a_freeze(self, environment: str | None = None, *, system: str = "azul", **fields: Any) -> Answer:
        return self._a_hold(system, kind="freeze", environment=environment, **fields)

    def a_pin(self, environment: str = "development", *, system: str = "azul", **fields: Any) -> Answer:
        return self._a_hold(system, kind="pin", environment=environment, **fields)

    def a_bad_mark(self, artifact: str, *, system: str = "azul", **fields: Any) -> Answer:
        return self._a_hold(system, kind="bad", artifact=artifact, **fields)

    def a_freeze_over_systems(self, **fields: Any) -> Answer:
        return self.post("/v1/holds", {**BECAUSE, "kind": "freeze", **fields})

    def a_release(self, hold: str, *, system: str = "azul") -> Answer:
        return self.post(f"/v1/systems/{system}/holds/{hold}/release", {"reason": "No longer needed"})

    def _a_hold(self, system: str, **fields: Any) -> Answer:
        return self.post(f"/v1/systems/{system}/holds", {**BECAUSE, **fields})
