"""Read and write the CloudFront key value store that viewer.js reads: an environment's routes and where they lead.

A route names a client and a debug workspace. The address of a workspace is an entry of its own.
"""

import json
from typing import Any

from botocore.config import Config

from tools.aws.target import Target
from tools.checkout import ToolError
from tools.local import emulation

_GLOBAL = "us-east-1"
_CLIENT, _WORKSPACE = "client/", "workspace/"


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

    def put(self, client: str, *, workspace: str, until: int) -> None:
        """Send a client to a workspace until a time in Unix seconds. The route takes effect within seconds."""
        self._put(f"{_CLIENT}{client}", {"workspace": workspace, "until": until})

    def delete(self, client: str) -> None:
        """Delete a client's route, so that CloudFront sends the client to the environment again."""
        self._delete(f"{_CLIENT}{client}")

    def all(self) -> dict[str, dict[str, Any]]:
        """Return every route by client, including expired routes."""
        entries = self.entries().items()
        return {key.removeprefix(_CLIENT): value for key, value in entries if key.startswith(_CLIENT)}

    def put_address(self, workspace: str, api: dict[str, Any]) -> None:
        """Write where a debug workspace is, from the output `api` of the workspace."""
        address = {"domain": api["invoke_domain"], "path": f"/{api['stage_name']}"}
        self._put(f"{_WORKSPACE}{workspace}", address)

    def delete_address(self, workspace: str) -> None:
        """Delete the address of a workspace, if there is one. Then no route leads there."""
        key = f"{_WORKSPACE}{workspace}"
        if key in self.entries():
            self._delete(key)

    def entries(self) -> dict[str, dict[str, Any]]:
        """Return the entries of both kinds by their keys in the store."""
        pages = self._client.get_paginator("list_keys").paginate(KvsARN=self._arn)
        return {item["Key"]: json.loads(item["Value"]) for page in pages for item in page["Items"]}

    def _put(self, key: str, value: dict[str, Any]) -> None:
        self._client.put_key(KvsARN=self._arn, Key=key, Value=json.dumps(value), IfMatch=self._etag())

    def _delete(self, key: str) -> None:
        self._client.delete_key(KvsARN=self._arn, Key=key, IfMatch=self._etag())

    def _etag(self) -> str:
        return str(self._client.describe_key_value_store(KvsARN=self._arn)["ETag"])


def _to_emulator(request: Any, **_: Any) -> None:
    request.url = request.url.replace(f"//{emulation.ACCOUNT}.{emulation.HOST}", f"//{emulation.HOST}", 1)
