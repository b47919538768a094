"""Write chalicelib/api_description/openapi.json, which the service serves.

The diff of this file shows how the API changes.
"""

import json
from collections.abc import Iterable, Mapping

import app  # noqa: F401  (the import declares the operations)
from chalicelib.rest.declaration import Operation
from chalicelib.rest.operation import OPERATIONS
from tools.checkout import ROOT
from tools.checks.openapi.document import document

PATH = ROOT / "chalicelib" / "api_description" / "openapi.json"


def render(operations: Iterable[Operation]) -> str:
    """Return the text of openapi.json."""
    return json.dumps(document(operations), indent=2, ensure_ascii=False) + "\n"


def main(environ: Mapping[str, str]) -> None:
    """Write openapi.json."""
    rendered = render(OPERATIONS)
    changed = not PATH.exists() or PATH.read_text() != rendered
    PATH.write_text(rendered)
    print(f"{PATH.name} {'changed: commit it' if changed else 'was up to date'}")
