"""The runs of GitHub Actions that a publisher trusts, claim by claim."""

import re
from itertools import product

import msgspec
import pytest

from chalicelib.identity import trust
from chalicelib.identity.trust import CLAIM_CHECKS, GitHubClaims, TrustRule, matches, mismatches, permitting
from tests.support.claims import RUN

WORKFLOW = ".github/workflows/deploy.yml"
MAIN = "refs/heads/main"


def without(monkeypatch, claim):
    """Disable a claim's check. Replace the table, because monkeypatch would put a deleted check back at the end."""
    monkeypatch.setattr(trust, "CLAIM_CHECKS", {name: check for name, check in CLAIM_CHECKS.items() if name != claim})


def a_rule(**fields):
    known = {
        "id": "1",
        "system": "azul",
        "issuer": RUN["iss"],
        "repository": "acme/azul",
        "repository_id": "74",
        "repository_owner_id": "65",
        "workflow": WORKFLOW,
        "called_workflow": None,
        "events": ("push", "workflow_dispatch", "schedule", "release"),
        "ref": MAIN,
        "environments": {"development": None},
        "kinds": ("deployments", "verifications"),
        "purposes": ("personal", "preview"),
        "any_revision": False,
    }
    return TrustRule(**{**known, **fields})


def a_run(**claims):
    return msgspec.convert({"exp": 2e9, **RUN, **claims}, GitHubClaims)


def started(path=WORKFLOW, ref=MAIN, repository="acme/azul"):
    return f"{repository}/{path}@{ref}"


def test_a_publisher_trusts_the_run_that_it_describes():
    assert mismatches(a_rule(), a_run()) == []


WRONG = [
    ("repository_owner_id", {"repository_owner_id": "66"}),
    ("repository_owner_id", {"repository_owner_id": ""}),
    ("repository_id", {"repository_id": "75"}),
    ("repository_id", {"repository_id": "074"}),
    ("event_name", {"event_name": "pull_request"}),
    ("event_name", {"event_name": "pull_request_target"}),
    ("event_name", {"event_name": "workflow_run"}),
    ("event_name", {"event_name": "repository_dispatch"}),
    ("event_name", {"event_name": "Push"}),
    ("workflow_ref", {"workflow_ref": started(".github/workflows/test.yml"), "job_workflow_ref": None}),
    ("workflow_ref", {"workflow_ref": started(".github/workflows/deploy.yml.yml"), "job_workflow_ref": None}),
    ("workflow_ref", {"workflow_ref": started("x/.github/workflows/deploy.yml"), "job_workflow_ref": None}),
    ("workflow_ref", {"workflow_ref": started(repository="evil/azul"), "job_workflow_ref": None}),
    ("workflow_ref", {"workflow_ref": started(ref="refs/heads/mine"), "job_workflow_ref": None}),
    ("workflow_ref", {"workflow_ref": started(ref="refs/heads/main@x"), "job_workflow_ref": None}),
    ("workflow_ref", {"workflow_ref": "acme/azul/.github/workflows/deploy.yml", "job_workflow_ref": None}),
    ("job_workflow_ref", {"job_workflow_ref": "evil/tools/.github/workflows/deploy.yml@refs/heads/main"}),
    ("job_workflow_ref", {"job_workflow_ref": started(".github/workflows/called.yml")}),
    ("job_workflow_ref", {"job_workflow_ref": ""}),
]


@pytest.mark.parametrize(("claim", "changes"), WRONG, ids=str)
def test_each_wrong_claim_is_refused_by_its_own_check(monkeypatch, claim, changes):
    run = a_run(**changes)

    assert mismatches(a_rule(), run) == [claim]
    without(monkeypatch, claim)
    assert mismatches(a_rule(), run) == []


@pytest.mark.parametrize(
    "ref", ["refs/heads/other", "refs/tags/main", "refs/heads/main/x", "refs/heads/Main", "main", ""]
)
def test_another_ref_is_refused_even_if_its_workflow_matches(monkeypatch, ref):
    run = a_run(ref=ref, workflow_ref=started(ref=ref), job_workflow_ref=started(ref=ref))

    assert mismatches(a_rule(), run) == ["ref"]
    without(monkeypatch, "ref")
    assert mismatches(a_rule(), run) == []


def test_another_repository_is_refused(monkeypatch):
    renamed = started(repository="acme/other")
    run = a_run(repository="acme/other", workflow_ref=renamed, job_workflow_ref=renamed)

    assert mismatches(a_rule(), run) == ["repository"]
    without(monkeypatch, "repository")
    assert mismatches(a_rule(), run) == []


def test_a_repository_ignores_case():
    run = a_run(repository="Acme/Azul", workflow_ref=started(repository="Acme/Azul"), job_workflow_ref=None)

    assert mismatches(a_rule(repository="ACME/azul"), run) == []


def test_the_claim_sub_is_ignored():
    assert mismatches(a_rule(), a_run(sub="repo:evil/evil:ref:refs/heads/main")) == []


def test_every_fault_is_named():
    merge = "refs/pull/1/merge"
    run = a_run(
        repository_id="1",
        event_name="pull_request",
        ref=merge,
        workflow_ref=started(ref=merge),
        job_workflow_ref=started(ref=merge),
    )

    assert mismatches(a_rule(), run) == ["repository_id", "event_name", "ref"]


