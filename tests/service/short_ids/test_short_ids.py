"""Short ids: 7 or more digits that fit one id of the system."""

import pytest

from chalicelib.short_ids.model import MOST_CANDIDATES

DEPLOYMENTS = "/v1/systems/azul/deployments"
LISTS = ("deployments", "verifications", "promotions")


def tree(digits: str, length: int = 40) -> str:
    return f"tree:{sha(digits, length)}"


def sha(digits: str, length: int = 40) -> str:
    return digits.ljust(length, "0")


def commits(*shas: str) -> list[dict[str, str]]:
    return [{"sha": each, "authored_at": "2025-12-24T12:00:00Z"} for each in shas]


def everything(given, artifact: str, **fields) -> None:
    """Record a promotion, a deployment and a verification of an artifact."""
    given.a_deployment(artifact, environment="development", **fields)
    given.a_verification()


def addresses(short: str) -> list[str]:
    """Return the addresses that take a short id of an artifact."""
    return [
        f"/v1/systems/azul/artifacts/{short}",
        f"/v1/systems/azul/environments/preproduction/changes?artifact={short}",
        *(f"/v1/systems/azul/{name}?artifact={short}" for name in LISTS),
    ]


@pytest.mark.parametrize("short", ["5b67857", "tree:5b67857", sha("5b67857"), sha("5b67857", 39), tree("5b67857", 39)])
@pytest.mark.parametrize("length", [40, 64])
def test_an_artifact_is_found_by_its_digits(api, given, short, length):
    given.the_usual()
    everything(given, tree("5b67857", length))
    everything(given, tree("5b67858"))

    assert api.get(f"/v1/systems/azul/artifacts/{short}")["artifact"] == tree("5b67857", length)
    for name in LISTS:
        found = api.get(f"/v1/systems/azul/{name}?artifact={short}")["items"]
        assert {each["artifact"] for each in found} == {tree("5b67857", length)}
    changes = api.get(f"/v1/systems/azul/environments/preproduction/changes?artifact={short}")
    assert changes["head"]["artifact"] == tree("5b67857", length)


def test_a_bare_digest_is_found_where_artifacts_are_digests(api, given):
    given.a_system(artifact_kind="sha256")
    given.an_environment()
    digest = f"sha256:{'a1b2c3d'.ljust(64, '0')}"
    everything(given, digest)

    for short in ("a1b2c3d", "sha256:a1b2c3d", digest):
        assert api.get(f"/v1/systems/azul/artifacts/{short}")["artifact"] == digest
    assert api.get("/v1/systems/azul/artifacts/tree:a1b2c3d").problem == "not-found"


def test_an_id_that_is_the_start_of_another_is_found(api, given):
    given.the_usual()
    everything(given, tree("5b67857"))
    everything(given, tree("5b67857", 64))

    assert api.get(f"/v1/systems/azul/artifacts/{sha('5b67857')}")["artifact"] == tree("5b67857")
    assert api.get(f"/v1/systems/azul/artifacts/{sha('5b67857', 39)}").problem == "ambiguous-id"


@pytest.mark.parametrize("count", [2, MOST_CANDIDATES, MOST_CANDIDATES + 1])
def test_digits_that_fit_several_artifacts_are_refused_with_the_candidates(api, given, count):
    given.the_usual()
    artifacts = [tree(f"5b67857{number:02}") for number in range(count)]
    for artifact in artifacts:
        everything(given, artifact)
        everything(given, artifact)

    for address in addresses("5b67857"):
        answer = api.get(address)
        assert (answer.status, answer.problem) == (409, "ambiguous-id")
        assert answer["candidates"] == artifacts[:MOST_CANDIDATES]
    assert api.get("/v1/systems/azul/artifacts/5b6785701")["artifact"] == artifacts[1]


def test_digits_of_no_artifact_find_nothing(api, given):
    given.the_usual()
    everything(given, tree("5b67857"))

    for address in addresses("5b67850"):
        answer = api.get(address)
        assert answer["items"] == [] if "items" in answer.json else answer.problem == "not-found"


