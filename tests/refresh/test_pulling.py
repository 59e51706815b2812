"""Pulling: files, extractors and other products' ports, what is recorded of each, and what is served when it fails."""

import json
import os
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from platform_resources.access.grants import KnownGrants
from platform_resources.access.reader_standing import ReaderStanding
from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import PullExtractor
from platform_resources.dbt.planning import read_plan
from platform_resources.plan.conventions import KEPT_FOLDERS
from platform_resources.publications.published_versions import shelf
from platform_resources.redaction.redaction import mask
from platform_resources.refresh.auditing import audit
from platform_resources.refresh.built import make_room, note_keeping
from platform_resources.refresh.data_age import delivered_rows, input_records
from platform_resources.refresh.publishing import Candidate, failing_inputs, nothing_changed, publish
from platform_resources.refresh.pulling import pull
from platform_resources.refresh.sources.pull_records import PullContext, PullFailed, substance
from platform_resources.refresh.views.upstream_access import AccessRefused, AccessUnknown, consumer_standing, received, view_record
from platform_resources.spec.values.clocks import Clock
from platform_resources.warehouses.duckdb.product_database import opened
from tests.meshes import READINGS_CSV, edited, product_file

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
READ_AS = Clock("Europe/Berlin", NOW).moment(NOW)
LANDING = "dataproducts/plant/readings/landing"
HEAD = READINGS_CSV.splitlines()[0]
MEASURED = """
create or replace table internal.measurements as
select cast(reading_id as bigint) as reading_id, sensor, cast(degrees as decimal(6, 2)) as degrees, cast(measured_at as timestamp) as measured_at,
       operator, {processed_at} as processed_at
from (select unnest(range({rows})) as reading_id, 'north' as sensor, {degrees} as degrees, '2024-06-01' as measured_at, 'Ada' as operator)
"""


class Pulling:
    """One product of a mesh with its database open, and its single input port."""

    def __init__(self, root, name, database):
        self.root, self.name, self.database = root, name, database
        self.changes, self.grants = {}, KnownGrants()

    @property
    def product(self):
        return read_plan(self.root)[0].product(self.name)

    @property
    def port(self):
        return replace(self.product.inputs[0], **self.changes)

    def pull(self, now=NOW, replay=None, since=None):
        context = PullContext(self.root, self.root, now, date(2024, 5, 31), self.product, mask, self.grants, since=since)
        return pull(self.database, self.port, replace(context, replay={self.port.name: replay} if replay is not None else {}))

    def rows(self, sql="select * from {}"):
        return self.database.connection.execute(sql.format(f'inputs."{self.port.name}"')).fetchall()


def pulled(root, file, sql, connection=None, **more):
    """What a pull of the product readings gives, and the rows after it; `connection` makes what stands in for the database's own."""
    with opened(file) as database:
        if connection is not None:
            database.connection = connection(database.connection)
        pulling = Pulling(root, "readings", database)
        return pulling.pull(**more), pulling.rows(sql)


@pytest.fixture
def readings(tiny):
    with opened(tiny / "warehouse/plant/readings.duckdb") as database:
        yield Pulling(tiny, "readings", database)


@pytest.fixture
def summary(tiny):
    with opened(tiny / "warehouse/office/summary.duckdb") as database:
        yield Pulling(tiny, "summary", database)


def published(root, now=NOW, rows=3, degrees="1", processed_at="timestamptz '2024-06-01 12:00:00+00'"):
    """A version of the product readings, made without dbt."""
    product = read_plan(root)[0].product("readings")
    with opened(root / "warehouse/plant/readings.duckdb") as database:
        database.connection.execute(MEASURED.format(rows=rows, degrees=degrees, processed_at=processed_at))
        return publish(database, Candidate(product, root, now, "run", "print"), {})


def land(root, name, text):
    path = root / LANDING / name
    path.write_text(text, encoding="utf-8")
    return path


def growing(root):
    """The mesh whose file input grows: landing/readings*.csv with load: append."""
    return edited(
        root, product_file("plant", "readings"), "path: landing/readings.csv", "path: landing/readings*.csv\n        load: append"
    )


