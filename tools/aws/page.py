"""Upload the page in web/ to a site's bucket, show it, and go back to the page of before.

All files of a page are in a folder that is named after their digest, so browsers keep them for ever. The bucket's
`index.html` is a copy of one folder's `index.html`, and is never cached. Its metadata name the page that it shows and
the page that it showed before. The folders of these two pages stay, and a deployment deletes all others.

All files but `index.html` are stored compressed, because CloudFront would compress them less. Each browser that knows
ES modules takes Brotli over TLS.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
from botocore.exceptions import BotoCoreError, ClientError

from tools.checkout import ToolError
from tools.local.site import CONTENT_TYPES, TEXT

INDEX = "index.html"
# Browsers and CloudFront keep a file for a year.
FOR_EVER = "public, max-age=31536000, immutable"


class Page:
    """The page of a checkout, and the bucket of a site."""

    def __init__(self, client: Any, bucket: str, folder: Path) -> None:
        self._client, self._bucket = client, bucket
        files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        listed = "\n".join(f"{name} {hashlib.sha256(content).hexdigest()}" for name, content in sorted(files.items()))
        self._digest = hashlib.sha256(listed.encode()).hexdigest()[:16]
        files[INDEX] = files[INDEX].replace(b'"./', f'"/{self._digest}/'.encode())
        self._files = files
        self.name = f"The page in the bucket {bucket}"

    def newest(self) -> str:
        """Return the digest of the checkout's page."""
        return self._digest

    def upload(self) -> None:
        """Upload the files that the bucket lacks, without showing them. Raise ToolError if AWS refuses."""
        try:
            there = set(self._keys(f"{self._digest}/"))
            for name, content in self._files.items():
                if (key := f"{self._digest}/{name}") not in there:
                    self._put(key, content if name == INDEX else compressed(content), FOR_EVER)
        except (ClientError, BotoCoreError) as error:
            raise ToolError(
                f"{self.name} could not be uploaded: {error}. Nothing was changed: run the same command again"
            ) from error

    def serving(self) -> tuple[str, str | None]:
        """Return the digest of the page that is shown and of the page before, or ("", None) before the first page."""
        try:
            found = self._client.head_object(Bucket=self._bucket, Key=INDEX)["Metadata"]
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise ToolError(f"{self.name} could not be read: {error}. Run the same command again") from error
            return "", None
        return found.get("page", ""), found.get("before") or None

    def point(self, pointer: tuple[str, str | None]) -> None:
        """Show a page that was uploaded, and note the page before. Without a page, show nothing."""
        page, before = pointer
        if page == "":
            self._client.delete_object(Bucket=self._bucket, Key=INDEX)
            return
        content = self._client.get_object(Bucket=self._bucket, Key=f"{page}/{INDEX}")["Body"].read()
        self._put(INDEX, content, "no-cache", {"page": page, **({"before": before} if before else {})})

    def prune(self) -> None:
        """Delete the folders of all pages but the one that is shown and the one before."""
        kept = {f"{page}/" for page in self.serving() if page}
        listed = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Delimiter="/")
        folders = [each["Prefix"] for answer in listed for each in answer.get("CommonPrefixes", [])]
        for folder in folders:
            for key in self._keys(folder) if folder not in kept else ():
                self._client.delete_object(Bucket=self._bucket, Key=key)

    def _keys(self, folder: str) -> Iterator[str]:
        for answer in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=folder):
            yield from (each["Key"] for each in answer.get("Contents", []))

    def _put(self, key: str, content: bytes, cache: str, metadata: dict[str, str] | None = None) -> None:
        self._client.put_object(
            **({} if key.endswith(INDEX) else {"ContentEncoding": "br"}),
            Bucket=self._bucket,
            Key=key,
            Body=content,
            ContentType=CONTENT_TYPES.get(key.rpartition(".")[2], TEXT),
            CacheControl=cache,
            Metadata=metadata or {},
        )


def compressed(content: bytes) -> bytes:
    """Return a file's content as it is stored in the bucket."""
    found: bytes = brotli.compress(content, quality=11)
    return found
