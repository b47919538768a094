"""Make bindings that a test starts with."""

from typing import Any

from tests.support.api import Answer
from tests.support.given import Given, made

QUEUE = "arn:aws:sqs:eu-central-1:111122223333:orders"


def a_binding(instance: str = QUEUE, **fields: Any) -> dict[str, Any]:
    return {"dependency": "orders", "instance": instance, "access": "read_write", "exclusive": False, **fields}


class Records(Given):
    def bindings(self, *bindings: dict[str, Any], environment: str = "development", system: str = "azul") -> Answer:
        """Bind an environment to instances."""
        path = f"/v1/systems/{system}/environments/{environment}/bindings"
        return made(self._api.send("PUT", path, {"bindings": bindings}, {"if_match": "*"}))
