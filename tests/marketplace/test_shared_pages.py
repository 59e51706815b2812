"""Pages that several server processes share: made once for all who see everything, never for a person, and whole whatever is killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from platform_resources.access.reader_standing import Reader
from platform_resources.marketplace.ahead import shared_pages as sharing
from platform_resources.marketplace.ahead.page_maker import PageMaker
from platform_resources.marketplace.ahead.shared_pages import FILE, KeptPage, LastAsked, SeenLast, shared_pages
from platform_resources.marketplace.application import application
from platform_resources.marketplace.kept_view import TOO_OLD, opened_market
from platform_resources.marketplace.people.auth_settings import AuthSettings
from platform_resources.marketplace.security import FormToken
from platform_resources.services.showing.counted_reads import local_reader

pytestmark = pytest.mark.slow
AUTH, AT = AuthSettings(), datetime(2026, 11, 30, 1, tzinfo=UTC)


def who(scope):
    """Whoever says a name in a header; nobody says who they are otherwise."""
    return next((Reader(value.decode()) for name, value in scope["headers"] if name == b"x-reader"), None)


@pytest.fixture
def server(shop):
    """Starts processes of one server, as far as they share pages."""
    started = []

    def start():
        app = application(opened_market(shop), watch=False, who=who, auth=AUTH, share=True)
        started.append(app.state.shop.market)
        return app.state.shop, TestClient(app, base_url="http://127.0.0.1")

    yield start
    for market in started:
        market.stop()


def addresses(shop):
    with closing(sqlite3.connect(shop / FILE)) as database:
        return [address for (address,) in database.execute("select address from pages")]


def test_what_one_process_makes_is_sent_by_another_that_has_read_nothing(server):
    (maker, _), (worker, client) = server(), server()
    maker.kept.shared.ask(LastAsked(datetime.now(UTC), AUTH.started, "http", "127.0.0.1"))
    PageMaker(maker, maker.kept.shared).make_all()
    worker.kept.seen_last = worker.kept.shared.seen_last(None)
    view = maker.market.snapshot
    assert worker.kept.seen_last == SeenLast(view.at, view.mark, view.same, dict(view.changed), view.at + TOO_OLD, maker.market.read_after)
    for address in ("/", "/domains", "/map", "/products/readings", "/api/v1/products/readings/lineage"):
        assert client.get(address).status_code == 200
    assert worker.market.snapshot is None, "it has read no mesh for that"
    maker.market.written()
    assert "Sensor readings" in client.get("/").text
    assert worker.market.snapshot is not None, "what was told before a write is not relied on after it"


def test_the_page_of_a_person_is_given_to_nobody_else(server, shop):
    (_, one), (_, other) = server(), server()
    for client in (one, other):
        assert "zoltan" not in client.get("/products/readings").text
    own = one.get("/products/readings", headers={"x-reader": "zoltan"})
    assert "zoltan" in own.text and "zoltan" not in other.get("/products/readings").text
    assert "yvonne" in other.get("/products/readings", headers={"x-reader": "yvonne"}).text
    assert addresses(shop) and not [address for address in addresses(shop) if "Reader" in address]


def test_a_page_of_one_start_of_a_server_is_not_sent_by_the_next(server, shop):
    _, client = server()
    assert FormToken(AUTH.secret).of(local_reader()) in client.get("/products/readings").text
    auth = AuthSettings()
    with TestClient(application(opened_market(shop), watch=False, who=who, auth=auth, share=True), base_url="http://127.0.0.1") as later:
        assert FormToken(auth.secret).of(local_reader()) in later.get("/products/readings").text


def page(number):
    mark = ((("run_start", number),), 1, 2, 3)
    return KeptPage(bytes([number % 256]) * 9_000, AT + timedelta(seconds=number), f"{number}", mark, "same", None, "text/html")


WRITING = """
import sys
from pathlib import Path
from platform_resources.marketplace.ahead.shared_pages import SharedPages
from tests.marketplace.test_shared_pages import page
pages, number = SharedPages(Path(sys.argv[1])), 0
while True:
    pages.put(f"{number % 50}", page(number))
    number += 1
    print(number, flush=True)
