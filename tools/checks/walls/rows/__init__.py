"""The rows of the table, a file for each kind of principal."""

from tools.checks.walls.rows import (
    applying_api,
    applying_database,
    applying_functions,
    applying_network,
    applying_site,
    applying_state,
    functions,
    github,
    pipelines,
    ways_in,
)
from tools.checks.walls.rows.applying import APPLIERS

# Rows that the policies of today do not meet. No test asks them yet.
RED = (*ways_in.WALLS,)

_APPLYING = (
    applying_state,
    applying_functions,
    applying_network,
    applying_database,
    applying_api,
    applying_site,
)

WALLS = (
    *github.WALLS,
    *pipelines.WALLS,
    *functions.WALLS,
    *(row for by in APPLIERS for part in _APPLYING for row in part.rows(by)),
)
