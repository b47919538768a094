"""The rows of the table, a file for each kind of principal."""

from tools.checks.walls.rows import created_roles, functions, github, people, pipelines, resources, ways_in

WALLS = (
    *github.WALLS,
    *people.WALLS,
    *pipelines.WALLS,
    *ways_in.WALLS,
    *created_roles.WALLS,
    *functions.WALLS,
    *resources.WALLS,
)
