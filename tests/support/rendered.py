"""The policies of all accounts, environments and workspaces, as Terraform renders them in plans."""

import os
from functools import partial
from pathlib import Path

from tests.support import modules
from tools.checks.policy import plans as mocked
from tools.checks.walls import plans, rendered
from tools.checks.walls.rendered import Rendered


def policies() -> Rendered:
    """Return the policies. All workers of a test run share the plans, and later runs with the same infra/ too."""
    # Other tests add a function to their copies of infra/.
    copies = Path(os.environ["SLIPWAY_TEST_RUN"]) / "walls"
    copies.mkdir(exist_ok=True)
    return rendered.collect(plans.plan_all(partial(mocked.copied, copies), modules.quickly))
