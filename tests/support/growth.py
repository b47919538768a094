"""Records that grow, and how much PostgreSQL reads then."""

from typing import Any

from tests.support.largest import copy


def grow(given: Any, times: int) -> None:
    """Repeat the first two deployments with their commits, and the first verification for the newest deployment."""
    last = given.sql("SELECT max(id) FROM deployments")[0][0]
    copy(
        given,
        "deployments",
        f", generate_series(1, {times}) AS n WHERE t.id < 3",
        finished_at="now() + n * '1 h'::interval",
    )
    copy(
        given,
        "deployment_commits",
        f"JOIN deployments d ON d.id > {last} AND d.environment_id = t.environment_id WHERE t.deployment_id < 3",
        deployment_id="d.id",
    )
    newest = "(SELECT max(id) FROM deployments WHERE environment_id = t.environment_id)"
    copy(given, "verifications", f", generate_series(1, {times * 100}) WHERE t.id = 1", deployment_id=newest)


def pages_read(given: Any, statement: str, prepare: str = "") -> int:
    """Return how many pages of tables and indexes PostgreSQL reads for a statement, after the statements `prepare`."""
    given.sql("VACUUM ANALYZE")
    [(plan,)] = given.sql(f"{prepare} EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")
    return plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"]
