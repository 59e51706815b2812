"""Publishing: complete versions with their origin, readable by SQL that can do nothing else, also when the writer is killed."""

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest

from platform_resources.access.grants import KnownGrants
from platform_resources.dbt.planning import read_plan
from platform_resources.publications.consumer_queries import NothingPublished, queried
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.publishing import Candidate, NotPublishable, nothing_changed, publish, tidied
from platform_resources.warehouses.duckdb.product_database import opened
from platform_resources.warehouses.engine_errors import DatabaseBusy, DatabaseUnreadable, QueryFailed
from tests.forked_commands import Forked, forked
from tests.meshes import edited, product_file
from tests.refresh.running import environment

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
FILES = {"files": [{"path": "/landing/a.csv", "bytes": 3, "modified": "2024-06-01T00:00:00+00:00"}], "interface": "file", "rows": 3}
ROWS = """
create or replace table internal.measurements as
select cast(n as bigint) as reading_id, 'north' as sensor, cast({batch} as decimal(6, 2)) as degrees,
       timestamp '2024-06-01' as measured_at, 'Ada' as operator, timestamptz '2024-06-01 14:00:00+02' + to_minutes(cast(n as integer)) as processed_at
from range({rows}) as numbers(n)
"""


@pytest.fixture
def product(tiny):
    return read_plan(tiny)[0].product("readings")


def made(root, product, batch, rows, now=NOW, inputs=None, fingerprint="print"):
    """One version whose rows all carry the batch's number."""
    with opened(root / "warehouse/plant/readings.duckdb") as database:
        database.connection.execute(ROWS.format(batch=batch, rows=rows))
        candidate = Candidate(product, root, now, "run", fingerprint)
        publication = publish(database, candidate, inputs if inputs is not None else {"deliveries": FILES})
        assert list(tidied(candidate, publication, root, KnownGrants())) == []
        return publication


def batches(root, product):
    """What a reader sees: (batch, rows) of everything in the newest version."""
    return queried(root, product.domain, product.name, "select degrees, count(*) from measurements group by 1")[1]


# What a version is


def test_a_version_has_all_its_ports_and_says_what_it_was_made_from(tiny, product):
    publication = made(tiny, product, 1, 3)
    assert [port.port for port in publication.ports] == ["measurements_sql", "measurements_file"]
    assert {port.rows for port in publication.ports} == {3}
    assert publication.inputs == {"deliveries": FILES}
    assert publication.ports[0].columns["processed_at"] == "timestamptz"
    assert shelf(tiny, "plant", "readings").latest() == publication


def test_two_ports_of_one_data_set_share_its_bytes(tiny, product):
    publication = made(tiny, product, 1, 3)
    shelves = shelf(tiny, "plant", "readings")
    first, second = (shelves.path(port.files[0]) for port in publication.ports)
    assert first.samefile(second)


def test_the_watermark_is_the_newest_moment_in_utc(tiny, product):
    assert made(tiny, product, 1, 3, NOW + timedelta(hours=1)).ports[0].watermark == "2024-06-01T12:02:00+00:00"


def test_a_data_set_of_no_rows_is_published_with_its_columns(tiny, product):
    publication = made(tiny, product, 1, 0)
    assert (publication.ports[0].rows, publication.ports[0].watermark) == (0, None)
    assert publication.ports[0].watermark_unknown == "processed_at is empty in every row"
    names, rows = queried(tiny, product.domain, product.name, "select * from measurements")
    assert (len(names), rows) == (6, [])


def test_the_same_inputs_and_code_are_no_change(tiny, product):
    candidate = Candidate(product, tiny, NOW, "run", "print")
    assert not nothing_changed(candidate, {"deliveries": FILES})
    made(tiny, product, 1, 3)
    assert nothing_changed(candidate, {"deliveries": {**FILES, "pulled_at": "later"}})
    assert not nothing_changed(candidate, {"deliveries": {**FILES, "rows": 4}})
    assert not nothing_changed(replace(candidate, fingerprint="other"), {"deliveries": FILES})