# Files


def test_a_file_is_loaded_and_its_set_recorded(readings):
    pulled = readings.pull()
    assert (pulled.rows, pulled.changed, dict(pulled.failures)) == (4, True, {})
    assert [os.path.basename(file["path"]) for file in pulled.record["files"]] == ["readings.csv"]
    assert input_records(readings.database, readings.product) == {"deliveries": pulled.record}


def test_a_file_that_is_the_same_is_not_loaded_again(readings):
    first, second = readings.pull(), readings.pull(NOW + timedelta(hours=1))
    assert second.changed is False
    assert substance(first.record) == substance(second.record)


def test_a_file_that_changed_replaces_what_was_loaded(readings):
    readings.pull()
    land(readings.root, "readings.csv", f"{HEAD}\n9,north,1,2024-06-02 06:00:00,Ada\n")
    pulled = readings.pull()
    assert (pulled.changed, pulled.rows) == (True, 1)


@pytest.mark.parametrize("grows", [False, True], ids=["a full load", "a load that appends"])
def test_a_delivery_is_known_by_the_rows_that_it_brought(readings, grows):
    if grows:
        growing(readings.root)
    brought, more = [readings.pull().record["brought"]], f"{HEAD}\n8,north,1,2024-06-02 06:00:00,Ada\n9,north,1,2024-06-02 06:00:00,Ada\n"
    land(readings.root, "readings2.csv" if grows else "readings.csv", more)
    brought += [readings.pull(NOW + timedelta(hours=hour)).record["brought"] for hour in (1, 2)]
    assert brought == [4, 2, 2], "where nothing comes the newest delivery stays what it was"
    assert delivered_rows(readings.database, readings.product) == {"deliveries": 2}
    assert len(readings.rows()) == (6 if grows else 2)


def test_a_delivery_with_too_few_rows_closes_the_gate_though_the_table_has_enough(readings, registry):
    growing(readings.root)
    edited(
        readings.root, product_file("plant", "readings"), "at_least: 3\n        never_decreases: true", "at_least: 3\n        per: delivery"
    )

    def judged():
        readings.pull()
        readings.database.connection.execute(MEASURED.format(rows=7, degrees="1", processed_at="timestamptz '2024-06-01 12:00:00+00'"))
        (found,) = [
            each for each in audit(readings.database, readings.product, registry, NOW, None) if each.objective.dimension == "volume"
        ]
        return found.judgement.reason, found.closes_gate

    assert judged() == ("4 rows in the newest delivery of deliveries; at least 3 promised", False)
    land(readings.root, "readings2.csv", f"{HEAD}\n8,north,1,2024-06-02 06:00:00,Ada\n")
    assert judged() == ("1 row in the newest delivery of deliveries; at least 3 promised", True)


def test_the_same_file_is_the_same_in_every_time_zone(readings, monkeypatch):
    import time

    first = readings.pull()
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        second = readings.pull()
    finally:
        monkeypatch.undo()
        time.tzset()
    assert second.changed is False
    assert substance(first.record) == substance(second.record)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f'{HEAD}\n1,"no""rth",1,2024-06-01,"A, da"\n', [('no"rth', "A, da")], id="quotes and commas"),
        pytest.param(f'{HEAD}\n1,"no\nrth",1,2024-06-01,Ada\n', [("no\nrth", "Ada")], id="line break in a field"),
        pytest.param(f"{HEAD}\n1,nörd‮☃,1,2024-06-01,Åda 🙂\n", [("nörd‮☃", "Åda 🙂")], id="unicode"),
        pytest.param(f"{HEAD}\r\n1,north,1,2024-06-01,Ada\r\n", [("north", "Ada")], id="Windows line ends"),
        pytest.param(f"﻿{HEAD}\n1,north,1,2024-06-01,Ada\n", [("north", "Ada")], id="byte order mark"),
        pytest.param(f"{HEAD}\n1,'; drop table x; --,1,2024-06-01,\n", [("'; drop table x; --", None)], id="SQL in a field"),
    ],
)
def test_a_delivery_is_loaded_as_it_is_written(readings, text, expected):
    land(readings.root, "readings.csv", text)
    readings.pull()
    assert readings.rows("select sensor, operator from {}") == expected


