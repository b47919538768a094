"""Run CloudFront's viewer function with a stub of CloudFront's own module.

CloudFront's runtime is based on njs. Without njs, Node runs the function, and accepts more than njs does.
"""

import json
import shutil
import subprocess
from typing import Any

from tests.support.checkout import ROOT

VIEWER = ROOT / "infra" / "modules" / "site" / "viewer.js"
NJS = shutil.which("njs")
NODE = shutil.which("node")

RUNTIME = """
const origins = [];
async function lookUp(key) {
  if (!(key in routes)) {
    throw new Error('KeyNotFound');
  }
  return routes[key];
}
const cf = {
  kvs: () => ({ get: lookUp }),
  updateRequestOrigin: (origin) => origins.push(origin),
};
"""


def view(routes: dict[str, Any], headers: dict[str, str], uri: str = "/v1/systems") -> tuple[str, list[dict[str, Any]]]:
    """Run the function for a request; return the workspace in the cache's key, and the origins that were set."""
    event = {"request": {"uri": uri, "headers": {name: {"value": value} for name, value in headers.items()}}}
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in routes.items()}
    source = VIEWER.read_text().replace("import cf from 'cloudfront';", RUNTIME)
    script = (
        f"const routes = {json.dumps(values)};\n{source}\nhandler({json.dumps(event)})"
        ".then((r) => console.log(JSON.stringify([r.headers['x-workspace'].value, origins])));"
    )
    command = [NJS, "-c", script] if NJS else [NODE or "node", "-e", script]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    workspace, origins = json.loads(answer.stdout)
    return workspace, origins
