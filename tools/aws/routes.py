"""Read and write an environment's routes, in the CloudFront key value store that viewer.js reads."""

import json
from typing import Any

from botocore.config import Config

from tools.aws.environment import Target
from tools.checkout import ToolError
from tools.local import emulation

_GLOBAL = "us-east-1"


class Routes:
    """The routes of an environment with these Terraform outputs. Without a site, the constructor raises ToolError."""

    def __init__(self, target: Target, outputs: dict[str, Any]) -> None:
        site = outputs.get("site")
        if not site:
            raise ToolError(f"{target.name} has no site, so it can't route clients: use an environment with a site")
        self._arn = site["routes_arn"]
        self._client = target.client("cloudfront-keyvaluestore", _GLOBAL, Config(signature_version="v4a"))
        if target.emulated is not None:
            # The SDK puts the account's id before the host's name. Remove the id: the longer name has no address here.
            self._client.meta.events.register("before-send", _to_emulator)

    def put(self, client: str, *, workspace: str, domain: str, path: str, until: int) -> None:
        """Send a client to a workspace until a time in Unix seconds. The route takes effect within seconds."""
        value = json.dumps({"workspace": workspace, "domain": domain, "path": path, "until": until})
        self._client.put_key(KvsARN=self._arn, Key=client, Value=value, IfMatch=self._etag())

    def delete(self, client: str) -> None:
        """Delete a client's route, so that CloudFront sends the client to the environment again."""
        self._client.delete_key(KvsARN=self._arn, Key=client, IfMatch=self._etag())

    def all(self) -> dict[str, dict[str, Any]]:
        """Return every route by client, including expired routes."""
        pages = self._client.get_paginator("list_keys").paginate(KvsARN=self._arn)
        return {item["Key"]: json.loads(item["Value"]) for page in pages for item in page["Items"]}

    def _etag(self) -> str:
        return str(self._client.describe_key_value_store(KvsARN=self._arn)["ETag"])


def _to_emulator(request: Any, **_: Any) -> None:
    request.url = request.url.replace(f"//{emulation.ACCOUNT}.{emulation.HOST}", f"//{emulation.HOST}", 1)
