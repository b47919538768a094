"""List a package's components in CycloneDX 1.6 format. Read the components from the zip, not from the requirements."""

import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path
from typing import Any

# Chalice puts its runtime into the zip without metadata, so Chalice's version is read from this file.
_CHALICE = "chalice/app.py"
_VERSION = "__version__"


def bill_of_materials(package: Path, name: str, artifact: str, digest: str) -> dict[str, Any]:
    """Return the bill of materials of a package. The bill contains no time, so equal packages have equal bills."""
    with zipfile.ZipFile(package) as zipped:
        components = sorted(_components(zipped), key=lambda each: str(each["name"]).lower())
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": name,
                "name": name,
                "version": artifact,
                "hashes": [{"alg": "SHA-256", "content": digest}],
            }
        },
        "components": components,
        "dependencies": [{"ref": name, "dependsOn": [each["bom-ref"] for each in components]}],
    }


def _components(package: zipfile.ZipFile) -> Iterator[dict[str, Any]]:
    names = package.namelist()
    for path in (name for name in names if name.endswith(".dist-info/METADATA")):
        metadata = Parser().parsestr(package.read(path).decode(), headersonly=True)
        yield _component(metadata["Name"], metadata["Version"], _license(metadata))
    if _CHALICE in names:
        source = package.read(_CHALICE).decode()
        [line] = [line for line in source.splitlines() if line.startswith(_VERSION)]
        yield _component("chalice", line.partition("=")[2].partition(":")[0].strip(" '\""), "Apache-2.0")


def _component(name: str, version: str, license_: str | None) -> dict[str, Any]:
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
    licenses = {"licenses": [{"expression": license_}]} if license_ else {}
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, **licenses}


def _license(metadata: Any) -> str | None:
    """Return the license's SPDX expression, or None if it is missing. Ignore classifiers, which are too vague."""
    stated: str | None = metadata["License-Expression"]
    return stated