def test_other_systems_do_not_count(api, given):
    given.the_usual()
    given.a_system("shop")
    given.an_environment(system="shop")
    everything(given, tree("5b678571"), commits=commits(sha("abcdef01")), revision=sha("abcdef01"))
    given.a_deployment(tree("5b678572"), system="shop", commits=commits(sha("abcdef02")), revision=sha("abcdef02"))

    assert api.get("/v1/systems/azul/artifacts/5b67857")["artifact"] == tree("5b678571")
    assert api.get("/v1/systems/azul/commits/abcdef0")["sha"] == sha("abcdef01")
    assert len(api.get(f"{DEPLOYMENTS}?revision=abcdef0")["items"]) == 1
    assert api.get("/v1/systems/none/artifacts/5b67857").problem == "not-found"
    assert api.get("/v1/systems/none/deployments?artifact=5b67857").problem == "not-found"


def test_an_artifact_is_found_that_was_only_asked_for(api, given):
    given.the_usual()
    given.a_deployment(tree("5b678571"))
    api.post("/v1/systems/azul/promotions", {"artifact": tree("5b678572"), "environment": "production"})

    assert api.get("/v1/systems/azul/promotions?artifact=5b678572")["items"] != []
    assert api.get("/v1/systems/azul/artifacts/5b67857").problem == "ambiguous-id"


@pytest.mark.parametrize("length", [40, 64])
def test_a_revision_and_a_commit_are_found_by_their_digits(api, given, length):
    given.the_usual()
    full = sha("abcdef01", length)
    given.a_deployment(tree("1"), revision=full, commits=commits(full))
    given.a_deployment(tree("2"), revision=sha("abcdef1"), commits=commits(sha("abcdef1")))
    given.a_deployment(tree("3"), environment="production", commits=commits(full))
    given.a_deployment(tree("4"))

    for short in ("abcdef0", full[:39], full):
        assert [each["revision"] for each in api.get(f"{DEPLOYMENTS}?revision={short}")["items"]] == [full]
        assert api.get(f"/v1/systems/azul/commits/{short}")["sha"] == full
    assert api.get(f"{DEPLOYMENTS}?revision=abcdef9")["items"] == []
    assert api.get("/v1/systems/azul/commits/abcdef9").problem == "not-found"


def test_digits_that_fit_several_commits_are_refused_with_the_candidates(api, given):
    given.the_usual()
    shas = [sha(f"abcdef0{number}") for number in range(3)]
    for number, each in enumerate(shas):
        environment = ("development", "production")[number % 2]
        given.a_deployment(tree(str(number)), environment=environment, revision=each, commits=commits(*shas[number:]))

    for address in (f"{DEPLOYMENTS}?revision=abcdef0", "/v1/systems/azul/commits/abcdef0"):
        answer = api.get(address)
        assert (answer.status, answer.problem, answer["candidates"]) == (409, "ambiguous-id", shas)


@pytest.mark.parametrize("short", ["5b6785", "5B67857", "tree:5b6785", "sha1:5b67857", "5b67857g", "a" * 65, "%5b6785"])
def test_a_filter_that_is_no_id_is_refused(api, given, short):
    given.the_usual()

    for name in LISTS:
        answer = api.get(f"/v1/systems/azul/{name}?artifact={short.replace('%', '%25')}")
        assert (answer.status, [fault["pointer"] for fault in answer["errors"]]) == (422, ["#/artifact"])


def test_writes_need_full_ids(api, given):
    given.the_usual()
    given.a_deployment(tree("5b67857"))

    for body in ({"artifact": "5b67857"}, {"artifact": tree("5b67857"), "revision": "abcdef0"}):
        assert api.post(DEPLOYMENTS, {"environment": "development", **body}).problem == "invalid"


def test_a_page_that_is_filtered_by_digits_continues(api, given):
    given.the_usual()
    for _ in range(3):
        given.a_deployment(tree("5b67857"))

    first = api.get(f"{DEPLOYMENTS}?artifact=5b67857&limit=2")

    assert len(api.get(f"{DEPLOYMENTS}?artifact=5b67857&limit=2&cursor={first['next']}")["items"]) == 1
