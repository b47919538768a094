"""The rows of the table, a file for each kind of principal."""

from tools.checks.walls.rows import (
    applying_api,
    applying_database,
    applying_functions,
    applying_monitoring,
    applying_network,
    applying_site,
    applying_state,
    counting,
    created_roles,
    functions,
    github,
    people,
    pipelines,
    resources,
    ways_in,
)
from tools.checks.walls.rows.applying import APPLIERS

_APPLYING = (
    applying_state,
    applying_functions,
    applying_network,
    applying_database,
    applying_api,
    applying_site,
    applying_monitoring,
)

WALLS = (
    *github.WALLS,
    *people.WALLS,
    *pipelines.WALLS,
    *(row for by in APPLIERS for part in _APPLYING for row in part.rows(by)),
    *counting.WALLS,
    *ways_in.WALLS,
    *created_roles.WALLS,
    *functions.WALLS,
    *resources.WALLS,
)
