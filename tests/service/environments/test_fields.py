"""The fields of an environment: what each accepts, and what it refuses."""

import psycopg2
import pytest

PATH = "/v1/systems/azul/environments"


@pytest.mark.parametrize(
    "url", ["https://azul.example.org:8443/api", "http://localhost:8000", "http://127.0.0.1:8000/api/"]
)
def test_a_base_url_is_https_or_on_this_machine(given, url):
    given.a_system()

    assert given.an_environment(base_url=url)["base_url"] == url


@pytest.mark.parametrize(
    "url", ["http://azul.example.org", "https://user@azul.example.org", "https://azul.example.org\n"]
)
def test_the_schema_keeps_a_base_url_strict(given, url):
    given.a_system_with_an_environment()

    with pytest.raises(psycopg2.errors.CheckViolation) as violated:
        given.sql("UPDATE environments SET base_url = %s", url)

    assert violated.value.diag.constraint_name in ("environments_base_url_is_https", "url_known")


def test_an_environment_needs_only_a_name_and_a_rank(api, given):
    given.a_system()

    created = api.post(PATH, {"name": "development", "rank": 1})

    assert created.json == {
        "name": "development",
        "rank": 1,
        "aws_account_id": None,
        "region": None,
        "base_url": None,
        "production": False,
        "required_soak_seconds": 0,
        "verification_max_age_seconds": None,
        "required_suites": [],
        "required_approvals": 0,
        "workspace_hosts": [],
        "created_at": created["created_at"],
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Development"),
        ("name", None),
        ("rank", 0),
        ("rank", 1001),
        ("rank", "1"),
        ("aws_account_id", "11112222333"),
        ("aws_account_id", 111122223333),
        ("region", "Frankfurt"),
        ("region", "eu-central-1a"),
        ("base_url", "azul.example.org"),
        ("base_url", "http://azul.example.org"),
        ("base_url", "http://localhost.example.org"),
        ("base_url", "http://127.0.0.1@example.org"),
        ("base_url", "https://user@azul.example.org"),
        ("base_url", "https://azul.example.org\\@example.org"),
        ("base_url", "https://Azul.example.org"),
        ("base_url", "https://azul.example.org/?a=b"),
        ("base_url", "https://azul.example.org/#a"),
        ("base_url", "https://azul.example.org/\t"),
        ("base_url", "https://azul.example.org\n"),
        ("base_url", "https://"),
        ("production", None),
        ("required_soak_seconds", -1),
        ("verification_max_age_seconds", 0),
        ("required_suites", ["acceptance", "acceptance"]),
        ("required_suites", [f"suite-{n}" for n in range(51)]),
        ("required_approvals", -1),
        ("required_approvals", 6),
        ("workspace_hosts", [f"host-{n}.example.org" for n in range(51)]),
    ],
)
def test_a_field_out_of_bounds_is_refused_by_name(api, given, field, value):
    given.a_system()

    answer = api.post(PATH, {"name": "development", "rank": 1, field: value})

    assert (answer.status, answer.problem) == (422, "invalid")
    assert [fault["pointer"] for fault in answer["errors"]] == [f"#/{field}"]


@pytest.mark.parametrize(
    "region", ["us-gov-west-1", "cn-north-1", "ap-southeast-7", "il-central-1", "us-isob-east-1", "eusc-de-east-1"]
)
def test_each_partition_of_aws_has_regions(api, given, region):
    given.a_system()

    assert api.post(PATH, {"name": "development", "rank": 1, "region": region})["region"] == region


@pytest.mark.parametrize(
    "host",
    [
        "https://azul.example.org",
        "Azul.example.org",
        "*.example.org",
        "azul.example.org:8443",
        "..example.org",
        "localhost",
        ".org",
        ".0.0.1",
        ".amazonaws.com",
        ".execute-api.eu-central-1.amazonaws.com",
        ".execute-api.cn-north-1.amazonaws.com.cn",
        ".execute-api.eusc-de-east-1.amazonaws.eu",
        ".lambda.eu-central-1.api.aws",
        ".cloudfront.net",
        ".d1.cloudfront.cn",
        ".on.aws",
        ".lambda-url.eu-central-1.on.aws",
        ".com",
        ".example.org",
        ".co.uk",
        ".github.io",
        ".herokuapp.com",
        ".vercel.app",
        ".netlify.app",
        ".pages.dev",
        ".workers.dev",
        ".web.app",
        ".azurewebsites.net",
        ".westeurope-01.azurewebsites.net",
        ".westeurope.cloudapp.azure.com",
        ".blob.core.windows.net",
        ".a.run.app",
        ".uc.r.appspot.com",
        ".ngrok.io",
        ".eu.ngrok.app",
        ".up.railway.app",
        ".app.github.dev",
    ],
)
def test_a_host_that_names_no_host_or_the_hosts_of_anybody_is_refused(api, given, host):
    given.a_system()
    given.an_environment()
    hosts = {"workspace_hosts": [".azul.example.org", host]}

    for answer in (
        api.post(PATH, {"name": "production", "rank": 2, **hosts}),
        api.patch(f"{PATH}/development", hosts, if_match="*"),
    ):
        assert (answer.status, answer.problem) == (422, "invalid")
        assert [fault["pointer"] for fault in answer["errors"]] == ["#/workspace_hosts/1"]


def test_a_suffix_that_belongs_to_one_customer_and_a_full_host_of_a_shared_domain_are_kept(api, given):
    given.a_system()
    hosts = [".azul.example.org", ".azul.github.io", "github.io", "azul-1.a.run.app", "abc.on.aws"]

    assert given.an_environment(workspace_hosts=hosts)["workspace_hosts"] == hosts


@pytest.mark.parametrize(
    "field", ["rank", "production", "required_soak_seconds", "required_suites", "required_approvals", "workspace_hosts"]
)
def test_a_required_field_cannot_be_cleared(api, given, field):
    given.a_system()
    given.an_environment()

    answer = api.patch(f"{PATH}/development", {field: None}, if_match="*")

    assert (answer.status, answer.problem) == (422, "invalid")
    assert [fault["pointer"] for fault in answer["errors"]] == [f"#/{field}"]


def test_a_patch_may_name_each_suite_once(api, given):
    given.a_system()
    given.an_environment()

    answer = api.patch(f"{PATH}/development", {"required_suites": ["load", "load"]}, if_match="*")

    assert [fault["pointer"] for fault in answer["errors"]] == ["#/required_suites"]
