"""The schema refuses artifacts and commits that no request may have."""

import pytest
from psycopg2.errors import CheckViolation


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("artifact_id", f"tree:{'A' * 40}"),
        ("artifact_id", f"tree:{'a' * 40}\n"),
        ("artifact_id", f"sha256:{'a' * 40}"),
        ("commit_sha", "a" * 39),
        ("commit_sha", "A" * 40),
        ("commit_sha", "a" * 40 + "\n"),
        ("commit_sha", "a" * 39 + "\n"),
        ("deployment_state", "active"),
    ],
)
def test_a_value_that_no_request_may_have_is_refused(given, type_, value):
    with pytest.raises(CheckViolation):
        given.sql(f"SELECT %s::{type_}", value)
