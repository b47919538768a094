"""The address of a comparison never leads away from the repository's host."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.upcoming_changes.rules import compare_url

BASE, HEAD = "1" * 40, "a" * 64


@pytest.mark.parametrize(
    ("repository", "comparison"),
    [
        ("https://github.com/DataBiosphere/azul", "https://github.com/DataBiosphere/azul/compare/"),
        ("https://github.com/acme/azul.git", "https://github.com/acme/azul/compare/"),
        ("https://github.com/acme/azul/", "https://github.com/acme/azul/compare/"),
        ("https://GitHub.com/acme/a.z_u-l", "https://github.com/acme/a.z_u-l/compare/"),
        ("https://gitlab.com/acme/azul", "https://gitlab.com/acme/azul/-/compare/"),
        ("https://gitlab.com/acme/group/azul.git", "https://gitlab.com/acme/group/azul/-/compare/"),
        ("https://gitlab.example.org/acme/azul", "https://gitlab.example.org/acme/azul/-/compare/"),
        ("https://GITLAB.example.org/acme/azul", "https://gitlab.example.org/acme/azul/-/compare/"),
    ],
)
def test_github_and_gitlab_compare_revisions(repository, comparison):
    assert compare_url(repository, BASE, HEAD) == f"{comparison}{BASE}...{HEAD}"


@pytest.mark.parametrize(
    "repository",
    [
        None,
        "https://bitbucket.org/acme/azul",
        "http://github.com/acme/azul",
        "https://github.com.evil.example/acme/azul",
        "https://evil.example/github.com/acme/azul",
        "https://github.com@evil.example/acme/azul",
        "https://jane:secret@github.com/acme/azul",
        "https://github.com:8443/acme/azul",
        "https://github.com/acme",
        "https://github.com/acme/azul/tree/main",
        "https://github.com/acme/..",
        "https://github.com/acme/azul?x=1",
        "https://github.com/acme/azul#readme",
        "https://github.com/acme//evil.example",
        "https://github.com/acme\\azul",
        "https://gitlab.com@evil.example/acme/azul",
        "https://gitlab.com/acme/../../azul",
        "https://gitlab./acme/azul",
        "https://gitlab.-x/acme/azul",
        "https://notgitlab.com/acme/azul",
        "https://my.gitlab.com/acme/azul",
    ],
)
def test_any_other_repository_has_no_comparison(repository):
    assert compare_url(repository, BASE, HEAD) is None


def test_a_comparison_is_not_longer_than_a_url():
    assert len(compare_url(f"https://gitlab.com/acme/{'a' * 1775}", HEAD, HEAD) or "") <= 2000
    assert compare_url(f"https://gitlab.com/acme/{'a' * 1976}", HEAD, HEAD) is None


@pytest.mark.parametrize(("base", "head"), [(None, HEAD), (BASE, None), ("main", HEAD), (BASE, f"{HEAD}\n")])
def test_without_two_revisions_there_is_no_comparison(base, head):
    assert compare_url("https://github.com/acme/azul", base, head) is None


_PARTS = st.sampled_from(
    [
        *("https://", "http://", "javascript:", "github.com", "gitlab.com", "gitlab.", "evil.example", "acme"),
        *("/", "\\", "@", ":", "?", "#", "..", ".", "%2f", "\n", ".git", "-", "\u212a", "\u017f"),
    ]
)


@given(st.lists(_PARTS, max_size=9).map("".join) | st.text(max_size=60).map("https://gitlab.com/acme/".__add__))
def test_no_repository_leads_to_another_scheme_or_host(repository):
    found = compare_url(repository, BASE, HEAD)

    if found is not None:
        scheme, host, path, query, fragment = urlsplit(found)
        assert (scheme, query, fragment) == ("https", "", "")
        assert host == "github.com" or host.startswith("gitlab.")
        assert host == urlsplit(repository).netloc.lower()
        assert path.endswith(f"/compare/{BASE}...{HEAD}")
        assert ".." not in path.removesuffix(f"/compare/{BASE}...{HEAD}").split("/")
