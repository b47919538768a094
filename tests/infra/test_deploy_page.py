"""A deployment shows the page that it uploads, and a rollback the page before. moto stands in for S3."""

import boto3
import brotli
import pytest
from botocore.exceptions import ClientError

from tests.infra.functions import every, outputs
from tools.aws.deploy import deploy, rollback
from tools.aws.page import Page
from tools.checkout import ToolError

SITE = "service-development-0123abcd"


class Site:
    """The bucket of a site, and a folder with a page."""

    def __init__(self, folder):
        self.client, self.folder = boto3.client("s3"), folder
        self.client.create_bucket(Bucket=SITE, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        self.fails_at = None

    def __getattr__(self, name):
        return getattr(self.client, name)

    def put_object(self, **call):
        if call["Key"].endswith(self.fails_at or "\n"):
            raise ClientError({"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}, "PutObject")
        return self.client.put_object(**call)

    def page(self, script):
        """Write a page with this script, and return it."""
        (self.folder / "js").mkdir(parents=True, exist_ok=True)
        (self.folder / "index.html").write_text('<script src="./js/main.js"></script>')
        (self.folder / "js" / "main.js").write_text(script)
        return Page(self, SITE, self.folder)

    def shows(self):
        """Return the script that the page loads, or None if there is no page."""
        try:
            html = self.client.get_object(Bucket=SITE, Key="index.html")["Body"].read().decode()
        except ClientError:
            return None
        key = html.removeprefix('<script src="/').removesuffix('"></script>')
        return brotli.decompress(self.client.get_object(Bucket=SITE, Key=key)["Body"].read()).decode()

    def folders(self):
        return {each["Key"].split("/")[0] for each in self.client.list_objects_v2(Bucket=SITE)["Contents"]}


@pytest.fixture
def site(account, tmp_path):
    return Site(tmp_path)


def test_the_first_deployment_shows_the_page_and_can_not_be_rolled_back(account, site):
    page = site.page("1")

    assert deploy(outputs(), account, page) == {**every("1"), "page": page.newest()}

    assert site.shows() == "1"
    with pytest.raises(ToolError, match=f"The page in the bucket {SITE} has no known previous version"):
        rollback(outputs(), account, page)


def test_each_file_has_its_type_and_only_index_html_is_not_kept(account, site):
    page = site.page("1")
    (site.folder / "LICENSE").write_text("Free")

    deploy(outputs(), account, Page(site, SITE, site.folder))

    digest = Page(site, SITE, site.folder).newest()
    assert digest != page.newest()
    heads = {key: site.head_object(Bucket=SITE, Key=key) for key in ("index.html", f"{digest}/js/main.js")}
    heads["LICENSE"] = site.head_object(Bucket=SITE, Key=f"{digest}/LICENSE")
    assert [(head["ContentType"], head["CacheControl"]) for head in heads.values()] == [
        ("text/html; charset=utf-8", "no-cache"),
        ("text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("text/plain; charset=utf-8", "public, max-age=31536000, immutable"),
    ]


def test_a_rollback_brings_the_page_of_before_back_also_if_only_the_page_changed(account, site):
    account.publish("2")
    deploy(outputs(), account, site.page("1"))
    deploy(outputs(), account, site.page("2"))
    assert (site.shows(), account.served()) == ("2", every("2"))
    deploy(outputs(), account, site.page("2"))

    rollback(outputs(), account, site.page("3"))

    assert (site.shows(), account.served()) == ("1", every("2"))


def test_a_rollback_leaves_the_page_alone_that_the_deployment_did_not_change(account, site):
    deploy(outputs(), account, site.page("1"))
    account.publish("2")
    deploy(outputs(), account, site.page("1"))

    rollback(outputs(), account, site.page("1"))

    assert (site.shows(), account.served()) == ("1", every("1"))


def test_the_files_of_the_page_before_stay_until_the_next_deployment(account, site):
    pages = [site.page(script) for script in "123"]
    for page in pages[:2]:
        deploy(outputs(), account, page)
    assert site.folders() == {"index.html", *(page.newest() for page in pages[:2])}

    deploy(outputs(), account, pages[2])
    assert site.folders() == {"index.html", *(page.newest() for page in pages[1:])}
    rollback(outputs(), account, pages[2])
    assert site.shows() == "2"


@pytest.mark.parametrize("key", ["js/main.js", "index.html"])
def test_after_a_failed_upload_everything_serves_as_before_and_the_next_deployment_completes_it(account, site, key):
    deploy(outputs(), account, site.page("1"))
    account.publish("2")
    site.fails_at = key

    with pytest.raises(ToolError, match="SlowDown"):
        deploy(outputs(), account, site.page("2"))
    assert (site.shows(), account.served(), account.invoked[4:]) == ("1", every("1"), [])

    site.fails_at = None
    deploy(outputs(), account, site.page("2"))
    assert (site.shows(), account.served()) == ("2", every("2"))


def test_if_the_page_can_not_be_shown_the_aliases_move_back(account, site, monkeypatch):
    deploy(outputs(), account, site.page("1"))
    account.publish("2")
    page = site.page("2")
    monkeypatch.setattr(site, "get_object", lambda **call: site.put_object(Key="\n"), raising=False)

    with pytest.raises(ToolError, match=f"The page in the bucket {SITE} could not be moved"):
        deploy(outputs(), account, page)

    assert (site.shows(), account.served()) == ("1", every("1"))
