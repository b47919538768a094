"""Adoption removes the business from pages, the Makefile, configuration and migrations."""

import pytest

from tools.adopt import markup, migrations, pages
from tools.adopt.modules import Modules
from tools.adopt.words import Words


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\n<!-- registry -->\nb\n<!-- /registry -->\nc\n", "a\nc\n"),
        ("a\n\n<!-- registry -->\nb\n\n<!-- /registry -->\n\nc\n", "a\n\nc\n"),
        ("a:\n  # registry\n  b: 1\n  # /registry\n  c: 2\n", "a:\n  c: 2\n"),
        ("# template\na\n# registry\nb\n# /registry\n# /template\nc\n", "c\n"),
        ("// registry\na\n// /registry\nb\n// registry\nc\n// /registry\n", "b\n"),
        ("/* registry */\n.a {}\n/* /registry */\n.b {}\n", ".b {}\n"),
        ("# registry of things\na # registry\n", "# registry of things\na # registry\n"),
    ],
)
def test_marked_passages_go(text: str, left: str) -> None:
    assert markup.without_marked(text) == left


@pytest.mark.parametrize(
    "text", ["# registry\na\n", "a\n# /registry\n", "# template\n# /registry\n", "<!-- registry -->\na\n# /registry\n"]
)
def test_a_lone_marker_is_a_fault(text: str) -> None:
    with pytest.raises(ValueError, match="marker"):
        markup.without_marked(text)


PAGE = """\
# Pages

| page | for |
|---|---|
| [a](a.md) | a |
| [gone](gone.md#x) | b |

| page | for |
|---|---|
| [gone](../docs/gone.md) | b |

- [gone](gone.md): a text
  over two lines
  - with an item
- stays
  - [gone](gone.md)
  - [a](a.md) and [site](https://example.org/gone.md)
1. [a](#pages)

```text
- [gone](gone.md)
```
"""


def test_rows_and_items_that_link_to_a_missing_file_go() -> None:
    assert (
        markup.without_links("docs/b.md", PAGE, {"docs/a.md", "docs/b.md"})
        == """\
# Pages

| page | for |
|---|---|
| [a](a.md) | a |

- stays
  - [a](a.md) and [site](https://example.org/gone.md)
1. [a](#pages)

```text
- [gone](gone.md)
```
"""
    )


def test_targets_and_steps_without_a_command_or_a_path_go() -> None:
    makefile = """\
tools := python -m tools
##@ Some
run: venv ## Run
\t@$(tools) local run
replay: venv ## Replay
\t@$(tools) local replay
both: venv
\t@$(tools) local run
\t@for each in 1 2; do \\
\t\t$(tools) local replay; done
night: venv
\t@pytest tests/gone.py
\t@pytest tests/gone.py tests/kept.py || exit; .local/venv/bin/x
check: lint

##@ Others
adopt: venv
\t@$(tools) adopt run

##@ More
none:
\t@true
"""
    assert (
        markup.makefile(makefile, {("local", "run")}, {"tests/gone.py"})
        == """\
tools := python -m tools
##@ Some
run: venv ## Run
\t@$(tools) local run
both: venv
\t@$(tools) local run
night: venv
\t@pytest tests/kept.py || exit; .local/venv/bin/x
check: lint

##@ More
none:
\t@true
"""
    )


def test_the_commands_of_all_groups_are_found() -> None:
    tree = {
        "tools/__main__.py": 'GROUPS = {"local": ("run", "tools.local.commands"), "check": ("check", "checks")}\n',
        "tools/local/commands.py": 'COMMANDS = (Command("run", "a"), Command(\n    "token-print", f"{b}:c"))\n',
        "tools/local/more/commands.py": 'COMMANDS = (Command("more", "a"),)\n',
        "tools/checks/commands.py": 'COMMANDS = (Command("policy", "a"),)\n',
        "tools/aws/commands.py": 'COMMANDS = (Command("plan", "a"),)\n',
    }

    assert markup.commands(tree) == {
        ("local", "run"),
        ("local", "token-print"),
        ("local", "more"),
        ("check", "policy"),
    }