@pytest.mark.parametrize(("text", "told"), [("", "is empty (0 bytes)"), (f"{HEAD}\n", "has no rows")])
def test_a_delivery_without_rows_has_not_arrived_and_leaves_the_last_good_one(readings, text, told):
    readings.pull()
    land(readings.root, "readings.csv", text)
    pulled = readings.pull()
    assert pulled.failures["arrived"].startswith(f"landing/readings.csv {told}, so it counts as not arrived; empty: allowed would take it")
    assert (pulled.rows, pulled.changed) == (4, False)


def test_a_file_that_cannot_be_read_tells_why(readings):
    readings.pull()
    (readings.root / LANDING / "readings.csv").write_bytes(b"reading_id,sensor\n1,\xff\xfe\xfa\n")
    pulled = readings.pull()
    assert "the files could not be loaded" in pulled.failures["arrived"]
    assert pulled.rows == 4


@pytest.mark.parametrize(("column", "told"), [("sensor", '"Ada"'), ("operator", "a value that is not shown here")])
def test_a_value_that_cannot_be_loaded_is_told_unless_its_column_is_personal(readings, column, told):
    path = "path: landing/readings.csv"
    edited(readings.root, product_file("plant", "readings"), path, f"{path}\n        options: {{types: {{{column}: integer}}}}")
    land(readings.root, "readings.csv", "reading_id,sensor,operator\n1,Ada,Ada\n")
    with pytest.raises(PullFailed) as caught:
        readings.pull()
    assert str(caught.value) == (
        f"input port deliveries: the files could not be loaded: landing/readings.csv, line 2, column {column}: {told} is no integer, "
        f"or not all of it would be kept; mend the file, or say options: {{types: {{{column}: varchar}}}}"
    )


def test_a_file_set_grows_and_every_file_is_loaded_once(readings):
    growing(readings.root)
    assert readings.pull().rows == 4
    land(readings.root, "readings_2.csv", f"{HEAD}\n5,north,1,2024-06-02,Ada\n")
    assert (readings.pull().rows, readings.pull().rows) == (5, 5)
    assert len(readings.pull().record["files"]) == 2


def test_a_file_that_went_away_stays_loaded_when_the_set_grows(readings):
    growing(readings.root)
    second = land(readings.root, "readings_2.csv", f"{HEAD}\n5,north,1,2024-06-02,Ada\n")
    readings.pull()
    second.unlink()
    pulled = readings.pull()
    assert (pulled.rows, len(pulled.record["files"])) == (5, 2)


def test_a_loaded_file_that_changes_is_refused_when_the_set_grows(readings):
    growing(readings.root)
    readings.pull()
    land(readings.root, "readings.csv", f"{HEAD}\n9,north,1,2024-06-02,Ada\n")
    pulled = readings.pull()
    assert "files that were loaded already have changed" in pulled.failures["arrived"]
    assert "put the old content back and deliver what is new as a file of another name" in pulled.failures["arrived"]
    land(readings.root, "readings.csv", READINGS_CSV)
    assert not readings.pull().failures
    assert pulled.rows == 4


def test_a_copy_of_a_file_is_not_loaded_again_when_the_set_grows(readings):
    growing(readings.root)
    readings.pull()
    land(readings.root, "readings_copy.csv", READINGS_CSV)
    pulled = readings.pull()
    assert (pulled.rows, pulled.changed, len(pulled.record["files"])) == (4, False, 2)


@pytest.mark.parametrize("name", ['a folder\'s "own"', "we[i]rd*", "ünïcode ☃"])
def test_the_mesh_may_lie_in_a_folder_of_any_name(tmp_path, name):
    from tests.meshes import tiny_mesh

    root = tiny_mesh(tmp_path / name)
    with opened(root / "warehouse/plant/readings.duckdb") as database:
        assert Pulling(root, "readings", database).pull().rows == 4
    published(root)
    with opened(root / "warehouse/office/summary.duckdb") as database:
        assert Pulling(root, "summary", database).pull().rows == 3


