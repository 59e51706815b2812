"""REST interfaces of a real local server as inputs: every kind of paging, servers that ask for patience, and values as they are written."""

import json
import threading
import time
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest

from platform_resources.capabilities.protocols import Extraction
from platform_resources.capabilities.readers.rest_rows import RestRows
from platform_resources.capabilities.readers.source_addresses import SourceUnread

pytestmark = pytest.mark.slow

SIZE, ALL = 3, 8


class Handler(BaseHTTPRequestHandler):
    """Eight records on pages of three, in every way; the first answers of `trouble` are what the test says, and as usual where it is None."""

    def do_GET(self):
        server, asked = self.server, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(asked.query).items()}
        server.asked.append((time.monotonic(), asked.path, self.headers.get("Authorization", "")))
        trouble = server.trouble.pop(0) if server.trouble else None
        if trouble is not None:
            status, headers = trouble
            return self._answer(status, {"error": "no"}, headers)
        at = int(query.get("offset", query.get("after", 0))) or SIZE * int(query.get("page", 0))
        records = server.records[at : at + SIZE]
        more = at + SIZE < len(server.records)
        here = f"http://127.0.0.1:{server.server_port}"
        answers = {
            "/number": ({"items": records, "total": len(server.records)}, {}),
            "/offset": ({"items": records, "total": len(server.records)}, {}),
            "/cursor": ({"items": records, "next": str(at + SIZE) if more else None}, {}),
            "/links": ({"items": records, "meta": {"next": f"{here}/links?offset={at + SIZE}" if more else None}}, {}),
            "/header": (records, {"Link": f'<{here}/header?offset={at + SIZE}>; rel="next"'} if more else {}),
            "/away": ({"items": records, "next": server.away}, {}),
            "/plain": (json.dumps({"items": server.records}, ensure_ascii=False), {"Content-Type": "text/plain"}),
            "/whole": ({"data": {"items": server.records}}, {}),
        }
        return self._answer(200, *answers[asked.path])

    def _answer(self, status, body, headers):
        text = body if isinstance(body, str) else json.dumps(body)
        self.send_response(status)
        for name, value in (headers | ({"ETag": self.server.etag} if self.server.etag else {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments):
        """Nothing: tests print no requests."""


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        found.asked, found.trouble, found.away, found.etag, found.records = [], [], "", "", [{"id": n, "name": f"n{n}"} for n in range(ALL)]
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def read(server, path, pagination, page_options=None, records="items", token=None, memory="4GB", **params):
    connection = duckdb.connect(config={"memory_limit": memory})
    rows = RestRows(f"http://127.0.0.1:{server.server_port}{path}", params, {}, token, records, pagination, page_options or {})
    extracted = rows.read(Extraction(connection, date(2024, 6, 1), {}, None, Path(), "tickets"))
    return extracted.data.fetchall(), dict(zip(extracted.data.columns, map(str, extracted.data.types), strict=True)), extracted.cursor


def test_letters_arrive_as_they_are_whatever_the_server_says_of_its_text(server):
    server.records = [{"id": 1, "name": "Zoë Müller, 東京"}]
    assert read(server, "/plain", "none")[0] == [(1, "Zoë Müller, 東京")]


def test_a_record_may_be_large_and_small_ones_take_little_memory(server):
    server.records = [{"id": 1, "name": "x" * 17 * 2**20}]
    assert [len(name) for _, name in read(server, "/whole", "none", records="data.items")[0]] == [17 * 2**20]
    server.records = [{"id": 1, "name": "n1"}]
    assert read(server, "/whole", "none", records="data.items", memory="256MB")[0] == [(1, "n1")]


PAGING = {
    "page numbers": ("/number", "page-number", {"base_page": 0, "total_path": None}, "items"),
    "offsets": ("/offset", "offset", {"limit": SIZE}, "items"),
    "cursors": ("/cursor", "cursor", {"cursor_path": "next", "cursor_param": "after"}, "items"),
    "links in the answer": ("/links", "next-link", {"next_url_path": "meta.next"}, "items"),
    "links in the header": ("/header", "link-header", {}, ""),
    "no pages": ("/whole", "none", {}, "data.items"),
}


@pytest.mark.parametrize(("path", "pagination", "options", "records"), PAGING.values(), ids=PAGING)
def test_every_record_of_every_page_comes_once(server, path, pagination, options, records):
    rows, types, cursor = read(server, path, pagination, options, records)
    assert rows == [(n, f"n{n}") for n in range(ALL)]
    assert (types, cursor) == ({"id": "BIGINT", "name": "VARCHAR"}, {"read": ALL})


def test_a_server_that_asks_for_patience_gets_it_and_nothing_is_lost_or_doubled(server):
    server.trouble = [(429, {"Retry-After": "2"}), (503, {})]
    rows, _, _ = read(server, "/links", "next-link", {"next_url_path": "meta.next"})
    assert len(rows) == ALL
    assert server.asked[1][0] - server.asked[0][0] >= 2, "as long as Retry-After says"
    assert len(server.asked) == 2 + 3


def test_a_token_that_has_expired_is_told_and_not_shown(server, monkeypatch):
    monkeypatch.setenv("SUPPORT_TOKEN", "s3cret-token")
    server.trouble = [(401, {})]
    with pytest.raises(Exception, match="401") as failed:
        read(server, "/whole", "none", records="data.items", token="${SUPPORT_TOKEN}")
    assert (server.asked[0][2], "s3cret" in str(failed.value)) == ("Bearer s3cret-token", False)


@pytest.fixture
def elsewhere(server):
    """Another server, as another name of this computer."""
    return f"http://localhost:{server.server_port}/whole"


def test_no_redirect_and_no_next_page_takes_a_token_to_another_server(server, elsewhere, monkeypatch):
    monkeypatch.setenv("SUPPORT_TOKEN", "s3cret-token")
    for trouble, path, pagination, options in (
        ([(302, {"Location": elsewhere})], "/whole", "none", {}),
        ([], "/away", "next-link", {"next_url_path": "next"}),
    ):
        server.trouble, server.asked, server.away = trouble, [], elsewhere
        with pytest.raises(SourceUnread, match="leads to another server"):
            read(server, path, pagination, options, token="${SUPPORT_TOKEN}")
        assert [asked[1] for asked in server.asked] == [path]


def test_a_redirect_within_the_server_is_followed(server):
    server.trouble = [(302, {"Location": "/whole"})]
    assert len(read(server, "/moved", "none", records="data.items")[0]) == ALL


def test_values_are_as_they_are_written_and_nested_ones_are_json(server):
    server.records = [
        {"id": 1, "amount": 0.1, "exact": 1.5, "long": 9223372036854775808, "yes": True, "lines": [{"sku": "a", "n": 1}], "mixed": 1},
        {"id": None, "amount": 3, "exact": 2, "late": "2024-01-01", "mixed": "x", "lines": None},
    ]
    rows, types, _ = read(server, "/whole", "none", records="data.items")
    assert rows[0] == (1, 0.1, 1.5, "9223372036854775808", True, '[{"sku": "a", "n": 1}]', "1", None)
    assert rows[1] == (None, 3.0, 2.0, None, None, None, "x", "2024-01-01")
    assert types["lines"] == "JSON"


def test_no_digit_of_a_long_number_is_lost_beside_one_with_a_fraction(server):
    server.records = [{"a": 9007199254740993, "b": 9007199254740993}, {"a": 0.5, "b": 1}]
    rows, types, _ = read(server, "/whole", "none", records="data.items")
    assert (rows, types) == ([("9007199254740993", 9007199254740993), ("0.5", 1)], {"a": "VARCHAR", "b": "BIGINT"})


REFUSED = {
    "records that are elsewhere": ("data.rows", "has no data.rows (records)"),
    "records that are no list": ("data", "is no list of objects; say with records where the list is"),
}


@pytest.mark.parametrize(("records", "told"), REFUSED.values(), ids=REFUSED)
def test_an_answer_that_is_built_otherwise_is_no_empty_one(server, records, told):
    with pytest.raises(SourceUnread) as failed:
        read(server, "/whole", "none", records=records)
    assert told in str(failed.value)


def test_no_record_at_all_counts_as_not_arrived(server):
    server.records = []
    with pytest.raises(SourceUnread, match="has no records, so it counts as not arrived"):
        read(server, "/whole", "none", records="data.items")
