"""Whole histories of repositories go through a pipeline's commands into the real service."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.given import Given
from tools.local.issuer import token
from tools.local.registry.replay import HISTORY
from tools.slipway_client.delivered import MOST_COMMITS

JANE = "Jane <jane@example.org>"
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
START = 1_772_366_400  # 2026-03-01


class Repository:
    """A repository without files in its checkout. Its commits have names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.named: dict[str, str] = {}
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, given: str | None = None) -> str:
        command = ["git", "-c", "user.name=Jane", "-c", "user.email=jane@example.org", *arguments]
        return subprocess.run(
            command, cwd=self._folder, input=given, capture_output=True, text=True, check=True
        ).stdout.strip()

    def add(self, *commits: tuple[str, list[str]], files: str = "", dates: Mapping[str, datetime] = {}) -> None:
        """Add many commits at once: the name and the names of the parents of each."""
        mark = {name: f":{number}" for number, (name, _) in enumerate(commits, 1)}

        def seconds(name: str, number: int) -> int:
            return int(dates[name].timestamp()) if dates else START + number * 60

        stream = "".join(
            f"commit refs/heads/{name}\nmark {mark[name]}\ncommitter {JANE} {seconds(name, number)} +0000\n"
            f"data <<END\n{name}\nEND\n{self._parents(mark, parents)}{files}\n"
            for number, (name, parents) in enumerate(commits)
        )
        marks = self._folder / "marks"
        self.git("fast-import", "--quiet", f"--export-marks={marks}", given=f"feature done\n{stream}done\n")
        shas = dict(line.split() for line in marks.read_text().splitlines())
        self.named |= {name: shas[mark[name]] for name, _ in commits}

    def add_raw(self, name: str, parent: str, *headers: str) -> None:
        """Add a commit whose headers git itself would not write."""
        lines = [f"tree {EMPTY_TREE}", f"parent {self.named[parent]}", *headers, "", name, ""]
        self.named[name] = self.git(
            "hash-object", "-t", "commit", "-w", "--stdin", "--literally", given="\n".join(lines)
        )

    def between(self, since: str, revision: str) -> set[str]:
        return set(self.git("rev-list", f"{self.named[since]}..{self.named[revision]}").split())

    def _parents(self, mark: dict[str, str], parents: list[str]) -> str:
        words = ["from", *["merge"] * (len(parents) - 1)]
        return "".join(
            f"{word} {mark.get(name) or self.named[name]}\n" for word, name in zip(words, parents, strict=False)
        )


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """An empty repository, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    return Repository(tmp_path)


@pytest.fixture
def deploy(step: Any) -> Callable[..., str]:
    """`deploy(revision, artifact, environment)` deploys as a maintainer, past the gate. It returns what was said."""

    def deploy(revision: str, artifact: str, environment: str = "development") -> str:
        variables = {
            "ENV": environment,
            "ARTIFACT": artifact,
            "GITHUB_SHA": revision,
            "GITHUB_RUN_ID": f"{revision}-{artifact}-{environment}",
            "SLIPWAY_TOKEN": token("maintainer", ["azul"]),
            "OVERRIDE_REASON": "This history was made before the gate",
        }
        assert step("deployment-open", **variables) == 0, step.said
        said: str = step.said
        assert step("deployment-status", **variables, DEPLOYMENT=step.outputs["deployment"], STATE="success") == 0
        return said

    return deploy


def recorded(given: Given) -> Iterator[tuple[str, set[str]]]:
    """Yield the revision and the recorded commits of each deployment, in order."""
    for revision, commits in given.sql(
        """
        SELECT d.revision, array_remove(array_agg(c.sha::text), NULL)
        FROM deployments d LEFT JOIN deployment_commits c ON c.deployment_id = d.id GROUP BY d.id ORDER BY d.id
        """
    ):
        yield revision, set(commits)


def a_strange_history(repository: Repository) -> list[str]:
    """Make up a history with what pipelines meet. Return the names of the commits to deploy, in order."""
    repository.add(
        ("first", []),
        ("left", ["first"]),
        ("right", ["first"]),
        ("merge", ["left", "right"]),
        # A criss-cross: two branches that merge each other.
        ("left-again", ["left", "right"]),
        ("right-again", ["right", "left"]),
        ("criss-cross", ["left-again", "right-again"]),
        ("arm", ["merge"]),
        ("leg", ["merge"]),
        ("octopus", ["merge", "arm", "leg", "criss-cross"]),
        ("feature", ["merge"]),
        ("rebased", ["octopus"]),
        ("unrelated", []),
        ("grafted", ["rebased", "unrelated"]),
    )
    repository.add(("submodule", ["grafted"]), files=f"M 160000 {'1' * 40} vendored\n")
    date = f"{START} +0000"
    repository.add_raw("undated", "submodule", f"author {JANE}", f"committer {JANE}")
    repository.add_raw("of-1969", "undated", f"author {JANE} -86400 +0000", f"committer {JANE} {date}")
    repository.add_raw("of-no-year", "of-1969", f"author {JANE} {10**17} +0000", f"committer {JANE} {date}")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQEzBAAB\n -----END PGP SIGNATURE-----"
    repository.add_raw("signed", "of-no-year", f"author {JANE} {date}", f"committer {JANE} {date}", signature)
    repository.git("config", "log.showSignature", "true")
    repository.git("tag", "-m", "One", "v1", repository.named["signed"])
    deployed = ["first", "merge", "criss-cross", "octopus", "feature", "rebased", "grafted", "submodule"]
    return [*deployed, "first", "of-no-year", "signed"]


def test_a_made_up_history_is_recorded(repository: Repository, deploy: Callable[..., str], given: Given) -> None:
    names = a_strange_history(repository)

    said = [deploy(repository.named[name], f"tree:{number:040x}") for number, name in enumerate(names)]

    undated = repository.named["undated"]
    expected = [set(), *(repository.between(*each) - {undated} for each in pairwise(names))]
    assert list(recorded(given)) == list(zip([repository.named[name] for name in names], expected, strict=True))
    assert [name for name, text in zip(names, said, strict=True) if undated in text] == ["of-no-year"]
    dates = given.sql("SELECT DISTINCT authored_at::text FROM deployment_commits WHERE subject LIKE 'of-%'")
    assert [date for (date,) in dates] == ["2026-03-01 12:00:00+00"]


def test_replacements_and_grafts_of_a_clone_change_no_history(
    repository: Repository, deploy: Callable[..., str], given: Given
) -> None:
    repository.add(("old", []), ("older", ["old"]), ("root", []), ("new", ["root"]))
    repository.git("replace", "--graft", repository.named["root"], repository.named["older"])
    grafts = Path(".git", "info", "grafts")
    grafts.parent.mkdir(exist_ok=True)
    grafts.write_text(f"{repository.named['new']} {repository.named['old']}\n")
    deploy(repository.named["old"], f"tree:{1:040x}")

    deploy(repository.named["new"], f"tree:{2:040x}")

    [_, (_, commits)] = recorded(given)
    assert commits == {repository.named["root"], repository.named["new"]}


def test_a_tag_stands_for_its_commit(repository: Repository, deploy: Callable[..., str], given: Given) -> None:
    repository.add(("first", []), ("second", ["first"]), ("third", ["second"]))
    for name in ("first", "second"):
        repository.git("tag", "-m", name, f"v-{name}", repository.named[name])
    # A full id never means the branch of this name.
    repository.git("update-ref", f"refs/heads/{repository.named['third']}", repository.named["first"])

    deploy(repository.git("rev-parse", "v-first"), f"tree:{1:040x}")
    deploy("v-second", f"tree:{2:040x}")
    deploy(repository.named["third"], f"tree:{3:040x}")

    first, second, third = (repository.named[name] for name in ("first", "second", "third"))
    assert list(recorded(given)) == [(first, set()), (second, {second}), (third, {third})]


def test_a_shallow_clone_that_ends_among_the_commits_records_none(
    repository: Repository, deploy: Callable[..., str], given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.add(("old", []), ("left", ["old"]), ("right", ["old"]), ("more", ["right"]), ("top", ["left", "more"]))
    repository.git("update-ref", "refs/heads/main", repository.named["top"])
    deploy(repository.named["left"], f"tree:{1:040x}")
    repository.git("clone", "-q", "--depth=2", f"file://{tmp_path}", "shallow")
    monkeypatch.chdir("shallow")

    said = deploy(repository.named["top"], f"tree:{2:040x}")

    assert list(recorded(given))[1] == (repository.named["top"], set())
    assert f"lacks the parents of {repository.named['more']}: set fetch-depth: 0" in said


@pytest.mark.slow
def test_a_deployment_of_12_000_commits_records_the_newest(
    repository: Repository, deploy: Callable[..., str], given: Given
) -> None:
    repository.add(("0", []), *((str(number), [str(number - 1)]) for number in range(1, 12_001)))
    deploy(repository.named["0"], f"tree:{1:040x}")

    said = deploy(repository.named["12000"], f"tree:{2:040x}")

    [_, (_, commits)] = recorded(given)
    newest = [repository.named[str(number)] for number in range(12_000, 12_000 - len(commits), -1)]
    assert 8_000 < len(commits) <= MOST_COMMITS
    assert commits == set(newest)
    assert f"Only the newest {len(commits)} of the delivered commits are recorded" in said


@pytest.mark.slow
def test_the_history_of_azul_is_recorded(
    repository: Repository, deploy: Callable[..., str], given: Given, api: Api
) -> None:
    lines = [json.loads(line) for line in (HISTORY / "commits.ndjson").read_text().splitlines()]
    graph = {line["sha"]: line["parents"] for line in lines}
    dates = {line["sha"]: datetime.fromisoformat(line["authored_at"]) for line in lines}
    repository.add(*((sha, graph[sha]) for sha in parents_first(graph)), dates=dates)
    history = [json.loads(line) for line in (HISTORY / "deployments.ndjson").read_text().splitlines()]
    history.sort(key=lambda line: line["deployed_at"])
    for environment, rank in (("dev", 11), ("integration", 12), ("staging", 13), ("prod", 14)):
        given.an_environment(environment, rank=rank)

    expected, before = [], dict[str, str]()
    for line in history:
        deploy(repository.named[line["sha"]], f"tree:{line['tree']}", line["environment"])
        since = before.get(line["environment"])
        expected.append((repository.named[line["sha"]], repository.between(since, line["sha"]) if since else set()))
        before[line["environment"]] = line["sha"]

    assert list(recorded(given)) == expected
    of = {repository.named[sha]: date for sha, date in dates.items()}
    assert all(of[sha] == at for sha, at in given.sql("SELECT sha, authored_at FROM deployment_commits"))
    targets = api.get("/v1/systems/azul/state")["targets"]
    runs = {target["environment"]: target["current"]["revision"] for target in targets if target["current"]}
    assert runs == {environment: repository.named[sha] for environment, sha in before.items()}


def parents_first(graph: dict[str, list[str]]) -> Iterator[str]:
    """Yield each commit after its parents."""
    done = set[str]()
    for sha in graph:
        ahead = [sha]
        while ahead:
            missing = [parent for parent in graph[ahead[-1]] if parent not in done]
            if ahead[-1] in done or not missing:
                each = ahead.pop()
                if each not in done:
                    done.add(each)
                    yield each
            else:
                ahead += missing
