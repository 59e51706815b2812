"""Records of a port: as the person sees them, page by page of one version, in every form, counted; and what is refused."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_resources.ledger.people_tables import reads
from platform_resources.marketplace import downloads
from platform_resources.marketplace.api import record_routes
from platform_resources.publications.published_versions import shelf
from tests.marketplace.shop_mesh import opened_ledger
from tests.marketplace.test_people import as_

pytestmark = pytest.mark.slow
OWNER, EVE, OFFICE = as_("plant-lead@example.com"), as_("eve@example.com"), as_("product:summary")
PORT = "/api/v1/ports/plant/readings/measurements_file/records"


def ask(pages, who=OWNER, address=PORT, **query):
    return pages.get(address, params=query, headers=who)


def test_a_page_has_rows_their_types_and_the_way_to_the_next(pages):
    first = ask(pages, limit=3, sort="-reading_id", columns="reading_id,degrees").json()
    assert [row["reading_id"] for row in first["rows"]] == [406, 405, 404]
    assert first["columns"] == {"reading_id": "bigint", "degrees": "decimal(6,2)"}
    second = pages.get(first["next_page"], headers=OWNER).json()
    assert [row["reading_id"] for row in second["rows"]] == [403, 402, 401]
    assert second["version"] == first["version"]


def test_all_pages_together_are_the_port_and_the_last_has_no_next(pages):
    found, address = [], f"{PORT}?limit=100"
    while address:
        page = pages.get(address, headers=OWNER).json()
        found += [row["reading_id"] for row in page["rows"]]
        address = page["next_page"]
    assert found == list(range(407))


def test_filters_are_applied_by_the_type_of_their_column(pages):
    page = ask(
        pages, where=["degrees:ge:20.5", "sensor:eq:north", "measured_at:lt:2024-06-01 00:30:00"], columns="reading_id,degrees"
    ).json()
    assert page["rows"] and all(float(row["degrees"]) >= 20.5 for row in page["rows"])
    assert [row["reading_id"] for row in ask(pages, where="reading_id:in:5,7").json()["rows"]] == [5, 7]


def rows_of(form, body):
    match form:
        case "ndjson":
            return [json.loads(line) for line in body.splitlines()]
        case "csv":
            names, *rows = [line.split(",") for line in body.decode().splitlines()]
            return [dict(zip(names, row, strict=True)) for row in rows]
        case "arrow":
            return pa.ipc.open_stream(body).read_all().to_pylist()
        case "parquet":
            return pq.read_table(io.BytesIO(body)).to_pylist()


@pytest.mark.parametrize("form", ["ndjson", "csv", "arrow", "parquet"])
def test_every_form_has_the_same_rows_and_the_whole_port_where_no_limit_is_said(pages, form):
    answer = ask(pages, format=form)
    assert answer.status_code == 200 and int(answer.headers["content-length"]) == len(answer.content)
    rows = rows_of(form, answer.content)
    assert sorted(int(row["reading_id"]) for row in rows) == list(range(407)) and set(rows[0]) > {"sensor", "degrees"}
    paged = ask(pages, format=form, limit=5, sort="reading_id")
    assert [int(row["reading_id"]) for row in rows_of(form, paged.content)] == [0, 1, 2, 3, 4]
    behind = pages.get(paged.links["next"]["url"], headers=OWNER)
    assert [int(row["reading_id"]) for row in rows_of(form, behind.content)] == [5, 6, 7, 8, 9]
    assert behind.headers["mesh-version"] == answer.headers["mesh-version"]


def test_the_form_may_be_asked_for_by_accept_and_an_answer_that_is_known_is_not_made_again(pages):
    answer = pages.get(PORT, headers=OWNER | {"accept": "application/vnd.apache.arrow.stream"})
    assert len(pa.ipc.open_stream(answer.content).read_all()) == 407
    again = pages.get(PORT, headers=OWNER | {"accept": "application/vnd.apache.arrow.stream", "if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


def test_a_session_goes_on_in_its_version_while_others_are_published(pages, shop):
    first = ask(pages, limit=2, version=shelf(shop, "plant", "readings").published()[0].id).json()
    newest = ask(pages, limit=2).json()
    assert first["version"] != newest["version"]
    assert pages.get(first["next_page"], headers=OWNER).json()["version"] == first["version"]


def test_each_reader_gets_their_own_view_and_those_without_a_grant_nothing(pages, shop):
    refused = ask(pages, EVE)
    assert refused.status_code == 403 and "Ada" not in refused.text and "no grant" in refused.text
    cursor = ask(pages, limit=1, columns="operator").json()["next"]
    assert ask(pages, EVE, limit=1, columns="operator", after=cursor).status_code == 403


def test_a_reading_is_counted_once_for_a_session_with_its_port_and_person(pages, shop):
    def counted():
        ledger = opened_ledger(shop)
        with ledger.reading() as connection:
            found = connection.execute(reads.select().where(reads.c.kind == "records", reads.c.reader == "plant-lead@example.com")).all()
        ledger.close()
        return len(found)

    before = counted()
    page = ask(pages, limit=100).json()
    pages.get(page["next_page"], headers=OWNER)
    assert counted() == before + 1


WRONG = {
    "an unknown column": (400, {"where": "degres:ge:1"}, 'did you mean "degrees"'),
    "no operator": (400, {"where": "degrees"}, "write COLUMN:OPERATOR:VALUE"),
    "no number": (422, {"where": "degrees:ge:warm"}, "Could not convert"),
    "a part of a whole number": (400, {"where": "reading_id:eq:1.5"}, '"1.5" is no bigint: it has more digits behind the point'),
    "too fine a decimal": (400, {"where": "degrees:in:20.5,20.005"}, '"20.005" is no decimal(6,2): it has more digits'),
    "no cursor": (400, {"after": "x", "limit": 1}, "this is no cursor"),
    "no version": (404, {"version": "nothing"}, "has no version nothing"),
    "too many rows": (400, {"limit": 10_000_000}, "limit: Input should be less than or equal to 1000000"),
    "an unknown form": (400, {"format": "xml"}, "format: Input should be 'json', 'ndjson'"),
}


@pytest.mark.parametrize(("status", "query", "told"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_given_is_told(pages, status, query, told):
    answer = ask(pages, **query)
    said = answer.json()
    assert (answer.status_code, told in f"{said['error']} {said['hint']}") == (status, True), answer.text
    assert "LINE 1" not in answer.text, "nobody has written this statement"


def test_an_address_that_names_nothing_is_told(pages):
    for address in ("office/readings/measurements_file", "plant/readings/nothing", "plant/nothing/nothing"):
        assert ask(pages, address=f"/api/v1/ports/{address}/records").status_code == 404


FILES = "/api/v1/products/readings/ports/measurements_file/versions"
READS = {
    "a page": (record_routes, "written_file", "{port}/records?limit=2&version={version}"),
    "all of it": (record_routes, "written_file", "{port}/records?format=arrow&version={version}"),
    "a part of a file": (downloads, "published_files", "{files}/{version}/files/measurements.parquet"),
}


@pytest.mark.parametrize(("module", "step", "address"), READS.values(), ids=READS)
def test_of_a_version_that_is_taken_away_during_a_read_nothing_is_sent(pages, shop, monkeypatch, module, step, address):
    shelves, whole = shelf(shop, "plant", "readings"), getattr(module, step)
    taken, *others = shelves.published()
    version = taken.id

    def taken_away():
        shelves.point_at(others)
        shelves.keep_only(others)

    def meanwhile(*asked, **named):
        if module is record_routes:
            taken_away()
            return whole(*asked, **named)
        known = whole(*asked, **named)
        taken_away()
        return known

    monkeypatch.setattr(module, step, meanwhile)
    answer = pages.get(
        address.format(port=PORT.removesuffix("/records"), files=FILES, version=version), headers={**OWNER, "range": "bytes=0-99"}
    )
    assert (answer.status_code, str(shop) in answer.text) == (404, False), answer.text
    assert version in answer.json()["error"]
