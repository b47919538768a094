"""Adoption removes each use of a removed module from Python code, and leaves the rest unchanged."""

from textwrap import dedent

import pytest

from tools.adopt import business, python_code
from tools.adopt.modules import Modules
from tools.adopt.verify import faults
from tools.adopt.words import Words

GONE = {
    "chalicelib.deployments",
    "chalicelib.deployments.leases",
    "tools.local.registry",
    "tools.local.registry.replay",
}


def pruned(code: str) -> str:
    return python_code.pruned(dedent(code).lstrip("\n"), GONE)


def test_an_import_goes_with_the_entries_that_use_it() -> None:
    assert pruned(
        """
        from chalicelib.deployments import leases
        from chalicelib.deployments.leases import blueprint as deployments
        from chalicelib.sweep import STEPS, blueprint

        for each in (
            blueprint,
            deployments,
        ):
            register(each)

        # A lease ends before its workspace.
        STEPS["leases"] = Step(leases.DUE, leases.lapse)
        """
    ) == dedent(
        """\
        from chalicelib.sweep import blueprint

        for each in (
            blueprint,
        ):
            register(each)

        """
    )


def test_an_entry_that_names_a_removed_module_in_a_text_goes() -> None:
    assert pruned(
        """
        _URL = Option("URL")
        COMMANDS = (
            Command("run", "tools.local.run:main"),
            # Real data.
            Command(
                "replay",
                "tools.local.registry.replay:main",
                (_URL,),
            ),
        )
        """
    ) == dedent(
        """\
        COMMANDS = (
            Command("run", "tools.local.run:main"),
        )
        """
    )


def test_keys_bases_and_parts_of_an_import_go() -> None:
    assert pruned(
        """
        from chalicelib import deployments, systems
        from chalicelib.deployments import leases as old

        ALL = {
            "deployments": (deployments, 1),
            "systems": (systems, 2),
        }


        class Given(
            old.Records,
            systems.Records,
        ):
            pass
        """
    ) == dedent(
        """\
        from chalicelib import systems

        ALL = {
            "systems": (systems, 2),
        }


        class Given(
            systems.Records,
        ):
            pass
        """
    )


def test_the_elements_of_an_annotation_do_not_go_alone() -> None:
    code = "from chalicelib.deployments import Lease\nKEPT = 1\nId = Annotated[\n    str,\n    Lease,\n]\n"

    assert pruned(code) == "KEPT = 1\n"


@pytest.mark.parametrize("code", ["from chalicelib.systems import a\n\n_UNUSED = 1\nprint('tools.local')\n", ""])
def test_code_that_uses_nothing_of_the_business_stays_as_it_is(code: str) -> None:
    assert pruned(code) == code


def test_new_packages_are_business_and_files_with_their_names_go() -> None:
    tree = dict.fromkeys(
        (
            *("chalicelib/rockets/store.py", "tests/service/rockets/test_rockets.py", "tools/checks/fuzz/rockets.py"),
            *("docs/rockets.md", "docs/registry/a.md", "tools/adopt/words.py", "tests/local/test_adopt.py"),
            *("chalicelib/systems/store.py", "infra/account/rockets.tf", "tests/unit/test_rockets.py", "app.py"),
        ),
        "",
    )

    assert [*business.without_business(tree)] == [
        "chalicelib/systems/store.py",
        "infra/account/rockets.tf",
        "tests/unit/test_rockets.py",
        "app.py",
    ]


@pytest.mark.parametrize(
    ("path", "text", "fault"),
    [
        ("app.py", "from chalicelib.deployments import leases\n", "app.py imports chalicelib.deployments.leases"),
        ("app.py", "from chalicelib.systems import gone\n", "app.py imports chalicelib.systems.gone"),
        ("app.py", "from chalicelib import systems\nsystems.gone\n", "app.py line 2 uses chalicelib.systems.gone"),
        ("app.py", "RUN = 'chalicelib.systems:gone'\n", "app.py line 1 names chalicelib.systems.gone"),
        ("app.py", "RUN = 'chalicelib.deployments.leases'\n", "app.py line 1 names chalicelib.deployments.leases"),
        ("README.md", "[a](docs/a.md)\n", "README.md links docs/a.md"),
        ("README.md", "[a](docs/b.md#none)\n", "README.md links docs/b.md#none"),
        ("Makefile", "\tpytest tests/service/deployments\n", "Makefile names tests/service/deployments"),
        ("infra/a.tf", "# see docs/a.md.\n", "infra/a.tf names docs/a.md"),
        ("infra/a.tf", 'name = "slipway"\n', "infra/a.tf has the template's name"),
    ],
)
def test_a_leftover_is_found(path: str, text: str, fault: str) -> None:
    old = {
        "chalicelib/systems/__init__.py": "def kept() -> None: ...\n",
        "chalicelib/deployments/leases.py": "",
        "docs/a.md": "# A\n",
        "docs/b.md": "# B\n",
        "tests/service/deployments/test_deployments.py": "",
        path: text,
    }
    new = {each: old[each] for each in ("chalicelib/systems/__init__.py", "docs/b.md", path)}

    [found] = faults(old, new, Words("orders"))

    assert found.startswith(fault)


def test_a_tree_without_leftovers_has_no_fault() -> None:
    tree = {
        "chalicelib/systems/__init__.py": "def kept() -> None: ...\n",
        "app.py": "from chalicelib import systems\n\nsystems.kept()\nRUN = 'chalicelib.systems:kept'\n",
        "LICENSE": "the Slipway contributors\n",
        "tools/slipway_client/client.py": "class Slipway: ...\n",
        "README.md": "[a](docs/b.md#b) [c](https://example.org/x.md)\n\n```text\n[d](none.md)\n```\n",
        "docs/b.md": "# B\n",
    }

    assert faults(tree | {"docs/a.md": ""}, tree, Words("orders")) == []


def test_modules_that_are_gone_include_their_packages() -> None:
    assert Modules(["tools/a/b.py", "tools/c.py"]).gone(Modules(["tools/c.py"])) == {"tools.a", "tools.a.b"}
