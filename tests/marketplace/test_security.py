"""What is refused, and what every answer tells browsers to refuse."""

import asyncio

import pytest

from platform_resources.marketplace.display.readme import safe_html
from platform_resources.marketplace.security import FormRefused, FormToken, Guard, is_this_server, plain

pytestmark = pytest.mark.slow
PAGES = ("/", "/products/readings", "/nowhere", "/static/market.js")


@pytest.mark.parametrize("page", PAGES)
def test_no_answer_may_run_what_is_written_in_it(client, page):
    headers = client.get(page).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("page", PAGES[:3])
def test_pages_need_nothing_that_the_policy_forbids(client, page):
    html = client.get(page).text
    assert " style=" not in html and "<style" not in html and " onclick=" not in html
    assert html.count("<script") == html.count("<script src=")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8080", "", "[::1", "127.0.0.1@evil.example"])
def test_a_foreign_host_gets_nothing(client, host):
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "Sensor" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "[::1]:8080"])
def test_this_computer_is_answered(host):
    assert is_this_server(host)


def test_a_form_from_another_site_is_refused(client):
    for headers in ({"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        assert client.post("/incidents/readings/1", data={"do": "ack"}, headers=headers).status_code == 403


def test_a_body_that_is_too_long_or_of_unknown_length_is_refused(client):
    assert client.post("/incidents/readings/1", content=b"x" * 70_000).status_code == 413
    assert client.post("/incidents/readings/1", content=iter([b"do=ack"])).status_code == 413


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({b"content-length": b"5", b"transfer-encoding": b"chunked"}, 413),
        ({b"content-length": b"5", b"origin": b"http://[x"}, 403),
        ({b"content-length": b"5", b"origin": b"null"}, 403),
        ({b"content-length": b"5", b"origin": b"http://localhost"}, 200),
    ],
)
def test_a_form_with_two_lengths_or_an_origin_that_is_none_goes_no_further(headers, status):
    async def inner(scope, receive, send):
        await plain(200, "taken", send)

    async def send(message):
        sent.append(message)

    sent, scope = [], {"type": "http", "method": "POST", "path": "/", "headers": [(b"host", b"localhost"), *headers.items()]}
    asyncio.run(Guard(inner)(scope, None, send))
    assert sent[0]["status"] == status


def test_a_form_needs_the_token_of_this_process_and_of_who_sends_it():
    token = FormToken()
    assert token.fields(f"token={token.of('Ada')}&do=ack".encode(), "Ada") == {"do": "ack"}
    of_another = f"token={token.of('Bob')}".encode()
    for body in (b"do=ack", b"token=&do=ack", b"token=wrong", of_another, b"\xff", b"&".join([b"a=1"] * 60)):
        with pytest.raises(FormRefused):
            token.fields(body, "Ada")


@pytest.mark.parametrize(
    ("markdown", "kept", "gone"),
    [
        ("<b onclick=x>y</b>", "&lt;b", "<b"),
        ("[a](javascript:alert(1))", "a", 'javascript:alert(1)"'),
        ("[a](JaVaScRiPt:alert(1))", "a", 'href="JaVa'),
        ("[a](data:text/html,x)", "a", 'href="data'),
        ("![a](https://evil.example/x.png)", "", "<img"),
        ("[a](../../etc/passwd)", "a", "href"),
        ("[a](//evil.example)", "a", "href"),
        ("`<script>`", "&lt;script&gt;", "<script"),
        ("[a](https://example.com)", 'rel="noopener noreferrer"', "target"),
        ("## <svg onload=alert(1)>", "&lt;svg", "<svg"),
    ],
)
def test_markdown_keeps_its_words_and_loses_what_can_do_harm(markdown, kept, gone):
    html = str(safe_html(markdown))
    assert kept in html and gone not in html
