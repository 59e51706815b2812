"""Machines hear of new versions: a signed call with what is new, again until it is taken, to hosts that are allowed alone."""

import hmac
import json
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from platform_resources.capabilities.registry import installed_registry
from platform_resources.cli.app import app
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.people import outbox
from platform_resources.ledger.people.subscriptions import VersionHook
from platform_resources.ledger.queries.history import newest_publications
from platform_resources.ledger.writing import write
from platform_resources.marketplace.people.auth_settings import AuthSettings
from platform_resources.notify.delivery import DeliveryFailed
from platform_resources.notify.signed_calls import AddressRefused, call, check_address, hook_hosts, signature
from platform_resources.services.access.version_hooks import KEY_FILE, NoHookKey, begin_hook, new_seed, secret_of
from platform_resources.services.delivering import deliver_due
from platform_resources.services.judging import judge_refreshed
from tests.marketplace.shop_mesh import NOW, opened_ledger
from tests.marketplace.test_people import browser, token

pytestmark = pytest.mark.slow


@pytest.fixture
def machine():
    """A server that refuses the first call and takes the others."""
    calls = []

    class Listening(BaseHTTPRequestHandler):
        def do_POST(self):
            calls.append((dict(self.headers.items()), self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(500 if len(calls) == 1 else 204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Listening)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/new", calls
    server.shutdown()
    server.server_close()


def published(ledger, shop, product, version, at, **changed):
    """A version is published, and judged as after its refresh."""
    plan, _ = read_plan(shop)
    with ledger.writing() as connection:
        ports = [each for each in newest_publications(connection, max(at, NOW), [product], with_columns=True) if each.product == product]
        write(connection, [replace(each, version=version, published_at=at, log_id=each.log_id + 1, **changed) for each in ports])
    judge_refreshed(ledger, shop, plan, [product], installed_registry(), at + timedelta(seconds=1))
    return plan


def test_a_machine_hears_of_a_new_version_by_a_signed_call_until_it_takes_it(shop, machine):
    url, calls = machine
    with browser(shop, AuthSettings(), base="http://127.0.0.1") as client:
        hook = client.post("/api/v1/products/summary/hooks", json={"url": url})
        assert hook.status_code == 201, hook.text
        secret, number = hook.json()["secret"], hook.json()["hook"]
        listed = client.get("/api/v1/hooks").json()
        assert secret.encode() not in (shop / ".mesh/ledger.sqlite").read_bytes() and (shop / KEY_FILE).stat().st_mode & 0o077 == 0
        assert [each["hook"] for each in listed] == [number] and secret not in json.dumps(listed)

        ledger, at = opened_ledger(shop), datetime.now(UTC) + timedelta(seconds=1)
        plan = published(ledger, shop, "summary", "v-new", at)

        def send(later):
            return deliver_due(ledger, shop, plan, [f"hook:{number}"], {}, at + timedelta(seconds=2) + later, "a test")

        first = send(timedelta())
        assert (first.sent, first.failed) == (0, 1) and "status 500" in first.texts[0]
        assert send(timedelta(minutes=5)).sent == 1
        assert send(timedelta(hours=5)).sent == 0
        (headers, body), (again, same) = calls
        assert body == same and headers["X-Mesh-Message"] == again["X-Mesh-Message"]
        seconds, _, told = again["Mesh-Signature"].removeprefix("t=").partition(",v1=")
        assert hmac.compare_digest(told, hmac.new(secret.encode(), seconds.encode() + b"." + body, "sha256").hexdigest())
        assert int(seconds) > int(headers["Mesh-Signature"].removeprefix("t=").partition(",")[0])
        new = json.loads(body)
        assert (new["product"], new["version"], new["change"]) == ("summary", "v-new", "none")
        assert new["ports"][0]["records"].startswith("/api/v1/ports/office/summary/") and new["ports"][0]["rows"] == 2

        narrower = {"columns": {"sensor": "varchar"}}
        published(ledger, shop, "summary", "v-narrow", at + timedelta(hours=6), **narrower)
        with ledger.reading() as connection:
            bodies = [json.loads(each.message.body) for each in outbox.messages(connection, state="waiting", channel=f"hook:{number}")]
        assert [(each["version"], each["change"]) for each in bodies] == [("v-narrow", "major")]

        assert client.post(f"/api/v1/hooks/{number}/end").status_code == 204
        assert "has ended" in send(timedelta(hours=7)).texts[0]
        assert client.post(f"/api/v1/hooks/{number}/end").status_code == 404
        ledger.close()


CLOCKS = {
    "whoever begins has a clock that is ahead": (timedelta(minutes=5), timedelta()),
    "whoever publishes has set the clock back": (timedelta(), timedelta(hours=-3)),
}


@pytest.mark.parametrize(("begins", "publishes"), CLOCKS.values(), ids=CLOCKS)
def test_what_is_new_to_a_machine_is_told_by_no_clock(shop, begins, publishes):
    ledger, now, new = opened_ledger(shop), datetime.now(UTC), f"v-{begins}-{publishes}"
    plan = published(ledger, shop, "summary", f"before-{new}", now)
    _, hook = begin_hook(ledger, shop, plan.product("summary"), "ada", "http://127.0.0.1:9/new", {}, now + begins)
    published(ledger, shop, "summary", new, now + timedelta(seconds=9) + publishes)
    judge_refreshed(ledger, shop, plan, ["summary"], installed_registry(), now + timedelta(hours=1))
    with ledger.reading() as connection:
        bodies = [json.loads(each.message.body)["version"] for each in outbox.messages(connection, state="waiting", channel=hook.channel)]
    assert bodies == [new]
    ledger.close()


def test_a_person_lets_a_machine_hear_and_ends_it_on_the_page_of_a_product(shop):
    with browser(shop, AuthSettings(), base="http://127.0.0.1") as client:

        def sent(**fields):
            form = token(client.get("/products/summary/access").text)
            return client.post("/products/summary/hooks", data={"token": form, **fields})

        begun = sent(url="http://127.0.0.1:9/new")
        secret = begun.text.partition("shown this once: <code>")[2].partition("</code>")[0]
        assert begun.headers["cache-control"] == "no-store" and len(secret) == 64
        page = client.get("/products/summary/access").text
        assert "http://127.0.0.1:9/new" in page and secret not in page
        refused = sent(url="https://evil.example.com/<script>")
        assert refused.status_code == 422 and "MESH_HOOK_HOSTS allows" in refused.text and "<script>" not in refused.text
        number = page.partition('name="hook" value="')[2].partition('"')[0]
        assert sent(do="end", hook=number).status_code == 303
        assert [sent(do="end", hook=each).status_code for each in (number, "x", "9" * 30, "²")] == [403] * 4
        assert "http://127.0.0.1:9/new" not in client.get("/products/summary/access").text


def test_a_machine_is_begun_listed_and_ended_on_a_terminal(shop):
    def mesh(*arguments):
        return CliRunner().invoke(app, ["--root", str(shop), "hook", *arguments])

    begun = mesh("new", "summary", "http://127.0.0.1:9/cli", "--to", "ada@example.com")
    assert begun.exit_code == 0 and len(begun.stdout.split()[0]) == 64, begun.output
    (hook,) = json.loads(mesh("list", "--of", "ada@example.com", "--json").stdout)
    assert (hook["product"], hook["url"]) == ("summary", "http://127.0.0.1:9/cli") and "seed" not in hook
    assert "allows: " in mesh("new", "summary", "https://evil.example.com/").output
    assert mesh("end", str(hook["hook"])).exit_code == 0
    assert f"there is no hook {hook['hook']}" in mesh("end", str(hook["hook"])).output


KEYS = {
    "a short key": ({"MESH_HOOK_KEY": "short"}, "MESH_HOOK_KEY is too short"),
    "no folder": ({}, "cannot be read"),
}


@pytest.mark.parametrize(("environment", "told"), KEYS.values(), ids=KEYS)
def test_without_a_key_that_holds_no_call_is_signed(tmp_path, environment, told):
    (tmp_path / ".mesh").write_text("no folder")
    with pytest.raises(NoHookKey, match=told):
        secret_of(VersionHook(1, "summary", "ada", "https://x", new_seed(), NOW), tmp_path, environment)


def test_a_secret_is_of_the_key_and_of_the_machine_and_one_that_was_kept_before_holds(tmp_path):
    one, other = (VersionHook(1, "summary", "ada", "https://x", new_seed(), NOW) for _ in range(2))
    keys = ({}, {"MESH_HOOK_KEY": "k" * 32}, {"MESH_HOOK_KEY": "j" * 32})
    assert len({secret_of(hook, tmp_path, key) for hook in (one, other) for key in keys}) == 6
    assert secret_of(one, tmp_path, {}) == secret_of(one, tmp_path, {})
    assert secret_of(replace(one, seed="kept as it was"), tmp_path, {}) == "kept as it was"


HOSTS = ("etl.example.com", "*.internal.example.com")
REFUSED = (
    "http://etl.example.com/x",
    "https://evil.example.com/x",
    "https://etl.example.com.evil.example/x",
    "https://internal.example.com.evil.example/",
    "https://user:secret@etl.example.com/",
    "https://127.0.0.1/",
    "http://169.254.169.254/latest/meta-data",
    "https://[::1]/",
    "file:///etc/passwd",
    "ftp://etl.example.com/",
    "https://etl.example.com\\@evil.example/",
    "https://etl.example.com/\r\nhost: evil",
    "https://etl.example.com:0/",
    "//etl.example.com/",
    "https://",
    "",
)


def test_one_that_answers_letter_by_letter_keeps_nobody_waiting():
    """Each wait is short, and all of them are long: on its way the answer would be complete after three seconds."""
    listening = socket.create_server(("127.0.0.1", 0))

    def answer():
        with listening.accept()[0] as calling:
            calling.recv(100_000)
            for letter in b"HTTP/1.1 204 No Content\r\n":
                calling.sendall(bytes([letter]))
                time.sleep(0.1)
            with suppress(OSError):
                calling.sendall(b"\r\n")

    threading.Thread(target=answer, daemon=True).start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/new"
    with listening, pytest.raises(DeliveryFailed, match="no answer within 1 s"):
        call(url, "secret", "key", "text", datetime.now(UTC), hook_hosts({}), timedelta(seconds=1))


@pytest.mark.parametrize("url", REFUSED)
def test_a_machine_listens_only_where_the_platform_allows(url):
    with pytest.raises(AddressRefused, match=r"MESH_HOOK_HOSTS allows: etl\.example\.com"):
        check_address(url, HOSTS)


def test_hosts_that_are_named_may_be_called_and_this_computer_only_where_nobody_signs_in():
    check_address("https://etl.example.com:8443/new?x=1", HOSTS)
    check_address("https://a.internal.example.com/", HOSTS)
    check_address("http://127.0.0.1:9/", hook_hosts({}))
    for kind in ("proxy", "oidc"):
        with pytest.raises(AddressRefused):
            check_address("http://127.0.0.1:9/", hook_hosts({"MESH_AUTH": kind, "MESH_HOOK_HOSTS": "etl.example.com"}))


def test_a_signature_is_of_the_time_and_the_body():
    at = datetime(2026, 6, 1, tzinfo=UTC)
    assert signature("s", b"{}", at).startswith(f"t={int(at.timestamp())},v1=")
    assert (
        len({signature("s", b"{}", at), signature("s", b"{ }", at), signature("t", b"{}", at), signature("s", b"{}", at + timedelta(1))})
        == 4
    )