# A file that fails


def test_the_first_file_that_does_not_come_stops_with_a_reason(readings):
    (readings.root / LANDING / "readings.csv").unlink()
    with pytest.raises(PullFailed, match=r"^input port deliveries: no file matches landing/readings.csv$") as caught:
        readings.pull()
    assert caught.value.check == "arrived"


@pytest.mark.parametrize("place", [f"{folder}/office/summary/summary.csv" for folder in KEPT_FOLDERS])
@pytest.mark.parametrize("way", ["a link", "a linked folder", "a path"])
def test_no_file_of_what_the_platform_keeps_is_read_wherever_links_lead(readings, place, way):
    """What another product keeps is read through its output ports, where agreements decide."""
    kept = readings.root / place
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(READINGS_CSV)
    landing = readings.root / LANDING
    shutil.rmtree(landing)
    if way == "a link":
        landing.mkdir()
        (landing / "readings.csv").symlink_to(kept)
    elif way == "a linked folder":
        kept.rename(kept.with_name("readings.csv"))
        landing.symlink_to(kept.parent)
    else:
        readings.changes["pull"] = replace(readings.port.pull, path=f"../../../{place}")
    with pytest.raises(PullFailed, match=r"leads into what the platform keeps of a product; read an output port of that product"):
        readings.pull()


def test_a_file_that_does_not_come_again_leaves_the_last_good_one(readings):
    first = readings.pull()
    (readings.root / LANDING / "readings.csv").unlink()
    pulled = readings.pull(NOW + timedelta(days=1))
    assert pulled.failures == {"arrived": f"no file matches landing/readings.csv; the last good one of {READ_AS} is served"}
    assert (pulled.rows, pulled.changed, pulled.record) == (4, False, first.record)
    assert failing_inputs(readings.database, readings.product) == {
        "deliveries": "input port deliveries: no file matches landing/readings.csv"
    }


def test_with_on_failure_fail_a_missing_file_stops_the_refresh(readings):
    readings.pull()
    readings.changes = {"serve_last_good": False}
    (readings.root / LANDING / "readings.csv").unlink()
    with pytest.raises(PullFailed, match="no file matches"):
        readings.pull()
    assert len(readings.rows()) == 4


def test_days_of_the_past_are_not_made_from_what_was_good_before(readings):
    readings.pull()
    (readings.root / LANDING / "readings.csv").unlink()
    with pytest.raises(PullFailed, match="no file matches"):
        readings.pull(since=date(2024, 5, 1))
    assert readings.pull().failures["arrived"].endswith("is served")


def test_a_failure_is_forgotten_when_the_file_comes(readings):
    readings.pull()
    file = readings.root / LANDING / "readings.csv"
    file.rename(file.with_name("away"))
    readings.pull()
    file.with_name("away").rename(file)
    assert not readings.pull().failures
    assert failing_inputs(readings.database, readings.product) == {}


# Extractors


EXTRACTORS = {
    "raises": "def x(e):\n    raise ConnectionError('till 7 does not answer')\n",
    "nothing": "def x(e):\n    pass\n",
    "module": "import nowhere_to_be_found\n",
    "breaks while loading": "1 / 0\n",
    "no such function": "def y(e):\n    pass\n",
    "not a function": "x = 1\n",
    "no data": "def x(e):\n    return 7\n",
    "SQL": "def x(e):\n    return e.connection.sql('select * from nowhere')\n",
}
REASONS = {
    "raises": "extractor extract:x failed: ConnectionError: till 7 does not answer",
    "nothing": "extractor extract:x returned nothing; it must return a DuckDB relation, an Arrow table or a data frame",
    "module": "extractor extract:x cannot be loaded: ModuleNotFoundError: No module named 'nowhere_to_be_found'",
    "breaks while loading": "extractor extract:x cannot be loaded: ZeroDivisionError: division by zero",
    "no such function": "extractor extract:x cannot be loaded: AttributeError",
    "not a function": "extractor extract:x is not a function",
    "no data": "what extractor extract:x returned cannot be loaded",
    "SQL": "extractor extract:x failed: CatalogException",
}
COUNTING = """
from platform_resources.capabilities.protocols import Extracted
def x(e):
    n = int(e.cursor or 0) + 1
    return Extracted(e.connection.sql(f"select {n} as n, date '{e.as_of}' as day"), str(n))
"""