"""


def test_a_page_is_whole_whenever_its_writer_is_killed(tmp_path):
    file = tmp_path / FILE
    pages = shared_pages(tmp_path)
    with subprocess.Popen([sys.executable, "-c", WRITING, str(file)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as writer:
        while int(writer.stdout.readline()) < 200:
            read = [pages.find(f"{number}") for number in range(50)]
            assert all(one is None or one == page(int(one.tag)) for one in read)
        writer.kill()
    kept = [shared_pages(tmp_path).find(f"{number}") for number in range(50)]
    assert [one == page(int(one.tag)) for one in kept] == [True] * 50


def test_a_file_that_is_no_database_is_made_anew_and_one_that_others_may_open_is_not_used(tmp_path, caplog):
    file = tmp_path / FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(b"nonsense " * 1_000)
    file.chmod(0o600)
    shared_pages(tmp_path).put("a", page(1))
    assert "is made anew" in caplog.text
    assert shared_pages(tmp_path).find("a") == page(1)
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o640)
    assert shared_pages(tmp_path) is None
    assert "others own it or may open it" in caplog.text


def test_what_was_made_first_goes_where_there_is_no_room_or_when_it_is_too_old(tmp_path, monkeypatch):
    pages = shared_pages(tmp_path)
    monkeypatch.setattr(sharing, "MOST_BYTES", 300_000)
    for number in range(100):
        pages.put(f"{number}", page(number))
    left = [number for number in range(100) if pages.find(f"{number}")]
    assert left[-1] == 99 and 0 not in left and 10 < len(left) < 40
    pages.drop_before(AT + timedelta(seconds=98))
    assert [number for number in range(100) if pages.find(f"{number}")] == [98, 99]


def children(parent):
    try:
        tasks = [(task / "children").read_text() for task in Path(f"/proc/{parent}/task").iterdir()]
    except OSError:  # it has ended meanwhile
        return []
    return [int(child) for task in tasks for child in task.split()]


def nice(process):
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[16])


def makers(server, but=()):
    """Each page maker other than these, with the server process that has started it."""
    return [(maker, worker) for worker in children(server) for maker in children(worker) if nice(maker) == 10 and maker not in but]


def asked(address):
    """Ask, whichever process answers; one that was killed meanwhile does not."""
    with suppress(httpx.TransportError):
        httpx.get(address, timeout=300)
    return True


def until(found, seconds=240):
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.2)
    return value


def test_one_process_makes_pages_for_all_and_is_replaced_when_it_or_its_parent_is_killed(shop):
    command = [sys.executable, "-c", "from platform_resources.cli.app import main; main()", "--root", str(shop), "serve", "--port", "0"]
    with subprocess.Popen([*command, "--workers", "2"], stderr=subprocess.PIPE, text=True, env={**os.environ}) as server:
        address = server.stderr.readline().removeprefix("marketplace: ").strip()
        try:
            assert "Sensor readings" in httpx.get(address, timeout=300).text
            ((first, parent),) = until(lambda: makers(server.pid))
            workers = children(server.pid)
            os.kill(first, signal.SIGKILL)
            ((second, _),) = until(lambda: makers(server.pid, but=(first,)))
            os.kill(parent, signal.SIGSTOP)  # so that it is killed while the server asks whether it lives
            time.sleep(2)
            os.kill(parent, signal.SIGKILL)
            until(lambda: [worker for worker in children(server.pid) if worker not in workers], seconds=45)
            ((third, other),) = until(lambda: asked(address) and makers(server.pid, but=(first, second)))
            until(lambda: not Path(f"/proc/{second}").exists())
            assert other != parent and third != second
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(300)
        until(lambda: not Path(f"/proc/{third}").exists())
