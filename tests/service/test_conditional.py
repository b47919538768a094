"""Conditional requests: a change needs the current ETag. An unchanged resource is not sent again."""

import pytest

from tests.support.races import at_once, held
from tests.support.writes import CHANGES, WRITES, everything, everything_done, send

PATH = "/v1/systems/azul"
STALE = '"000000000000000000000000"'

of_every_change = pytest.mark.parametrize("route", CHANGES)


def test_create_change_and_read_give_the_same_etag(api):
    created = api.post("/v1/systems", {"key": "azul", "name": "Azul"})
    read = api.get(PATH)
    changed = api.patch(PATH, {"name": "Blue"}, if_match=read.headers["ETag"])

    assert created.headers["ETag"] == read.headers["ETag"]
    assert changed.headers["ETag"] != read.headers["ETag"]
    assert api.get(PATH).headers["ETag"] == changed.headers["ETag"]


def test_an_etag_is_strong_and_quoted(api, given):
    given.a_system()

    tag = api.get(PATH).headers["ETag"]

    assert tag.startswith('"')
    assert tag.endswith('"')


@pytest.mark.parametrize("form", ["{tag}", "W/{tag}", '"other", {tag}', '"other",W/{tag} ', "*", " * "])
def test_a_resource_that_the_client_has_is_not_sent_again(api, given, form):
    given.a_system()
    tag = api.get(PATH).headers["ETag"]

    answer = api.get(PATH, if_none_match=form.format(tag=tag))

    assert (answer.status, answer.body) == (304, "")
    assert answer.headers["ETag"] == tag


@pytest.mark.parametrize("header", [STALE, f'W/{STALE}, "other"', "", '"*"'])
def test_a_resource_that_the_client_does_not_have_is_sent(api, given, header):
    given.a_system()

    answer = api.get(PATH, if_none_match=header)

    assert (answer.status, answer["key"]) == (200, "azul")


def test_a_list_is_not_sent_again_until_it_changes(api, given):
    given.a_system()
    tag = api.get("/v1/systems").headers["ETag"]
    assert api.get("/v1/systems", if_none_match=tag).status == 304

    given.a_system("blue")

    assert api.get("/v1/systems", if_none_match=tag).status == 200


def test_a_write_ignores_if_none_match(api):
    answer = api.post("/v1/systems", {"key": "azul", "name": "Azul"}, if_none_match="*")

    assert answer.status == 201


@of_every_change
def test_a_change_without_if_match_is_refused(api, given, route):
    write = WRITES[route](given)
    before = everything(given)

    answer = api.send(route.partition(" ")[0], write.path, write.body)

    assert (answer.status, answer.problem) == (428, "precondition-required")
    assert everything(given) == before


@of_every_change
def test_a_change_with_a_stale_or_malformed_if_match_is_refused(api, given, route):
    write = WRITES[route](given)
    tag = api.get(write.path).headers["ETag"]
    bare = tag.strip('"')
    before = everything_done(given)
    stale = [STALE, f'{STALE}, "older"', f"{STALE},{STALE}", '"*"']
    weak = [f"W/{STALE}", f"w/{tag}", f"W/ {tag}", f"W/W/{tag}", 'W/"*"']
    malformed = [
        "",
        " ",
        ",",
        bare,
        f'"{bare}',
        f'{bare}"',
        f"'{bare}'",
        f"{tag}{tag}",
        f"{tag} {STALE}",
        "**",
        "\ud800",
    ]

    for header in stale + weak + malformed:
        answer = send(api, route, write, if_match=header)

        assert (answer.status, answer.problem) == (412, "precondition-failed"), repr(header)
    assert everything_done(given) == before


@of_every_change
@pytest.mark.parametrize(
    "form",
    ["{tag}", f"{STALE}, {{tag}}", f"{{tag}},{STALE}", f"{STALE} ,\t{{tag}} , ", "*", "W/{tag}", f"{STALE}, W/{{tag}}"],
)
def test_a_change_with_the_current_etag_is_accepted(api, given, route, form):
    write = WRITES[route](given)
    header = form.format(tag=api.get(write.path).headers["ETag"])

    assert send(api, route, write, if_match=header).status < 300


def test_an_etag_from_before_a_change_is_stale(api, given):
    given.a_system()
    tag = api.get(PATH).headers["ETag"]
    api.patch(PATH, {"name": "Blue"}, if_match=tag)

    assert api.patch(PATH, {"name": "Green"}, if_match=tag).status == 412
    assert api.delete(PATH, if_match=tag).status == 412
    assert api.get(PATH)["name"] == "Blue"


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        (PATH, [{"name": "Blue"}, {"name": "Green"}]),
        (f"{PATH}/environments/development", [{"base_url": "https://blue.example.org"}, {"base_url": None}]),
    ],
)
def test_one_of_two_changes_of_the_same_state_wins(api, given, path, changes):
    given.a_system()
    given.an_environment(base_url="https://azul.example.org")
    tag = api.get(path).headers["ETag"]

    answers = at_once(*(lambda change=change: api.patch(path, change, if_match=tag) for change in changes))

    assert sorted(answer.status for answer in answers) == [200, 412]
    (winner,) = (answer for answer in answers if answer.status == 200)
    assert api.get(path).json == winner.json


@pytest.mark.parametrize("path", [PATH, f"{PATH}/environments/development"])
def test_a_change_that_waited_for_another_is_stale(api, given, database_url, path):
    given.a_system()
    given.an_environment()
    tag = api.get(path).headers["ETag"]

    # Both requests are sent with the same ETag. Neither request can change anything before the block ends.
    with held(database_url, "SELECT FROM systems, environments FOR UPDATE") as hold:
        answers = [hold.waiting(lambda: api.patch(path, _another(path), if_match=tag)) for _ in range(2)]

    assert sorted(answer.result().status for answer in answers) == [200, 412]


def _another(path: str) -> dict[str, str]:
    return {"base_url": "https://blue.example.org"} if "environments" in path else {"name": "Blue"}