@pytest.fixture
def extracting(readings):
    """The file port turned into an extractor port that counts its calls by cursor."""
    readings.changes = {"pull": PullExtractor("extract:x")}
    extractor(readings, COUNTING)
    return readings


def extractor(pulling, text):
    (pulling.root / "dataproducts/plant/readings/extract.py").write_text(text)


def test_an_extractor_is_given_its_last_cursor_and_the_day(extracting):
    assert [extracting.pull().record["cursor"] for _ in range(3)] == ["1", "2", "3"]
    assert extracting.rows() == [(3, date(2024, 5, 31))]


PAGES = """
from platform_resources.capabilities.protocols import Extracted
def x(e):
    return Extracted(e.connection.sql("select $$" + repr(e.cursor) + "$$ as given"), {page!r})
"""


@pytest.mark.parametrize(
    ("pages", "shown"),
    [
        (("/orders?token=p4ge-1", "/orders?token=p4ge-1", "/orders?token=p4ge-2"), "/orders?token=***"),
        (({"token": "p4ge-1"}, {"token": "p4ge-1"}, {"token": "p4ge-2"}), '{"token": "***"}'),
    ],
)
def test_a_cursor_with_a_secret_is_masked_in_records_and_given_back_as_it_was(extracting, pages, shown):
    records, given = [], []
    for hour, page in enumerate(pages):
        extractor(extracting, PAGES.format(page=page))
        records.append(extracting.pull(NOW + timedelta(hours=hour)).record)
        given += [text for (text,) in extracting.rows("select given from {}")]
    assert given == [repr(None), repr(pages[0]), repr(pages[1])]
    assert [record["cursor"] for record in records] == [shown] * 3
    assert [record["cursor_since"] for record in records] == [(NOW + timedelta(hours=hour)).isoformat() for hour in (0, 0, 2)]
    assert substance(records[0]) == substance(records[1]) != substance(records[2]), "what changed is told without the secret"
    extractor(extracting, PAGES.format(page="7"))
    assert extracting.pull().record["cursor"] == "7"
    assert "cursor_since" not in extracting.pull().record
    assert extracting.rows("select given from {}") == [("'7'",)]


@pytest.mark.parametrize("kind", EXTRACTORS)
def test_an_extractor_that_fails_leaves_the_last_good_data_and_cursor(extracting, kind):
    extracting.pull()
    extractor(extracting, EXTRACTORS[kind])
    pulled = extracting.pull()
    assert pulled.failures["arrived"].startswith(REASONS[kind])
    assert (extracting.rows(), pulled.record["cursor"]) == ([(1, date(2024, 5, 31))], "1")
    extractor(extracting, COUNTING)
    assert extracting.pull().record["cursor"] == "2"


@pytest.mark.parametrize("kind", EXTRACTORS)
def test_an_extractor_that_fails_at_first_stops_with_a_reason(extracting, kind):
    extractor(extracting, EXTRACTORS[kind])
    with pytest.raises(PullFailed) as caught:
        extracting.pull()
    assert str(caught.value).startswith(f"input port deliveries: {REASONS[kind]}")


def test_an_extractor_that_spoils_the_table_and_then_fails_changes_nothing(extracting):
    extracting.pull()
    extractor(extracting, "def x(e):\n    e.connection.execute('drop table inputs.deliveries')\n    raise OSError('gone')\n")
    assert extracting.pull().rows == 1


# Other products' ports


def test_a_port_is_pinned_to_one_version_and_the_pin_recorded(summary):
    publication = published(summary.root)
    pulled = summary.pull()
    assert pulled.record["version"] == publication.id
    assert (pulled.record["product"], pulled.record["port"], pulled.record["product_version"]) == ("readings", "measurements_sql", "1.1.0")
    assert shelf(summary.root, "plant", "readings").pins() == {"summary.measurements": publication.id}