@pytest.mark.parametrize("event", ["push", "workflow_dispatch", "schedule", "release"])
def test_usual_events_are_trusted_by_default(event):
    assert mismatches(a_rule(), a_run(event_name=event)) == []


def test_a_workflow_run_is_trusted_if_the_publisher_names_it():
    assert mismatches(a_rule(events=("workflow_run",)), a_run(event_name="workflow_run")) == []


def test_a_publisher_with_a_called_workflow_trusts_only_this_workflow():
    publisher = a_rule(called_workflow="acme/pipelines/.github/workflows/deploy.yml@refs/tags/v*")

    called = a_run(job_workflow_ref="acme/pipelines/.github/workflows/deploy.yml@refs/tags/v2")
    assert mismatches(publisher, called) == []
    for other in ("acme/pipelines/.github/workflows/deploy.yml@refs/heads/v2", started(), None):
        assert mismatches(publisher, a_run(job_workflow_ref=other)) == ["job_workflow_ref"]


def test_the_repository_of_a_called_workflow_has_no_case_but_its_path_and_ref_have():
    publisher = a_rule(called_workflow="Acme/pipelines/.github/workflows/deploy.yml@refs/heads/main")

    for called, trusted in {
        "acme/Pipelines/.github/workflows/deploy.yml@refs/heads/main": True,
        "acme/pipelines/.github/workflows/Deploy.yml@refs/heads/main": False,
        "acme/pipelines/.github/workflows/deploy.yml@refs/heads/Main": False,
        "acme": False,
    }.items():
        assert (mismatches(publisher, a_run(job_workflow_ref=called)) == []) is trusted


def test_a_workflows_file_may_have_any_name():
    path = ".github/workflows/Deploy to prod (é).yml"
    run = a_run(workflow_ref=started(path), job_workflow_ref=started(path))

    assert mismatches(a_rule(workflow=path), run) == []
    assert mismatches(a_rule(), run) == ["workflow_ref"]


def test_a_job_outside_a_called_workflow_may_leave_the_claim_out():
    assert mismatches(a_rule(), a_run(job_workflow_ref=None)) == []


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("refs/heads/main", "refs/heads/main", True),
        ("refs/heads/*", "refs/heads/main", True),
        ("refs/heads/*", "refs/heads/", True),
        ("refs/heads/*", "refs/heads/release/1", False),
        ("refs/heads/release/*", "refs/heads/release/1", True),
        ("refs/tags/v*.*", "refs/tags/v1.2", True),
        ("refs/tags/v*.*", "refs/tags/v1", False),
        ("refs/heads/main", "refs/heads/main\n", False),
        ("refs/heads/*", "refs/heads/main\nx", True),
        ("refs/heads/m.in", "refs/heads/main", False),
        ("refs/heads/[a-z]+", "refs/heads/main", False),
    ],
)
def test_a_star_matches_anything_within_one_segment(pattern, text, fits):
    assert matches(pattern, text) is fits


# The records that a matching publisher lets a run write.


@pytest.mark.parametrize(
    ("wanted", "claimed", "allowed"),
    [
        (None, None, True),
        (None, "anything", True),
        ("development", "development", True),
        ("development", None, False),
        ("development", "Development", True),
        ("Blue Kiosk", "blue kiosK", True),
        ("kiosk", "\u212aiosk", False),  # the sign of the unit kelvin, whose lower case is k
        ("development", "development-verify", False),
    ],
)
def test_an_environment_is_written_from_its_github_environment_only(wanted, claimed, allowed):
    publisher = a_rule(environments={"development": wanted})

    permits = list(permitting([publisher], a_run(environment=claimed), "deployments", "development"))

    assert permits == ([publisher] if allowed else [])


def test_only_named_environments_may_be_written():
    assert not list(permitting([a_rule()], a_run(), "deployments", "production"))


def test_only_named_kinds_of_record_may_be_written():
    publisher = a_rule(kinds=("verifications",))

    assert list(permitting([publisher], a_run(), "verifications", "development"))
    assert not list(permitting([publisher], a_run(), "deployments", "development"))
    assert not list(permitting([publisher], a_run(), "workspaces", "development"))


@pytest.mark.parametrize(
    ("purposes", "purpose", "allowed"),
    [
        (("personal", "preview"), "preview", True),
        (("personal", "preview"), "debug", False),
        (("debug",), "debug", True),
        (("debug",), "preview", False),
        (("personal", "preview", "debug"), None, False),
    ],
)
def test_only_workspaces_of_named_purposes_may_be_written(purposes, purpose, allowed):
    publisher = a_rule(kinds=("workspaces",), purposes=purposes)

    permits = list(permitting([publisher], a_run(), "workspaces", "development", purpose))

    assert permits == ([publisher] if allowed else [])


def test_a_pattern_matches_the_same_texts_as_a_regular_expression() -> None:
    texts = ["".join(each) for length in range(6) for each in product("ab/", repeat=length)]
    patterns = ["".join(each) for length in range(5) for each in product("ab*/", repeat=length)]

    for pattern in patterns:
        expression = re.compile("[^/]*".join(map(re.escape, pattern.split("*"))))
        assert [text for text in texts if matches(pattern, text)] == [
            each for each in texts if expression.fullmatch(each)
        ]


def test_the_work_for_a_pattern_grows_with_the_text_only() -> None:
    # A regular expression needs 10^15 steps for this text.
    assert not matches("refs/heads/*a*a*a*a*a!", f"refs/heads/{'a' * 1000}")
