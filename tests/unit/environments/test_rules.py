"""A production environment that requires less takes a reason, another system's account an admin (docs/design.md)."""

from datetime import UTC, datetime

import msgspec
import pytest

from chalicelib.environments.model import Environment
from chalicelib.environments.rules import loosened, require_own_account
from chalicelib.identity.roles import Role
from chalicelib.rest.problems import Problem


def an_environment(name, rank, **fields):
    known = {
        "aws_account_id": None,
        "region": None,
        "base_url": None,
        "production": name == "production",
        "required_soak_seconds": 60,
        "verification_max_age_seconds": 3600,
        "required_suites": ("acceptance", "load"),
        "required_approvals": 2,
        "workspace_hosts": (),
    }
    return Environment(name=name, rank=rank, created_at=datetime(2026, 1, 1, tzinfo=UTC), **{**known, **fields})


ALL = [an_environment("development", 10), an_environment("preproduction", 20), an_environment("production", 30)]


def after(name, **fields):
    return [msgspec.structs.replace(each, **fields) if each.name == name else each for each in ALL]


@pytest.mark.parametrize(
    ("fields", "loss"),
    [
        ({"production": False}, "production would no longer be production"),
        ({"required_suites": ("load",)}, "production would no longer require the suite acceptance"),
        ({"required_suites": ("load", "smoke")}, "production would no longer require the suite acceptance"),
        ({"required_approvals": 1}, "production would require fewer approvals"),
        ({"required_soak_seconds": 59}, "production would require a shorter soak"),
        ({"verification_max_age_seconds": 3601}, "production would accept older verifications"),
        ({"verification_max_age_seconds": None}, "production would accept older verifications"),
        ({"base_url": "https://blue.example.org"}, "production would have another base_url"),
        ({"base_url": None}, "production would have another base_url"),
        (
            {"workspace_hosts": ("azul.example.org", "b.example.org")},
            "production would let clients be routed to b.example.org",
        ),
        ({"rank": 15}, "production would no longer come directly after preproduction"),
        ({"rank": 5}, "production would no longer come directly after preproduction"),
    ],
    ids=str,
)
def test_a_production_environment_that_requires_less_or_trusts_more_is_loosened(fields, loss):
    before = after("production", base_url="https://azul.example.org", workspace_hosts=("azul.example.org",))
    now = [msgspec.structs.replace(each, **fields) if each.name == "production" else each for each in before]

    assert loosened(before, now) == [loss]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"required_suites": ("load", "smoke", "acceptance")},
        {"required_approvals": 3},
        {"required_soak_seconds": 61},
        {"verification_max_age_seconds": 3599},
        {"rank": 21},
        {"workspace_hosts": ()},
        {"base_url": "https://shop.example.org", "region": "eu-central-1", "aws_account_id": "111122223333"},
    ],
    ids=str,
)
def test_a_production_environment_that_requires_as_much_or_more_is_not(fields):
    assert loosened(ALL, after("production", **fields)) == []


def test_an_unlimited_age_can_only_be_tightened():
    unlimited = after("production", verification_max_age_seconds=None)

    assert loosened(unlimited, unlimited) == []
    assert loosened(unlimited, ALL) == []


def test_every_loss_is_named():
    assert loosened(ALL, after("production", required_suites=(), required_soak_seconds=0)) == [
        "production would no longer require the suite acceptance",
        "production would no longer require the suite load",
        "production would require a shorter soak",
    ]


def test_a_production_environment_that_is_deleted_is_loosened():
    assert loosened(ALL, ALL[:2]) == ["production would be deleted"]


@pytest.mark.parametrize(
    "others",
    [
        ALL[::2],
        after("preproduction", rank=5),
        after("preproduction", rank=31),
        [*ALL, an_environment("staging", 25)],
        after("development", rank=29),
    ],
    ids=["deleted", "moved down", "moved above", "created between", "moved between"],
)
def test_another_environment_before_production_is_loosening(others):
    assert loosened(ALL, others) == ["production would no longer come directly after preproduction"]


def test_a_first_environment_before_production_is_not():
    assert loosened(ALL[2:], ALL) == []


@pytest.mark.parametrize("name", ["development", "preproduction"])
def test_other_environments_may_require_less(name):
    less = {"required_suites": (), "required_soak_seconds": 0, "verification_max_age_seconds": None}

    assert loosened(ALL, after(name, **less)) == []


def test_an_environment_that_becomes_production_is_not_loosened():
    assert loosened(ALL, after("preproduction", production=True, required_suites=())) == []


@pytest.mark.parametrize("may_read", [True, False])
def test_a_refused_account_names_its_system_only_to_callers_who_may_read_that_system(may_read):
    with pytest.raises(Problem) as refused:
        require_own_account("azul", "blue", Role.maintainer, may_read=may_read)

    assert ("blue" in refused.value.detail) is may_read


def test_an_admin_may_name_the_account_of_another_system():
    require_own_account("azul", "blue", Role.admin, may_read=True)


@pytest.mark.parametrize("first_system", [None, "azul"])
def test_an_account_that_no_other_system_named_first_is_free(first_system):
    require_own_account("azul", first_system, Role.maintainer, may_read=True)