def test_what_is_pinned_does_not_move_with_the_upstream(summary):
    published(summary.root, NOW, rows=3)
    summary.pull()
    published(summary.root, NOW + timedelta(minutes=1), rows=9)
    assert len(summary.rows()) == 3
    pulled = summary.pull(NOW + timedelta(minutes=2))
    assert (pulled.changed, pulled.rows) == (True, 9)


def test_nothing_published_upstream_stops_with_a_reason(summary):
    with pytest.raises(PullFailed, match=r"readings has not published a version within \^1 of its port measurements_sql yet"):
        summary.pull()


def test_no_version_is_named_where_any_would_do(summary):
    summary.changes = {"upstream": replace(summary.product.inputs[0].upstream, version="*")}
    with pytest.raises(PullFailed, match="readings has not published a version of its port measurements_sql yet"):
        summary.pull()


def test_a_version_out_of_range_is_not_read(summary):
    first = published(summary.root)
    summary.pull()
    edited(summary.root, product_file("plant", "readings"), "version: 1.1.0", "version: 2.0.0")
    edited(summary.root, product_file("office", "summary"), "version: ^1", "version: '>=1'")
    published(summary.root, NOW + timedelta(minutes=1), rows=9)
    summary.changes = {"upstream": replace(summary.product.inputs[0].upstream, version="^1")}
    pulled = summary.pull()
    assert (pulled.record["version"], pulled.changed, pulled.rows) == (first.id, False, 3)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'name: degrees, type: "decimal(6,2)"',
            'name: degrees, type: "decimal(8,2)"',
            "degrees is decimal(6,2), decimal(8,2) was promised",
        ),
        ("name: operator, type: varchar", "name: worker, type: varchar", "worker is missing, varchar was promised"),
    ],
)
def test_a_version_that_breaks_its_contract_is_not_read(summary, old, new, told):
    first = published(summary.root)
    summary.pull()
    edited(summary.root, product_file("plant", "readings"), old, new)
    second = published(summary.root, NOW + timedelta(minutes=1), rows=9)
    pulled = summary.pull(NOW + timedelta(minutes=2))
    assert set(pulled.failures) == {"contract"}
    assert pulled.failures["contract"].startswith(f"version {second.id} of readings breaks its contract: {told}; the last good one")
    assert (pulled.record["version"], pulled.rows) == (first.id, 3)
    assert shelf(summary.root, "plant", "readings").pins() == {"summary.measurements": first.id}


def test_the_last_good_version_is_read_where_the_state_is_now(summary):
    """As after a restore into another folder: the product's database names files of the one before."""
    published(summary.root)
    summary.pull()
    edited(summary.root, product_file("plant", "readings"), "name: operator, type: varchar", "name: worker, type: varchar")
    published(summary.root, NOW + timedelta(minutes=1), rows=9)
    moved = Pulling(summary.root.rename(summary.root.with_name("moved")), "summary", summary.database)
    pulled = moved.pull(NOW + timedelta(minutes=2))
    assert (set(pulled.failures), pulled.rows, len(moved.rows())) == ({"contract"}, 3, 3)


def the_view(publication):
    """What the role of the summary sees of the first port."""
    (view,) = publication.ports[0].views.values()
    return view


def test_a_grant_that_is_gone_takes_what_was_pulled_away(summary):
    published(summary.root)
    summary.pull()
    assert {row[4] for row in summary.rows()} == {"***"}
    built = {name: Relation("internal", name) for name in ("sensors", "sensor_readings")}
    make_room(summary.database, summary.product, built, "run")
    note_keeping(summary.database, summary.product, ["sensors"])
    for relation in built.values():
        summary.database.execute(f"create table internal.{relation.name} as select * from inputs.measurements")
    edited(summary.root, product_file("plant", "readings"), "product:summary", "product:other")
    with pytest.raises(
        PullFailed, match=r"product:summary has no grant .*mesh access request readings --role analyst --to product:summary"
    ):
        summary.pull(NOW + timedelta(minutes=1))
    assert not summary.database.exists(Relation("inputs", "measurements"))
    assert not summary.database.exists(built["sensor_readings"]), "what was built from it goes too"
    assert summary.database.exists(built["sensors"]), "but for what keeps rows that no build could make again"
    assert shelf(summary.root, "plant", "readings").pins() == {}


