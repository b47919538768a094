"""List and create the states of an environment's workspaces, in the bucket that Terraform keeps them in.

Terraform can do this too, but `terraform init` first reads the state of a workspace that exists: mostly that of the
environment itself. A role for previews must not need this state.
"""

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.checkout import ROOT, ToolError
from tools.local import emulation

_SETTING = re.compile(r'^(\w+)\s*=\s*"([^"]+)"', re.MULTILINE)


def settings_of(environment: str, *, emulated: bool) -> dict[str, str]:
    """Return the bucket of an environment's states, and the bucket's region."""
    if emulated:
        return {"bucket": emulation.STATE_BUCKET, "region": emulation.REGION}
    return dict(_SETTING.findall((ROOT / "infra" / environment / "state.s3.tfbackend").read_text()))


class States:
    """The states of an environment and its workspaces, in a bucket. `s3` is a client for the bucket's region."""

    def __init__(self, s3: Any, bucket: str, environment: str) -> None:
        self._s3, self._bucket, self._environment = s3, bucket, environment

    def workspaces(self) -> list[str]:
        """Return the names of Terraform's workspaces, without `default`."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=f"{self._environment}/")
        found = re.compile(re.escape(self._key("*")).replace(r"\*", "([^/]+)"))
        with self._explained():
            keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return [match[1] for key in keys if (match := found.fullmatch(key))]

    def create(self, workspace: str) -> None:
        """Create the empty state of a new workspace, as `terraform workspace new` does."""
        empty = {"version": 4, "serial": 0, "lineage": str(uuid.uuid4()), "outputs": {}, "resources": []}
        with self._explained():
            self._s3.put_object(
                Bucket=self._bucket,
                Key=self._key(workspace),
                Body=json.dumps(empty).encode(),
                ContentType="application/json",
                ServerSideEncryption="AES256",
                IfNoneMatch="*",
            )

    def has_bucket(self) -> bool:
        """True if the bucket exists. Raise ClientError, for example if the credentials may not use the bucket."""
        try:
            self._s3.head_bucket(Bucket=self._bucket)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise
        return True

    def exists(self, workspace: str) -> bool:
        """True if a workspace has a state, so that it was applied before."""
        key = self._key(workspace)
        with self._explained():
            listed = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=key).get("Contents", [])
        return key in (item["Key"] for item in listed)

    def outputs(self, workspace: str) -> dict[str, Any]:
        """Return what `terraform output -json` prints, or {} if the workspace has no state."""
        key = self._key(workspace)
        state = self._content(key)
        if state is None:
            return {}
        try:
            found: dict[str, Any] = json.loads(state)["outputs"]
        except (ValueError, KeyError, TypeError) as error:
            raise ToolError(
                f"The state s3://{self._bucket}/{key} can't be read ({error!r}): restore an earlier version of the file"
            ) from None
        return found

    def lock(self, workspace: str) -> dict[str, Any] | None:
        """Return what Terraform wrote into the lock of a state, such as its ID and Who, or None if nobody holds it."""
        # The file of `use_lockfile`: https://developer.hashicorp.com/terraform/language/backend/s3#state-locking
        key = f"{self._key(workspace)}.tflock"
        content = self._content(key)
        if content is None:
            return None
        try:
            return dict(json.loads(content))
        except (ValueError, TypeError) as error:
            raise ToolError(
                f"The lock s3://{self._bucket}/{key} can't be read ({error}): ask who holds it. If nobody does, delete "
                "this file"
            ) from None

    def _content(self, key: str) -> bytes | None:
        with self._explained():
            try:
                content: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except self._s3.exceptions.NoSuchKey:
                return None
        return content

    def _key(self, workspace: str) -> str:
        """Return the key of a state. `default` is the environment itself. The backends in infra/*/main.tf choose it."""
        folder = "" if workspace == "default" else f"{self._environment}/{workspace}/"
        return f"{folder}{self._environment}.tfstate"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise ToolError(
                f"The states in s3://{self._bucket}/{self._environment}/ can't be used: {error}. Log in with a role "
                "for this target. If the bucket does not exist, create it with make account"
            ) from None
