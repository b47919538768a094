"""A web page that somebody visits can't use the emulated account, which asks for no credentials."""

import http.client

import pytest

CREATE = "/?Action=CreateQueue&QueueName=from-a-page&Version=2012-11-05"


def status(port, method, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    named = {name.replace("_", "-"): value.format(port=port) for name, value in headers.items()}
    connection.request(method, CREATE, headers={"Host": f"127.0.0.1:{port}", **named})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:{port}.evil.example.org"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Host": "evil.example.org"},
        {"Host": "evil.example.org:{port}", "Origin": "http://evil.example.org:{port}"},
        {"Host": "localhost.evil.example.org"},
        {"Host": "127.0.0.1.evil.example.org"},
        {"Host": "localhost@evil.example.org"},
        {"Host": "[::1"},
        {"Host": ""},
    ],
    ids=str,
)
def test_pages_of_other_sites_are_refused(emulated_port, client, method, headers):
    assert status(emulated_port, method, **headers) == 403

    assert "QueueUrls" not in client("sqs").list_queues(QueueNamePrefix="from-a-page")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost:{port}"},
        {"Host": "[::1]:{port}"},
        {"Host": "bucket.localhost:{port}"},
        {"Origin": "http://127.0.0.1:{port}", "Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "none"},
    ],
    ids=str,
)
def test_tools_and_a_typed_address_are_served(emulated_port, headers):
    assert status(emulated_port, "GET", **headers) != 403
