"""One git tree gives one package, however the checkout differs from the tree."""

import hashlib
import os
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.aws import sources, target
from tools.checkout import ToolError
from tools.package import compose, tree
from tools.pipeline import artifact

CODE = "chalicelib/code.py"
SOURCES = {
    "app.py": b"import chalicelib\n",
    "requirements.txt": b"",
    ".chalice/config.json": b"{}\n",
    CODE: b"from chalicelib import data\n",
    "chalicelib/data.py": b"X = 1\n",
    "docs/words.txt": b"words\n",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    for path, content in SOURCES.items():
        write(root / path, content)
    git(root, "init", "-q")
    write(root / ".gitignore", b"*.local\n")
    commit(root)
    return root


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=Jane", "-c", "user.email=jane@example.org", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.strip()


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "Change")


def extracted(root: Path, folder: Path) -> dict[str, str]:
    """Return the digest of each file that the tree of a clean checkout gives."""
    tree.extract(root, artifact.tree(root).removeprefix("tree:"), folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def an_ignored_file(root: Path) -> None:
    write(root / "chalicelib" / "key.local", b"secret")


def other_line_endings(root: Path) -> None:
    git(root, "config", "core.autocrlf", "true")
    (root / CODE).unlink()
    git(root, "checkout", "--", ".")
    assert b"\r\n" in (root / CODE).read_bytes()


def an_edit_assumed_unchanged(root: Path) -> None:
    git(root, "update-index", "--assume-unchanged", CODE)
    write(root / CODE, b"edited")


def an_edit_of_a_skipped_file(root: Path) -> None:
    git(root, "update-index", "--skip-worktree", "app.py")
    write(root / "app.py", b"edited")


def a_sparse_checkout(root: Path) -> None:
    git(root, "sparse-checkout", "set", "--no-cone", "/*", f"!/{CODE}")
    assert not (root / CODE).exists()


def untracked_files_that_status_hides(root: Path) -> None:
    git(root, "config", "status.showUntrackedFiles", "no")
    write(root / "chalicelib" / "new.py", b"new")


def attributes_of_this_clone(root: Path) -> None:
    write(root / ".git" / "info" / "attributes", f"{CODE} export-ignore\n*.py export-subst text eol=crlf\n".encode())


def a_replaced_blob(root: Path) -> None:
    write(root / "other.local", b"replaced\n")
    git(root, "replace", git(root, "rev-parse", f"HEAD:{CODE}"), git(root, "hash-object", "-w", "other.local"))


@pytest.mark.parametrize(
    "change",
    [
        an_ignored_file,
        other_line_endings,
        an_edit_assumed_unchanged,
        an_edit_of_a_skipped_file,
        a_sparse_checkout,
        untracked_files_that_status_hides,
        attributes_of_this_clone,
        a_replaced_blob,
    ],
)
def test_a_checkout_that_differs_from_its_tree_gives_the_trees_package(
    checkout: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    named, before = artifact.tree(checkout), extracted(checkout, tmp_path / "before")
    change(checkout)

    after = extracted(checkout, tmp_path / "after")

    assert artifact.tree(checkout) == named
    assert after == before
    assert sorted(after) == sorted(SOURCES.keys() - {"docs/words.txt"})
    assert all(after[path] == hashlib.sha256(SOURCES[path]).hexdigest() for path in after)


def test_a_link_within_the_tree_gives_its_file(checkout: Path, tmp_path: Path) -> None:
    (checkout / "chalicelib" / "words.txt").symlink_to("../docs/words.txt")
    commit(checkout)

    extracted(checkout, tmp_path / "found")

    assert (tmp_path / "found" / "chalicelib" / "words.txt").read_bytes() == b"words\n"


def test_the_environment_names_no_other_repository(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = artifact.tree(checkout), extracted(checkout, tmp_path / "before")
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_ICASE_PATHSPECS", "1")

    assert (artifact.tree(checkout), extracted(checkout, tmp_path / "after")) == expected


@pytest.mark.parametrize("name", ["a\nb.py", "a\rb.py", "a\r\n", "'\"\\\t.py", ":(icase)*.py", "Code.py", "zoë.py"])
def test_a_strange_name_stays_as_it_is(checkout: Path, tmp_path: Path, name: str) -> None:
    write(checkout / name, b"")
    (checkout / "chalicelib" / name).symlink_to(f"../{name}")
    commit(checkout)

    assert {name, f"chalicelib/{name}"} <= extracted(checkout, tmp_path / "found").keys()


def a_submodule(root: Path) -> None:
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{git(root, 'rev-parse', 'HEAD')},chalicelib/vendored")
    git(root, "commit", "-q", "-m", "Add a submodule")
    (root / "chalicelib" / "vendored").mkdir()


def a_link(to: str, name: str = "linked") -> Callable[[Path], None]:
    def change(root: Path) -> None:
        (root / "chalicelib" / name).symlink_to(to)
        commit(root)

    return change


def a_file(content: bytes, name: str = "model.bin") -> Callable[[Path], None]:
    def change(root: Path) -> None:
        write(root / "chalicelib" / name, content)
        commit(root)

    return change


def links_to_each_others_folder(root: Path) -> None:
    for one, other in ("ab", "ba"):
        (root / "chalicelib" / one).mkdir()
        (root / "chalicelib" / one / "link").symlink_to(f"../{other}")
    commit(root)


def a_link_that_no_checkout_can_have(root: Path) -> None:
    blob = git(root, "hash-object", "-w", "requirements.txt")
    git(root, "update-index", "--add", "--cacheinfo", f"120000,{blob},chalicelib/linked")
    git(root, "commit", "-q", "-m", "Add a link to nothing")
    git(root, "update-index", "--skip-worktree", "chalicelib/linked")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (a_submodule, "chalicelib/vendored of the package: it is a submodule"),
        (a_link("/etc/hostname"), "chalicelib/linked of the package: it is a link to /etc/hostname"),
        (a_link("../../outside.py"), "chalicelib/linked of the package: it is a link to ../../outside.py"),
        (a_link("nothing.py"), "chalicelib/linked of the package: it is a link that leads to no file"),
        (a_link("linked"), "chalicelib/linked of the package"),
        (a_link("."), "chalicelib/linked of the package"),
        (
            links_to_each_others_folder,
            "chalicelib/[ab]/link of the package: it is a link to a folder that contains",
        ),
        (a_link_that_no_checkout_can_have, "chalicelib/linked of the package: this machine can't write it"),
        (a_file(b"", os.fsdecode(b"zo\xeb.py")), r"chalicelib/zo\\xeb\.py of the package: its name is not UTF-8"),
        (a_file(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"), "model.bin .* Git LFS"),
        (a_file(b"\0GITCRYPT\0..."), "model.bin .* git-crypt"),
    ],
)
def test_a_file_that_the_tree_does_not_have_is_named(
    checkout: Path, tmp_path: Path, change: Callable[[Path], None], named: str
) -> None:
    change(checkout)

    with pytest.raises(ToolError, match=named):
        extracted(checkout, tmp_path / "found")


@pytest.mark.parametrize(("of", "kind"), [(CODE, "blob"), ("chalicelib", "tree")])
def test_an_object_whose_content_does_not_fit_its_id_is_refused(
    checkout: Path, tmp_path: Path, of: str, kind: str
) -> None:
    write(checkout / CODE, b"other")
    commit(checkout)
    damaged, other = (git(checkout, "rev-parse", f"{commit}:{of}") for commit in ("HEAD", "HEAD~"))
    command = ["git", "cat-file", kind, other]
    content = subprocess.run(command, cwd=checkout, capture_output=True, check=True).stdout
    stored = checkout / ".git" / "objects" / damaged[:2] / damaged[2:]
    stored.chmod(0o644)
    stored.write_bytes(zlib.compress(b"%s %d\0%s" % (kind.encode(), len(content), content)))

    with pytest.raises(ToolError, match=f"{damaged}\\) is damaged"):
        extracted(checkout, tmp_path / "found")


def test_an_edit_that_a_file_system_monitor_overlooks_is_refused(checkout: Path) -> None:
    write(checkout.parent / "monitor", b"#!/bin/sh\nprintf 'nothing changed\\0'\n")
    (checkout.parent / "monitor").chmod(0o755)
    git(checkout, "config", "core.fsmonitor", str(checkout.parent / "monitor"))
    git(checkout, "status")
    write(checkout / CODE, b"edited")
    assert git(checkout, "status", "--porcelain") == ""

    with pytest.raises(ToolError, match="uncommitted"):
        artifact.tree(checkout)


def test_an_edit_of_the_tools_that_git_overlooks_is_refused(checkout: Path) -> None:
    write(checkout / "tools" / "package" / "compose.py", b"first")
    commit(checkout)
    git(checkout, "update-index", "--assume-unchanged", "tools/package/compose.py")

    with pytest.raises(ToolError, match=r"--no-assume-unchanged .* tools/package/compose\.py"):
        artifact._make(artifact.tree(checkout), checkout)


def test_a_build_of_uncommitted_changes_has_them_but_nothing_that_git_ignores(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_ignored_file(checkout)
    write(checkout / CODE, b"edited")
    write(checkout / "chalicelib" / "new.py", b"new")
    monkeypatch.setattr(compose.lifeline, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, "", ""))

    compose._chalice_package("development", checkout, tmp_path / "made", dependencies=True)

    packaged = {path.name: path.read_bytes() for path in (tmp_path / "made/source/chalicelib").iterdir()}
    assert packaged == {"code.py": b"edited", "data.py": b"X = 1\n", "new.py": b"new"}
    with pytest.raises(ToolError, match="uncommitted"):
        artifact.tree(checkout)


def test_the_page_and_the_infrastructure_come_from_the_tree_that_names_the_package(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ("web/index.html", "infra/modules/site/main.tf", "infra/development/main.tf")
    for path in files:
        write(checkout / path, b"committed\n")
    commit(checkout)
    write(tmp_path / "package" / tree.NAMED, artifact.tree(checkout).removeprefix("tree:").encode())
    git(checkout, "update-index", "--assume-unchanged", *files)
    for path in files:
        write(checkout / path, b"edited\n")
    write(checkout / "infra" / "development" / "notes.local", b"")
    monkeypatch.setattr(sources, "ROOT", checkout)
    monkeypatch.setattr(target, "_TARGETS", tmp_path / "targets")
    of = target.Target("development", package=tmp_path / "package")

    sources.copy(of)

    copied = {path.relative_to(of.folder): path.read_text() for path in of.folder.rglob("*") if path.is_file()}
    assert {str(path) for path in copied} == {path.replace("infra/", "") for path in files}
    assert set(copied.values()) == {"committed\n"}


def test_the_page_of_a_target_has_nothing_that_git_ignores(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("web/index.html", "web/notes.local", "infra/modules/site/main.tf", "infra/development/main.tf"):
        write(checkout / path, b"")
    monkeypatch.setattr(sources, "ROOT", checkout)
    monkeypatch.setattr(target, "_TARGETS", tmp_path / "targets")

    sources.copy(target.Target("development"))

    copied = {path.name for path in (tmp_path / "targets").rglob("*")}
    assert "index.html" in copied
    assert "notes.local" not in copied
