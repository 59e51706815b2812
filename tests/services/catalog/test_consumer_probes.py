"""Known consumers are asked over HTTP, by a real server, whether they answer."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from platform_resources.capabilities.registry import installed_registry
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.ledger.people.certifications import certified_since, note_certified
from platform_resources.ledger.people.consumer_answers import consumer_answers
from platform_resources.services.catalog.consumer_probes import probed_consumers
from platform_resources.services.evaluation_round import evaluate
from tests.marketplace.shop_mesh import NOW
from tests.meshes import edited, product_file, tiny_mesh

CONSUMER = "kind: dashboard\n        uses: [sensors_sql]\n"


class Pages(BaseHTTPRequestHandler):
    """Answers with the status that the path names; some lead away: to a file, to another name of this computer, to another page.

    What is asked of 204 waits for longer than a second.
    """

    def do_GET(self):
        port = self.server.server_port
        if self.path == "/204":
            time.sleep(1.1)
        away = {"/away": "file:///etc/hostname", "/inside": f"http://localhost:{port}/200", "/moved": f"http://127.0.0.1:{port}/200"}
        self.send_response(302 if self.path in away else int(self.path[1:]))
        if self.path in away:
            self.send_header("location", away[self.path])
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def pages():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def mesh_with(folder, url, probe="true"):
    root = tiny_mesh(folder)
    return edited(root, product_file("office", "summary"), CONSUMER, f"{CONSUMER}        url: {url}\n        probe: {probe}\n")


def answer(folder, url):
    plan, problems = read_plan(mesh_with(folder, url))
    assert not plan.rejected, problems
    ((found),) = probed_consumers(plan.products, NOW)
    assert (found.product, found.consumer, found.at) == ("summary", "plant_dashboard", NOW)
    return found.answers, found.said.partition(", after ")[0]


@pytest.mark.parametrize(
    ("path", "answers", "said"),
    [
        ("/200", True, "it answers"),
        ("/401", True, "it answers, and wants to know who asks"),
        ("/503", False, "it answers with status 503"),
        ("/404", False, "it answers with status 404"),
        ("/away", False, "it answers with status 302"),
        ("/moved", True, "it answers"),
        ("/inside", False, "it cannot be reached: it leads to localhost, which is no public address"),
    ],
)
def test_a_consumer_answers_or_it_is_said_what_is_wrong(tmp_path, pages, path, answers, said):
    assert answer(tmp_path, f"{pages}{path}") == (answers, said)


def test_a_server_that_is_gone_does_not_answer(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/"
    answers, said = answer(tmp_path, address)
    assert not answers and said.startswith("it cannot be reached: ")


def test_nobody_is_asked_who_is_not_to_be_asked(tmp_path, pages):
    plan, _ = read_plan(mesh_with(tmp_path, f"{pages}/200", "false"))
    assert probed_consumers(plan.products, NOW) == ()


def test_what_is_to_be_asked_has_an_address_of_the_web(tmp_path):
    plan, problems = read_plan(mesh_with(tmp_path, "ftp://example.com/x"))
    assert [each.name for each in plan.rejected] == ["summary"]
    assert any("give a url that begins with http:// or https://" in str(problem) for problem in problems)


def test_an_evaluation_asks_and_keeps_the_newest_answer(tmp_path, pages):
    root = mesh_with(tmp_path, f"{pages}/200")
    ledger = open_ledger(ledger_url(root, {}))
    for path in ("200", "503"):
        file = root / product_file("office", "summary")
        file.write_text(file.read_text().replace("/200", f"/{path}"))
        plan, _ = read_plan(root)
        evaluate(ledger, root, plan, plan.products, installed_registry(), NOW, "office")
    with ledger.reading() as connection:
        (found,) = consumer_answers(connection).values()
        assert certified_since(connection) == {}
    ledger.close()
    assert (found.answers, found.said) == (False, "it answers with status 503")


def test_a_product_is_certified_since_it_was_seen_to_be_and_again_after_it_was_not(tmp_path):
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite")
    later = NOW.replace(year=NOW.year + 1)
    with ledger.writing() as connection:
        note_certified(connection, ["readings"], ["summary"], NOW)
        note_certified(connection, ["readings", "summary"], [], later)
        assert certified_since(connection) == {"readings": NOW, "summary": later}
        note_certified(connection, [], ["readings"], later)
        note_certified(connection, ["readings"], [], later)
        assert certified_since(connection)["readings"] == later
    ledger.close()
