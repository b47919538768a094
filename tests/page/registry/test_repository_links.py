"""Links lead to the pages of a repository, whatever form of its address git takes."""

import pytest

from tests.service.deployments.records import an_artifact


@pytest.mark.parametrize("written", ["https://github.com/acme/azul.git", "https://GitHub.com/acme/azul/"])
def test_links_to_a_commit_and_to_pull_requests_lead_to_the_repository(given, open_as, written):
    given.a_system(repository=written)
    given.an_environment("development")
    given.an_environment("production")
    given.a_deployment(an_artifact("one"), environment="development", revision="a" * 40)

    page = open_as("viewer", "#/systems/azul")

    address = written.removesuffix("/").removesuffix(".git")
    page.locator(f'a[href="{address}/commit/{"a" * 40}"]').first.wait_for()
    page.locator(f'a[href="{address}/pulls"]').first.wait_for()