def test_old_versions_go_as_new_ones_come(tiny, product):
    keep = max(port.keep_versions for port in product.outputs)
    published = [made(tiny, product, n, 3, NOW + timedelta(hours=n)).id for n in range(keep + 2)]
    assert [p.id for p in shelf(tiny, "plant", "readings").published()] == published[2:]


def test_the_catalog_shows_the_newest_version_to_sql_clients(tiny, product):
    for number in (1, 2):
        made(tiny, product, number, 3, NOW + timedelta(hours=number))
    with duckdb.connect(str(tiny / "ports/plant/readings/readings.duckdb"), read_only=True) as client:
        assert client.execute("select distinct degrees from measurements").fetchall() == [(Decimal("2.00"),)]


def test_a_client_of_the_catalog_does_not_hold_up_a_publication(tiny, product):
    made(tiny, product, 1, 3)
    with duckdb.connect(str(tiny / "ports/plant/readings/readings.duckdb"), read_only=True) as client:
        made(tiny, product, 2, 3, NOW + timedelta(hours=1))
        assert client.execute("select distinct degrees from measurements").fetchall() == [(Decimal("1.00"),)]


def test_a_version_is_read_by_its_id(tiny, product):
    first = made(tiny, product, 1, 3)
    made(tiny, product, 2, 3, NOW + timedelta(minutes=1))
    assert queried(tiny, product.domain, product.name, "select distinct degrees from measurements", first.id)[1] == [(Decimal("1.00"),)]


def test_what_is_not_published_cannot_be_read(tiny, product):
    with pytest.raises(NothingPublished, match="readings has not published a version yet; `mesh refresh readings` makes one"):
        queried(tiny, product.domain, product.name, "select 1")
    made(tiny, product, 1, 3)
    with pytest.raises(NothingPublished, match="readings has no version 2001; `mesh versions readings` lists those that are kept"):
        queried(tiny, product.domain, product.name, "select 1", "2001")


def test_a_column_that_does_not_exist_is_told_with_what_is_offered(tiny, product):
    made(tiny, product, 1, 3)
    with pytest.raises(QueryFailed, match=r"(?s)degree.*readings offers: measurements, measurements_file, measurements_sql"):
        queried(tiny, product.domain, product.name, "select degree from measurements")


# What a consumer's SQL may not do

