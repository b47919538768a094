"""Make approvals that a test starts with."""

from typing import Any

from tests.support.api import Answer
from tests.support.given import Given


class Records(Given):
    def an_approval(
        self,
        artifact: str,
        environment: str = "development",
        *,
        system: str = "azul",
        by: str | None = None,
        **fields: Any,
    ) -> Answer:
        """Make an approval by the subject `by`, or by the caller of the other factories."""
        caller = self._api.as_("maintainer", of=system, sub=by) if by else self._api
        body = {"environment": environment, "artifact": artifact, **fields}
        answer = caller.post(f"/v1/systems/{system}/approvals", body)
        assert answer.status in (200, 201), answer
        return answer
