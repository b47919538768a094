"""The service serves the OpenAPI document of this checkout."""

from typing import Any

from tools.local.acceptance.service import DOCUMENT, Service


def test_the_served_description_is_the_committed_one(service: Service) -> None:
    # Send the token: without it, a CDN could answer with a document cached before the last deployment.
    served = service.get("/v1/openapi.json").expect(200).json

    assert served == DOCUMENT, (
        f"the OpenAPI document of {service.settings.url} ({_version(served)}) differs from the one in this checkout "
        f"({_version(DOCUMENT)}) in {', '.join(_differences(served))}: check out the deployed revision, and run the "
        "tests again"
    )


def _version(document: Any) -> str:
    return f"version {document.get('info', {}).get('version')}"


def _differences(served: Any) -> list[str]:
    """Return up to five paths that differ, or else the sections that differ, or else `order`."""
    paths = served.get("paths", {})
    differing = [path for path in {**paths, **DOCUMENT["paths"]} if paths.get(path) != DOCUMENT["paths"].get(path)]
    return sorted(differing)[:5] or [name for name in DOCUMENT if served.get(name) != DOCUMENT[name]] or ["order"]