def test_grants_that_cannot_be_read_take_nothing_away(summary):
    published(summary.root)
    summary.pull()
    edited(summary.root, product_file("plant", "readings"), "product:summary", "product:other")
    summary.grants = KnownGrants(unknown="the ledger is locked")
    pulled = summary.pull(NOW + timedelta(minutes=1))
    assert "no grant of product:summary is known for a role of readings; the ledger's grants are not known" in pulled.failures["arrived"]
    assert len(summary.rows()) == 3


def test_a_version_without_the_view_leaves_nobody_with_everything_who_was_given_everything(summary):
    """What a record of former times says nothing of was read before there were views."""
    publication, upstream = published(summary.root), summary.port.upstream
    former = replace(publication, ports=tuple(replace(port, views={}) for port in publication.ports))
    decision = consumer_standing(upstream, summary.product, KnownGrants(), NOW)
    assert decision.sees == "role"
    everything = view_record(upstream, ReaderStanding("all", "its domain sees everything"))
    with pytest.raises(AccessRefused, match=r"was published before it had what is offered here .*`mesh refresh readings`"):
        received(upstream, former, decision, everything)
    with pytest.raises(AccessUnknown):
        received(upstream, former, decision, {"version": publication.id})


def test_of_a_document_that_cannot_be_read_its_domain_sees_everything_only_where_that_is_known(summary):
    own = replace(summary.port.upstream, domain="office", offers=None)
    assert consumer_standing(replace(own, domain_access=True), summary.product, KnownGrants(), NOW).sees == "all"
    with pytest.raises(AccessUnknown, match="does not tell now what it offers to domain office"):
        consumer_standing(replace(own, domain_access=False), summary.product, KnownGrants(), NOW)


def test_the_contract_is_held_against_what_is_read_and_not_against_the_record(summary):
    first = published(summary.root)
    file = shelf(summary.root, "plant", "readings").path(the_view(first).files[0])
    text = f"select * replace (cast(degrees as double) as degrees) from '{file}'"
    summary.database.connection.execute(f"copy ({text}) to '{file}.new' (format parquet)")
    os.replace(f"{file}.new", file)
    with pytest.raises(PullFailed, match=r"breaks its contract: degrees is double, decimal\(6,2\) was promised") as caught:
        summary.pull()
    assert caught.value.check == "contract"


def test_a_published_file_that_is_gone_is_told(summary):
    first = published(summary.root)
    shelf(summary.root, "plant", "readings").path(the_view(first).files[0]).unlink()
    with pytest.raises(PullFailed, match=r"input port measurements: the published files cannot be read: .*No files found"):
        summary.pull()


def test_a_contract_broken_from_the_first_stops_and_says_which_check(summary):
    published(summary.root)
    edited(summary.root, product_file("plant", "readings"), 'name: degrees, type: "decimal(6,2)"', "name: degrees, type: double")
    with pytest.raises(PullFailed, match=r"degrees is decimal\(6,2\), double was promised") as caught:
        summary.pull()
    assert caught.value.check == "contract"


def test_a_column_more_breaks_no_contract(summary):
    published(summary.root)
    upstream = summary.product.inputs[0].upstream
    summary.changes = {"upstream": replace(upstream, columns=upstream.columns[:-1])}
    assert not summary.pull().failures


# Staleness


def test_data_that_is_too_old_is_served_and_told(summary):
    published(summary.root)
    summary.pull()
    pulled = summary.pull(NOW + timedelta(hours=40))
    assert pulled.failures == {"fresh": "its data is 40 h old (as of Sat 1 Jun, 12:00 UTC); at most 36h is accepted"}
    assert pulled.rows == 3
    assert list(failing_inputs(summary.database, summary.product)) == ["measurements"]


