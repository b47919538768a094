"""The rows of the table, a file for each kind of principal."""

from tools.checks.walls.rows import functions, github, pipelines, ways_in

# Rows that the policies of today do not meet. No test asks them yet.
RED = (*ways_in.WALLS,)

WALLS = (*github.WALLS, *pipelines.WALLS, *functions.WALLS)
