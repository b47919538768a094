"""Make routes that a test starts with."""

from typing import Any

from tests.support.api import Answer
from tests.support.given import Given, ahead, made


class Records(Given):
    def a_route(
        self, workspace: str, client: str = "jane@example.org", *, system: str = "azul", **fields: Any
    ) -> Answer:
        """Make a route that the client itself sets."""
        path = f"/v1/systems/{system}/workspaces/{workspace}/routes/{client}"
        return made(self._api.as_("viewer", sub=client).send("PUT", path, {"until": ahead(hours=1), **fields}))
