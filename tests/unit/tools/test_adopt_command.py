"""`make adopt` refuses what it can't adopt, changes nothing in a dry run, and writes a whole copy otherwise."""

import json
from pathlib import Path

import pytest

from tools.adopt import command, trial
from tools.checkout import ToolError, UsageError

TREE = {
    "Makefile": "run:\n\t@$(tools) local run\nadopt:\n\t@$(tools) adopt run\n",
    "pyproject.toml": '[project]\nname = "slipway"\ndescription = "Old"\n',
    "CHANGELOG.md": "# Changelog\n\n## 1.0.0\n",
    "README.md": "# Slipway\n\n[rockets](chalicelib/rockets/store.py)\n",
    "LICENSE": "The Slipway contributors\n",
    "app.py": "from chalicelib.rockets import store\nfrom chalicelib.systems import blueprint\n\nprint(blueprint)\n",
    "chalicelib/__init__.py": '__version__ = "1.0.0"\n',
    "chalicelib/vocabulary.py": "",
    "chalicelib/rockets/store.py": "",
    "chalicelib/rockets/migrations/0001_rockets.sql": "",
    "chalicelib/systems/__init__.py": "blueprint = 1\n",
    "chalicelib/systems/migrations/0002_systems.sql": "GRANT SELECT ON systems TO slipway_app;\n",
    "docs/problems.md": "# Problems\n",
    "docs/slipway.md": "Slipway of acme, a slipway\n",
    "tests/rockets/test_rockets.py": "",
    "tools/__main__.py": 'GROUPS = {\n    "local": ("run", "tools.local.commands"),\n}\n',
    "tools/local/commands.py": 'COMMANDS = (Command("run", "help", "tools.local.run:main"),)\n',
    "tools/local/run.py": "def main() -> None: ...\n",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small template in a git repository, whose README leads only to files that it has."""
    for path, text in TREE.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    trial.tree.git(tmp_path, "init", "--quiet")
    trial.commit(tmp_path, "Start")
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "_finish", lambda: None)
    monkeypatch.setattr(command.pages, "readme", lambda words: f"# {words.title}\n\n{words.description}\n")
    return tmp_path


def adopt(name: str = "order-desk", owner: str = "", description: str = "", dry_run: str = "") -> None:
    command.main({"NAME": name, "OWNER": owner, "DESCRIPTION": description, "DRY_RUN": dry_run})


def files(root: Path) -> dict[str, str]:
    paths = [path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {str(path.relative_to(root)): path.read_text() for path in paths}


def test_a_copy_is_renamed_and_has_no_business(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit, content = command.tree.git(root, "rev-parse", "HEAD", "HEAD^{tree}").split()

    adopt("order-desk", "carriers", "Takes orders as Slipway did.")

    adopted = files(root)
    assert json.loads(adopted.pop(".template.json")) == {
        "template": "https://github.com/acme/slipway",
        "commit": commit,
        "tree": content,
        "name": "order-desk",
        "owner": "carriers",
        "description": "Takes orders as Slipway did",
    }
    assert "The next version is 0.1.0." in adopted.pop("CHANGELOG.md")
    assert adopted == {
        "Makefile": "run:\n\t@$(tools) local run\n",
        "pyproject.toml": '[project]\nname = "order-desk"\ndescription = "Takes orders as Slipway did"\n',
        "README.md": "# Order Desk\n\nTakes orders as Slipway did\n",
        "LICENSE": "The Slipway contributors\n",
        "app.py": "from chalicelib.systems import blueprint\n\nprint(blueprint)\n",
        "chalicelib/__init__.py": '__version__ = "0.1.0"\n',
        "chalicelib/vocabulary.py": "",
        "chalicelib/systems/__init__.py": "blueprint = 1\n",
        "chalicelib/systems/migrations/0001_systems.sql": "GRANT SELECT ON systems TO order_desk_app;\n",
        "docs/problems.md": "# Problems\n",
        "docs/order-desk.md": "Order Desk of carriers, an order-desk\n",
        **{path: text for path, text in TREE.items() if path.startswith("tools/")},
    }
    assert not (root / "chalicelib" / "rockets").exists()
    printed = capsys.readouterr().out
    assert "2 in chalicelib/rockets" in printed
    assert "CODEOWNERS" in printed


def test_a_dry_run_names_the_files_and_changes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    adopt(dry_run="1")

    assert files(root) == TREE
    printed = capsys.readouterr().out
    assert "Removes 3 files:" in printed
    assert "1 in tests/rockets" in printed
    assert "order_desk_app" in printed


@pytest.mark.parametrize(("name", "owner"), [("Orders", ""), ("systems", ""), ("orders", "-"), ("slipway", "")])
def test_wrong_answers_change_nothing(root: Path, name: str, owner: str) -> None:
    with pytest.raises(UsageError):
        adopt(name, owner)

    assert files(root) == TREE


@pytest.mark.parametrize("path", ["README.md", "new.txt"])
def test_a_copy_with_changes_is_refused(root: Path, path: str) -> None:
    (root / path).write_text("changed")

    with pytest.raises(ToolError, match=path):
        adopt()


def test_a_copy_is_adopted_once(root: Path) -> None:
    adopt()
    trial.commit(root, "Adopt")

    with pytest.raises(ToolError, match="adopted already"):
        adopt("orders")


def test_a_copy_that_would_have_faults_stays_unchanged(root: Path) -> None:
    (root / "docs" / "design.md").write_text("See [rockets](../chalicelib/rockets/store.py).\n")
    (root / "docs" / "a.md").write_text("<!-- registry -->\n")
    trial.commit(root, "Break adoption")

    with pytest.raises(ToolError, match=r"(?s)docs/a.md: the marker.*design.md links ../chalicelib/rockets/store.py"):
        adopt()

    assert command.tree.git(root, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("origin", "template"),
    [
        ("https://name:secret@git.example.org/team/slipway.git", "https://git.example.org/team/slipway"),
        ("https://git.example.org/team/orders.git", "https://github.com/acme/slipway"),
    ],
)
def test_the_record_names_the_templates_address_without_secrets(root: Path, origin: str, template: str) -> None:
    command.tree.git(root, "remote", "add", "origin", origin)

    adopt()

    assert json.loads((root / ".template.json").read_text())["template"] == template


def test_outside_of_git_nothing_is_adopted(root: Path) -> None:
    (root / ".git").rename(root / "none")

    with pytest.raises(ToolError, match="clone"):
        adopt()