def test_module_names_in_toml_go() -> None:
    modules = Modules(["chalicelib/systems/store.py", "tools/local/run.py"])
    gone = {"chalicelib.state", "chalicelib.state.leases", "tools.adopt", "tools.adopt.words"}
    toml = """\
source_modules = ["chalicelib.*.store", "chalicelib.*.leases", "chalicelib.state"]
layers = ["__main__", "adopt", "(state) | (local)", "local"]
select = ["adopt", "state"]
ignore = [
  "EM",  # a comment
  "S1",
]
modules = [
    "tools.adopt",
    "tools.local",
]
"""

    assert (
        markup.toml(toml, modules, gone)
        == """\
source_modules = ["chalicelib.*.store"]
layers = ["__main__", "(state) | (local)", "local"]
select = ["adopt", "state"]
ignore = [
  "EM",  # a comment
  "S1",
]
modules = [
    "tools.local",
]
"""
    )


def test_migrations_get_numbers_without_gaps_wherever_they_are_named() -> None:
    tree = {
        "chalicelib/rest/migrations/0001_keys.sql": "",
        "chalicelib/systems/migrations/0004_systems.sql": "",
        "chalicelib/audit/migrations/0003_events.sql": "-- after 0001_keys, before 0004_systems\n",
        "tests/test_a.py": 'A = "chalicelib/systems/migrations/0004_systems.sql"\nB = "0004"\n',
    }

    assert migrations.renumbered(tree) == {
        "chalicelib/rest/migrations/0001_keys.sql": "",
        "chalicelib/systems/migrations/0003_systems.sql": "",
        "chalicelib/audit/migrations/0002_events.sql": "-- after 0001_keys, before 0003_systems\n",
        "tests/test_a.py": 'A = "chalicelib/systems/migrations/0003_systems.sql"\nB = "0004"\n',
    }


def test_sections_of_problems_that_no_code_declares_go() -> None:
    tree = {
        "chalicelib/a.py": 'x = problem_type("kept", 409, "Kept", "…")\n',
        "tools/b.py": 'y = problems.ProblemType(slug="slow", status=504)\nz = "gone"\n',
    }
    page = "# Problems\n\nAll.\n\n## gone\n\nA\n\n## kept\n\nB\n\n## slow\n\nC\n\n## Another heading\n\nD\n"

    assert pages.without_problems(page, tree) == (
        "# Problems\n\nAll.\n\n## kept\n\nB\n\n## slow\n\nC\n\n## Another heading\n\nD\n"
    )


def test_words_that_nothing_uses_go() -> None:
    vocabulary = (
        'A = "a"\nUSED = str\nOther = list[A]\nUnused = Annotated[\n    str,\n    Part,\n]\nPart = int\nRead = 1\n'
    )
    tree = {
        "a.py": "from chalicelib.vocabulary import USED\n# Other Unused\n",
        "b.py": "from chalicelib import vocabulary\nvocabulary.Read\n",
        "c.md": "Unused",
    }

    assert pages.without_unused_words(vocabulary, tree) == "USED = str\nRead = 1\n"


def test_the_copy_starts_with_its_own_version_description_and_changes() -> None:
    assert pages.with_version('A = 1\n__version__ = "1.2.3"\n') == 'A = 1\n__version__ = "0.1.0"\n'
    assert pages.with_description('name = "a"\ndescription = "b"\n[x]\n', r'Says "\1"') == (
        'name = "a"\ndescription = "Says \\"\\\\1\\""\n[x]\n'
    )
    changelog = pages.changelog("# Changelog\n\nAll changes.\n\n## [Unreleased]\n\nThe next version is 2.0.0.\n\n- A\n")
    assert changelog.startswith(
        "# Changelog\n\nAll changes.\n\n## [Unreleased]\n\nThe next version is 0.1.0.\n\n### Added\n\n- "
    )
    assert "- A\n" not in changelog


def test_the_readme_has_the_title_and_the_description() -> None:
    readme = pages.readme(Words("order-desk", description="Takes orders"))

    assert readme.startswith("# Order Desk\n\nTakes orders.\n\nOrder Desk is")
    assert "{{" not in readme
    assert Words("order-desk").remains(readme) == []