def test_a_pin_that_only_grew_old_is_no_reason_to_publish(summary):
    published(summary.root)
    record = dict(summary.pull().record)
    candidate = Candidate(summary.product, summary.root, NOW, "run", "print")
    summary.database.connection.execute("create table internal.sensors as select 'north' as sensor, 1 as readings, 1 as warmest")
    publish(summary.database, candidate, {"measurements": record})
    assert nothing_changed(candidate, {"measurements": summary.pull(NOW + timedelta(hours=40)).record})


def test_with_on_failure_fail_data_that_is_too_old_stops_the_refresh(summary):
    published(summary.root)
    summary.changes = {"serve_last_good": False}
    with pytest.raises(PullFailed, match=r"input port measurements: its data is 40 h old") as caught:
        summary.pull(NOW + timedelta(hours=40))
    assert caught.value.check == "fresh"


def test_the_last_good_data_goes_on_ageing(summary):
    published(summary.root)
    summary.pull()
    edited(summary.root, product_file("plant", "readings"), "name: sensor, type: varchar", "name: sensor, type: bigint")
    assert set(summary.pull(NOW + timedelta(hours=40)).failures) == {"contract", "fresh"}


@pytest.mark.parametrize("ahead", ["2062-11-01", "infinity", "20000-01-01 00:00:00"])
def test_one_row_that_is_dated_ahead_keeps_nothing_fresh(summary, ahead):
    rows = f"case when reading_id = 0 then timestamptz '{ahead}' else timestamptz '2024-05-01 12:00:00+00' end"
    version = published(summary.root, processed_at=rows)
    assert [(port.watermark, port.rows_ahead) for port in version.ports] == [("2024-05-01T12:00:00+00:00", 1)] * 2
    assert set(summary.pull().failures) == {"fresh"}


@pytest.mark.parametrize("watermark", ["2062-11-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00"])
def test_a_version_of_old_that_is_dated_ahead_is_of_no_known_age(summary, watermark):
    version = published(summary.root)
    _rewritten(summary.root, version.id, watermark)
    told = "the age of its data is not known: it is not known as of when readings is; at most 36h is accepted"
    assert summary.pull().failures == {"fresh": told}


def _rewritten(root, version, watermark):
    """The record and the pointer of a version as a former release wrote them."""
    ports = root / "ports/plant/readings"
    for file in (ports / "latest.json", ports / "versions" / f"{version}.json"):
        told = json.loads(file.read_text())
        for port in told.get("version", told)["ports"]:
            del port["watermark_unknown"], port["rows_ahead"]
            port["watermark"] = watermark
        file.write_text(json.dumps(told))


def test_a_file_whose_date_lies_ahead_keeps_nothing_fresh(readings):
    readings.changes = {"max_staleness": timedelta(hours=1)}
    growing(readings.root)
    ahead, old = (land(readings.root, f"readings{number}.csv", f"{HEAD}\n{number},north,1,2024-06-02 06:00:00,Ada\n") for number in (2, 3))
    (readings.root / LANDING / "readings.csv").unlink()
    for path, written in ((ahead, NOW + timedelta(days=9999)), (old, NOW - timedelta(hours=3))):
        os.utime(path, (written.timestamp(), written.timestamp()))
    assert readings.pull().failures == {"fresh": "its data is 3 h old (as of Sat 1 Jun, 11:00 CEST); at most 1h is accepted"}


def test_what_an_extractor_brought_last_goes_on_ageing(extracting):
    extracting.changes |= {"max_staleness": timedelta(hours=1)}
    assert extracting.pull().failures == {}
    extractor(extracting, EXTRACTORS["raises"])
    assert set(extracting.pull(NOW + timedelta(minutes=50)).failures) == {"arrived"}
    assert set(extracting.pull(NOW + timedelta(hours=2)).failures) == {"arrived", "fresh"}


def test_a_pull_leaves_the_relation_whole(readings):
    """A port that was a table becomes a view and back; nothing of the other stays."""
    readings.pull()
    relation = Relation("inputs", "deliveries")
    readings.database.drop(relation)
    readings.database.execute("create view inputs.deliveries as select 1 as n")
    assert readings.database.count(relation) == 1
    land(readings.root, "readings.csv", f"{HEAD}\n9,north,1,2024-06-02 06:00:00,Ada\n")
    assert readings.pull().rows == 1
