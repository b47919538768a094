"""The new name takes the form that each place needs, and stays out of what keeps the template's name."""

import pytest

from tools.adopt.words import Words, check_name, check_owner
from tools.checkout import UsageError

WORDS = Words("long-distance-orders", "carriers-united")
KEEPING = Words("orders", kept=frozenset({"Slipway"}))


@pytest.mark.parametrize("name", ["orders", "o2", "order-desk", "slipway-two", "a2345678901234567890"])
def test_a_good_name_is_accepted(name: str) -> None:
    check_name(name, {"tools", "systems"})


@pytest.mark.parametrize(
    "name",
    [
        *(
            "o",
            "a23456789012345678901",
            "Orders",
            "order_desk",
            "order--desk",
            "-orders",
            "orders-",
            "2orders",
            "örders",
        ),
        *("orders\n", "", "slipway", "acme", "class", "order", "user", "postgres", "template1", "pg", "pg-orders"),
        *("tools", "systems", "test", "production", "default", "laws", "amazon-orders"),
    ],
)
def test_a_name_that_would_break_something_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"NAME is {name!r}".replace("\\", "\\\\")):
        check_name(name, {"tools", "systems"})


@pytest.mark.parametrize("owner", ["", "acme", "Acme-2"])
def test_an_owner_that_github_allows_is_accepted(owner: str) -> None:
    check_owner(owner)


@pytest.mark.parametrize("owner", ["-acme", "acme-", "acme--2", "a_b", "a/b", "a" * 40])
def test_an_owner_that_github_refuses_is_refused(owner: str) -> None:
    with pytest.raises(UsageError, match="OWNER"):
        check_owner(owner)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.sql", "GRANT SELECT ON a TO slipway_app;", "GRANT SELECT ON a TO long_distance_orders_app;"),
        (
            "a.sql",
            "CREATE DATABASE slipway; -- a slipway",
            "CREATE DATABASE {0}; -- a {0}".format("long_distance_orders"),
        ),
        (
            "a.tf",
            'policy/slipway-account-*", "slipway"',
            'policy/long-distance-orders-account-*", "long-distance-orders"',
        ),
        ("a.tf", "dbuser:*/slipway_app", "dbuser:*/long_distance_orders_app"),
        ("a.py", 'NAME = "slipway"', 'NAME = "long-distance-orders"'),
        ("a.py", 'ROLE = "slipway_app"', 'ROLE = "long_distance_orders_app"'),
        ("a.py", 'f"SET ROLE slipway_{role}"', 'f"SET ROLE long_distance_orders_{role}"'),
        ("a.py", "def slipway(a): slipway_url(a)\n", "def long_distance_orders(a): long_distance_orders_url(a)\n"),
        ("a.py", "class SlipwayTest: ...  # Slipway\n", "class LongDistanceOrdersTest: ...  # Long Distance Orders\n"),
        ("a.py", "acme = 'acme/slipway'", "acme = 'carriers-united/long-distance-orders'"),
        ("a.py", "f'acme/{NAME}' or 'acme/shop'", "f'carriers-united/{NAME}' or 'acme/shop'"),
        ("a.hcl", '"acme", "acme@65/shop@4", "acme/*"', '"carriers-united", "acme@65/shop@4", "acme/*"'),
        ("a.js", "headers['x-slipway-client']", "headers['x-long-distance-orders-client']"),
        ("a.md", "Slipway's rules. A slipway.", "Long Distance Orders' rules. A long-distance-orders."),
        ("CODEOWNERS", "@acme/slipway-security", "@carriers-united/long-distance-orders-security"),
        ("a.json", '"repo:acme@65/slipway@74"', '"repo:carriers-united@65/long-distance-orders@74"'),
        ("a.yml", "${{ vars.SLIPWAY_SYSTEM || 'slipway' }}", "${{ vars.SLIPWAY_SYSTEM || 'long-distance-orders' }}"),
        ("a.py", "from tools.slipway_client import SLIPWAY", "from tools.slipway_client import SLIPWAY"),
        ("a.py", "acmes = pacme", "acmes = pacme"),
    ],
)
def test_each_place_gets_its_form_of_the_name(path: str, old: str, new: str) -> None:
    assert WORDS.renamed(path, old) == new
    assert WORDS.remains(new) == []


def test_a_name_that_kept_code_defines_stays() -> None:
    code = 'from tools.slipway_client.client import Slipway\n\nSlipway("Slipway")\n'

    assert KEEPING.renamed("a.py", code) == code.replace('"Slipway"', '"Orders"')


def test_the_grammar_follows_the_name() -> None:
    assert Words("desk").renamed("a.md", "Slipway's, a slipway") == "Desk's, a desk"
    assert Words("orders").renamed("a.md", "A Slipway's, a slipway") == "An Orders', an orders"


@pytest.mark.parametrize(
    ("old", "new"), [("tests/test_slipway.py", "tests/test_order_desk.py"), ("docs/slipway.md", "docs/order-desk.md")]
)
def test_a_files_name_changes_too(old: str, new: str) -> None:
    assert Words("order-desk").renamed_path(old) == new


def test_a_name_may_contain_the_templates_name() -> None:
    words = Words("slipway-two", "acme-slipway", 'Not "Slipway"')

    renamed = words.renamed("a.py", "slipway = 'acme/slipway'  # Slipway, slipway_app\n")

    assert renamed == "slipway_two = 'acme-slipway/slipway-two'  # Slipway Two, slipway_two_app\n"
    assert words.remains(renamed + 'Not "Slipway"\n"Not \\"Slipway\\""') == []
    assert words.remains('"Slipway"') == ['"Slipway"']


def test_a_forgotten_name_is_found() -> None:
    words = Words("slipway-two", kept=frozenset({"Slipway"}))

    assert words.remains("slipway-two\nslipway\nSLIPWAY_URL\nMySlipway\ntools.slipway_client\nSlipway()\n") == [
        "slipway",
        "MySlipway",
    ]
