"""GET /v1/me: the subject and the roles of the caller."""

import pytest

from chalicelib.identity.roles import Role
from chalicelib.me.model import MOST_PUBLISHERS, MOST_SYSTEMS
from chalicelib.rest.admission import MOST_NAMED
from tests.support.expected import Expected
from tests.support.largest import copy

EXPECTED = Expected(
    roles={
        "GET /v1/me": Role.anybody,
    },
)


def test_a_person_sees_their_roles_and_systems(api):
    me = api.as_member("everybody", "azul-maintainers", "all-maintainers", "unheard-of").get("/v1/me")

    assert (me["subject"], me["kind"]) == ("5ad4", "person")
    assert me["roles"] == [
        {"role": "viewer", "systems": None, "more_systems": False},
        {"role": "maintainer", "systems": ["azul"], "more_systems": False},
        {"role": "maintainer", "systems": None, "more_systems": False},
    ]
    assert me["publishers"] == []


def test_a_local_tokens_role_is_shown(api):
    assert api.as_("admin").get("/v1/me")["roles"] == [{"role": "admin", "systems": None, "more_systems": False}]
    assert api.as_("pipeline").get("/v1/me")["roles"] == [
        {"role": "pipeline", "systems": ["azul"], "more_systems": False}
    ]


@pytest.mark.parametrize("who", ["a person", "a run"])
def test_a_caller_without_a_role_sees_none(api, who):
    stranger = api.as_member("unheard-of") if who == "a person" else api.as_run()

    me = stranger.get("/v1/me")

    assert (me.status, me["roles"], me["publishers"]) == (200, [], [])
    assert stranger.get("/v1/systems").problem == "forbidden"


def test_a_run_sees_which_publishers_trust_it_and_why_others_do_not(api, given):
    given.the_usual()
    given.a_system("blue")
    given.an_environment(system="blue")
    fitting = given.a_publisher()["id"]
    other = given.a_publisher(system="blue", ref="refs/heads/other", events=["release"])["id"]
    given.a_publisher(repository_id="75")

    me = api.as_run().get("/v1/me")

    assert me["roles"] == [{"role": "pipeline", "systems": ["azul"], "more_systems": False}]
    assert me["publishers"] == [
        {"id": fitting, "system": "azul", "mismatches": []},
        {"id": other, "system": "blue", "mismatches": ["event_name", "ref"]},
    ]


def test_the_answer_says_when_the_token_expires(api):
    assert api.as_member("everybody", exp=2_000_000_000).get("/v1/me")["expires_at"] == "2033-05-18T03:33:20Z"


@pytest.mark.parametrize("exp", [1e300, 2**62, 253402300800, -1, "2000000000", True, [2000000000]], ids=str)
def test_a_token_whose_expiry_is_no_time_is_refused(api, exp):
    for caller in (api.as_("admin", exp=exp), api.as_member("admins", exp=exp), api.as_run(exp=exp)):
        answer = caller.get("/v1/me")

        assert (answer.status, answer.problem) == (401, "unauthenticated")


def test_the_last_expiry_that_is_a_time_is_shown(api):
    assert api.as_("admin", exp=253402300799).get("/v1/me")["expires_at"] == "9999-12-31T23:59:59Z"


def test_a_run_sees_the_first_of_many_publishers(api, given):
    given.a_system_with_an_environment()
    given.a_publisher()
    copy(given, "publishers", f", generate_series(2, {MOST_PUBLISHERS})")

    assert api.as_run().get("/v1/me")["more_publishers"] is False

    given.a_system("blue")
    copy(given, "publishers", "WHERE t.id = 1", system_id="2")
    me = api.as_run().get("/v1/me")

    assert (len(me["publishers"]), me["more_publishers"]) == (MOST_PUBLISHERS, True)
    assert [role["systems"] for role in me["roles"]] == [["azul", "blue"]]


def test_a_caller_sees_the_first_of_many_systems(api):
    systems = [f"system-{n}" for n in range(MOST_SYSTEMS + 1)]

    [role] = api.as_("maintainer", systems=systems).get("/v1/me")["roles"]

    assert (len(role["systems"]), role["more_systems"]) == (MOST_SYSTEMS, True)


def test_a_refusal_names_the_first_of_many_publishers(api, given):
    given.a_system_with_an_environment()
    given.a_publisher(ref="refs/heads/other")
    copy(given, "publishers", f", generate_series(1, {MOST_NAMED})")

    detail = api.as_run().get("/v1/systems/azul")["detail"]

    assert detail.count("expects another ref") == MOST_NAMED
    assert "1 other publishers" in detail