REFUSED = [
    "attach '{folder}/x.duckdb'",
    "copy measurements to '{folder}/stolen.csv'",
    "copy (select 1) to '{file}'",
    "explain analyze copy (select 1) to '{file}'",
    "explain analyze copy (select 1) to '{folder}/stolen.csv'",
    "insert into measurements select * from measurements",
    "create table mine as select 1",
    "drop view measurements",
    "pragma database_list",
    "pragma table_info('measurements')",
    "set enable_external_access = true",
    "reset lock_configuration",
    "call pragma_version()",
    "install httpfs",
    "load httpfs",
    "export database '{folder}'",
    "checkpoint",
    "select 1; select 2",
    "select 1; drop view measurements",
    "prepare p as select 1",
    "",
    "-- nothing",
    "select * from read_text('/etc/passwd')",
    "select * from read_csv('/etc/passwd')",
    "select * from '/etc/passwd'",
    "select * from glob('/etc/*')",
    "select * from glob('{folder}/*')",
    "select * from read_text('{folder}/latest.json')",
    "select * from read_blob('{other}')",
    "select * from sniff_csv('/etc/passwd')",
    "select * from duckdb_secrets()",
    "select * from query('copy (select 1) to ''{folder}/stolen.csv''')",
    "select * from read_csv('http://example.com/x.csv')",
    "select getenv('HOME')",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_a_consumers_sql_is_refused_everything_but_reading_its_version(tiny, product, sql):
    former = made(tiny, product, 1, 3)
    latest = made(tiny, product, 2, 3, NOW + timedelta(minutes=1))
    shelves = shelf(tiny, "plant", "readings")
    file, other = (shelves.path(each.ports[0].files[0]) for each in (latest, former))
    before = sorted((path, path.stat().st_size) for path in shelves.folder.rglob("*"))
    with pytest.raises(QueryFailed):
        queried(tiny, product.domain, product.name, sql.format(folder=shelves.folder, file=file, other=other))
    assert sorted((path, path.stat().st_size) for path in shelves.folder.rglob("*")) == before


@pytest.mark.parametrize("sql", ["from measurements", "with m as (select * from measurements) select * from m", "table measurements_file"])
def test_a_consumers_sql_may_read_in_every_form(tiny, product, sql):
    made(tiny, product, 1, 3)
    assert len(queried(tiny, product.domain, product.name, sql)[1]) == 3


@pytest.mark.parametrize("file_format", ["csv", "json"])
def test_a_port_of_another_format_is_read_the_same(tiny, file_format):
    edited(tiny, product_file("plant", "readings"), "format: parquet", f"format: {file_format}")
    product = read_plan(tiny)[0].product("readings")
    made(tiny, product, 1, 3)
    assert queried(tiny, product.domain, product.name, "select count(*) from measurements_file")[1] == [(3,)]


@pytest.mark.parametrize("file_format", ["csv", "json"])
def test_a_text_file_is_read_with_the_types_of_the_data_set(tiny, file_format):
    edited(tiny, product_file("plant", "readings"), "format: parquet", f"format: {file_format}")
    made(tiny, read_plan(tiny)[0].product("readings"), 1, 3)
    types = "select " + ", ".join(f"typeof({name})" for name in ("reading_id", "degrees", "measured_at", "processed_at"))
    for port in ("measurements_sql", "measurements_file"):
        rows = queried(tiny, "plant", "readings", f"{types} from {port} limit 1")[1]
        assert rows == [("BIGINT", "DECIMAL(6,2)", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")]


@pytest.mark.parametrize(
    ("file_format", "column", "told"),
    [
        ("csv", "['a']", "extra (varchar[])"),
        ("csv", "{'a': 1}", "extra (struct(a integer))"),
        ("json", "map {'a': 1}", "extra (map(varchar, integer))"),
    ],
)
def test_what_a_format_cannot_hold_is_not_published_and_the_last_good_version_stays(tiny, file_format, column, told):
    edited(tiny, product_file("plant", "readings"), "format: parquet", f"format: {file_format}")
    product = read_plan(tiny)[0].product("readings")
    first = made(tiny, product, 1, 3)
    with opened(tiny / "warehouse/plant/readings.duckdb") as database:
        database.connection.execute(
            f"create or replace table internal.measurements as select *, {column} as extra from internal.measurements"
        )
        with pytest.raises(NotPublishable) as refused:
            publish(database, Candidate(product, tiny, NOW + timedelta(hours=1), "run", "print"), {})
    assert str(refused.value) == (
        f"output port measurements_file: a {file_format} file cannot hold {told}; "
        "publish it with format: parquet, or turn it into text in model measurements"
    )
    assert shelf(tiny, "plant", "readings").latest() == first


def test_a_row_that_is_too_long_to_be_read_again_is_not_published(tiny):
    edited(tiny, product_file("plant", "readings"), "format: parquet", "format: csv")
    product = read_plan(tiny)[0].product("readings")
    with opened(tiny / "warehouse/plant/readings.duckdb") as database:
        database.connection.execute(
            "create table internal.measurements as select repeat('x', 70000000) as note, timestamptz '2024-01-01' as processed_at"
        )
        with pytest.raises(NotPublishable, match=r"output port measurements_file: what was written cannot be read: .*CSV Error"):
            publish(database, Candidate(product, tiny, NOW, "run", "print"), {})


@pytest.mark.parametrize("folder", ["env=prod/degrees=7", "a*b[1]"])
def test_the_folder_of_the_mesh_changes_nothing_of_what_consumers_read(tiny, tmp_path_factory, folder):
    root = tmp_path_factory.mktemp("elsewhere") / folder / "mesh"
    shutil.copytree(tiny, root)
    made(root, read_plan(root)[0].product("readings"), 1, 3)
    wanted = "select distinct degrees, count(*) over () from {}"
    for name in ("measurements", "measurements_file"):
        assert queried(root, "plant", "readings", wanted.format(name))[1] == [(Decimal("1.00"), 3)]
    with duckdb.connect(str(root / "ports/plant/readings/readings.duckdb"), read_only=True) as client:
        assert client.execute(wanted.format("measurements")).fetchall() == [(Decimal("1.00"), 3)]


def test_the_catalog_says_what_its_views_and_columns_are(tiny, product):
    made(tiny, product, 1, 3)
    with duckdb.connect(str(tiny / "ports/plant/readings/readings.duckdb"), read_only=True) as client:
        views = client.execute("select view_name, comment from duckdb_views() where not internal").fetchall()
        columns = client.execute(
            "select column_name, comment from duckdb_columns() where comment is not null order by column_index"
        ).fetchall()
    data_set = product.data_set("measurements").spec
    assert views == [("measurements", data_set.description)]
    assert columns == [(column.name, column.description) for column in data_set.columns if column.description]
    assert columns and data_set.description


# Killed writers

KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from platform_resources.access.grants import KnownGrants
from platform_resources.dbt.planning import read_plan
from platform_resources.warehouses.duckdb.product_database import opened
from platform_resources.refresh.publishing import Candidate, publish, tidied

root, call, rows, now = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], datetime.fromisoformat(sys.argv[4])
replace, calls = os.replace, []

def dying(source, target):
    calls.append(target)
    if len(calls) > call:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)

os.replace = dying
product = read_plan(root)[0].product("readings")
with opened(root / "warehouse/plant/readings.duckdb") as database:
    database.connection.execute(rows)
    candidate = Candidate(product, root, now, "run", "print")
    list(tidied(candidate, publish(database, candidate, {}), root, KnownGrants()))
    os.kill(os.getpid(), signal.SIGKILL)
"""
# After how many calls of os.replace: for each of two ports its file and its view's, the record, the pointer, the catalog.
STAGES = {"staged": 0, "one file in place": 1, "all ports in place": 4, "record written": 5, "pointer flipped": 6, "catalog replaced": 7}


def script(root, text, *arguments):
    return forked([sys.executable, "-c", text, str(root), *arguments], environment())


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_publication_killed_at_any_stage_is_published_whole_or_not_at_all(tiny, product, stage):
    call = STAGES[stage]
    first = made(tiny, product, 1, 3)
    second = NOW + timedelta(minutes=1)
    killed = script(tiny, KILLED, str(call), ROWS.format(batch=2, rows=5), second.isoformat())
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert batches(tiny, product) == ([(Decimal("2.00"), 5)] if call >= STAGES["pointer flipped"] else [(Decimal("1.00"), 3)])
    assert queried(tiny, product.domain, product.name, "select count(*) from measurements", first.id)[1] == [(3,)]
    for version in shelf(tiny, "plant", "readings").published():
        assert queried(tiny, product.domain, product.name, "select count(*) from measurements_file", version.id)[1] == [
            (version.ports[0].rows,)
        ]
    third = made(tiny, product, 3, 7, NOW + timedelta(minutes=2))
    assert batches(tiny, product) == [(Decimal("3.00"), 7)]
    assert left_behind(tiny, 3 if call >= STAGES["pointer flipped"] else 2) == []
    assert shelf(tiny, "plant", "readings").latest() == third


def left_behind(root, versions):
    """What does not belong to one of so many published versions."""
    shelves = shelf(root, "plant", "readings")
    known = {publication.id for publication in shelves.published()}
    assert len(known) == versions
    wrong = [path for path in shelves.folder.glob("*/v*/*") if path.name not in known]
    wrong += [path for path in (shelves.folder / "versions").iterdir() if path.stem not in known]
    return wrong + [path for path in shelves.folder.rglob("*") if path.name == ".staging" or ".part" in path.name]


# Readers beside writers

READER = """
import sys, time, json
from pathlib import Path
from platform_resources.dbt.planning import read_plan
from platform_resources.publications.consumer_queries import queried

root = Path(sys.argv[1])
product = read_plan(root)[0].product("readings")
seen, stop = [], root / "stop"
while not stop.exists():
    both = "select degrees, count(*), 'sql' from measurements_sql group by 1 union all select degrees, count(*), 'file' from measurements_file group by 1"
    found = sorted({(int(degrees), count) for degrees, count, _ in queried(root, product.domain, product.name, both)[1]})
    assert len(found) == 1, f"a mix: {found}"
    if found != seen[-1:]:
        seen += found
        print("reading", flush=True)
print(json.dumps(seen))
"""


@pytest.mark.slow
def test_readers_beside_a_writer_never_fail_and_never_see_a_mix(tiny, product):
    made(tiny, product, 0, 100)
    readers = [
        Forked([sys.executable, "-c", READER, str(tiny)], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for reader in readers:
        assert reader.stdout.readline() == "reading\n", reader.stderr.read()
    for number in range(1, 16):
        made(tiny, product, number, 100 + number, NOW + timedelta(minutes=number))
        time.sleep(0.05)
    for reader in readers:  # each has seen another one before they are told to stop
        assert reader.stdout.readline() == "reading\n", reader.stderr.read()
    (tiny / "stop").touch()
    said = [reader.communicate(timeout=600) for reader in readers]
    assert [reader.returncode for reader in readers] == [0] * 4, said
    for out, _ in said:
        seen = json.loads(out.splitlines()[-1])
        assert seen == sorted(seen)
        assert all(rows == 100 + number for number, rows in seen)
        assert len(seen) > 1


HOLDER = "import sys, duckdb\nconnection = duckdb.connect(sys.argv[1])\nprint('held', flush=True)\nsys.stdin.read()\n"


@pytest.mark.slow
def test_a_database_open_elsewhere_is_waited_for_and_then_named(tiny):
    file = tiny / "warehouse/plant/readings.duckdb"
    file.parent.mkdir(parents=True)
    pipe = subprocess.PIPE
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(file)], stdin=pipe, stdout=pipe, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DatabaseBusy, match=r"readings.duckdb is open in another process"), opened(file, wait=0.3):
            pass
    finally:
        holder.communicate()
    with opened(file, wait=5) as database:
        assert database.execute("select 1") == (1,)


# What follows a publication


def test_a_failure_after_the_flip_is_a_warning_for_the_version_is_published(tiny, product):
    """A folder stands where the catalog belongs."""
    catalog = tiny / "ports/plant/readings/readings.duckdb"
    (catalog / "in the way").mkdir(parents=True)
    candidate = Candidate(product, tiny, NOW, "run", "print")
    with opened(tiny / "warehouse/plant/readings.duckdb") as database:
        database.connection.execute(ROWS.format(batch=1, rows=3))
        publication = publish(database, candidate, {})
    (warning,) = tidied(candidate, publication, tiny, KnownGrants())
    assert warning.startswith("published, but the catalog still shows an older version")
    assert batches(tiny, product) == [(Decimal("1.00"), 3)]


def test_pins_that_cannot_be_read_after_the_flip_are_a_warning_too(tiny, product):
    made(tiny, product, 1, 3)
    pins = tiny / "ports/plant/readings/pins"
    pins.mkdir()
    (pins / "summary.measurements.json").write_text("{")
    candidate = Candidate(product, tiny, NOW + timedelta(minutes=1), "run", "print")
    with opened(tiny / "warehouse/plant/readings.duckdb") as database:
        database.connection.execute(ROWS.format(batch=2, rows=3))
        publication = publish(database, candidate, {})
    (pruned,) = tidied(candidate, publication, tiny, KnownGrants())
    assert pruned.startswith("older versions could not be taken away") and "summary.measurements.json cannot be read" in pruned
    assert batches(tiny, product) == [(Decimal("2.00"), 3)]


def test_what_a_product_that_left_the_mesh_had_pinned_is_let_go(tiny, product):
    first = made(tiny, product, 1, 3)
    where = shelf(tiny, "plant", "readings")
    where.pin("summary.measurements", first.id)
    where.pin("gone.measurements", first.id)
    candidate = Candidate(product, tiny, NOW + timedelta(minutes=1), "run", "print")
    with opened(tiny / "warehouse/plant/readings.duckdb") as database:
        publication = publish(database, candidate, {})
    (told,) = tidied(candidate, publication, tiny, KnownGrants())
    assert "gone.measurements is let go" in told
    assert where.pins() == {"summary.measurements": first.id}


def test_a_database_that_is_none_is_told_with_what_to_do(tmp_path):
    file = tmp_path / "clock.duckdb"
    file.write_bytes(b"not a database" * 1000)
    with pytest.raises(DatabaseUnreadable, match="take it away"), opened(file):
        pass
