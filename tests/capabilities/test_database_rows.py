"""Tables of a real PostgreSQL as inputs: what is inserted, updated, deleted and altered there arrives, once, and as it is."""

import threading
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import create_engine, text

from platform_resources.capabilities.protocols import Extraction
from platform_resources.capabilities.readers.database_rows import DatabaseRows
from platform_resources.capabilities.readers.source_addresses import SourceUnread
from tests.ledger.ledgers import new_database

pytestmark = pytest.mark.slow

ORDERS = """
create table orders (id bigint primary key, amount numeric(12,2), placed timestamptz, updated_at timestamp not null);
insert into orders select n, n + 0.25, timestamptz '2024-06-01 12:00:00+02' + n * interval '1 hour', timestamp '2024-06-01' + n * interval '1 day'
from generate_series(1, 5) n;
"""


class Shop:
    """A database, and an input that reads a table of it."""

    def __init__(self, url):
        self.url, self.engine, self.cursor = url, create_engine(url), None
        self.own = duckdb.connect()
        self.own.execute("set timezone = 'UTC'")
        self.settings = {"table": "orders", "key": ("id",), "cursor": "updated_at", "deletes": "compare"}

    def run(self, sql):
        with self.engine.begin() as connection:
            return connection.execute(text(sql))

    def read(self, replay=None, **changes):
        said = {"schema": None, "overlap": timedelta(hours=1), "url": self.url, **self.settings, **changes}
        self.own.execute("begin")
        try:
            rows = DatabaseRows(**said)
            extracted = rows.read(Extraction(self.own, date(2024, 6, 1), {}, self.cursor, Path(), "orders", replay))
            found = [tuple(row) for row in extracted.data.order("1").fetchall()]
        except BaseException:
            self.own.execute("rollback")
            raise
        self.own.execute("commit")
        self.cursor = extracted.cursor
        self.types = dict(zip(extracted.data.columns, map(str, extracted.data.types), strict=True))
        return found

    def ids(self, **changes):
        return [row[0] for row in self.read(**changes)]


@pytest.fixture
def shop(postgres_server):
    found = Shop(new_database(postgres_server))
    found.run(ORDERS)
    yield found
    found.engine.dispose()
    found.own.close()


def test_inserts_updates_and_deletes_arrive_and_only_they_are_read(shop):
    assert shop.ids() == [1, 2, 3, 4, 5]
    assert (shop.cursor["how"], shop.cursor["value"]) == ("all rows: the first time", "2024-06-06 00:00:00")
    shop.run("insert into orders values (6, 6, now(), '2024-06-07'); update orders set amount = 99, updated_at = '2024-06-08' where id = 2")
    shop.run("delete from orders where id = 3")
    assert [(row[0], str(row[1])) for row in shop.read()] == [(1, "1.25"), (2, "99.00"), (4, "4.25"), (5, "5.25"), (6, "6.00")]
    assert shop.cursor | {"of": ""} == {
        "of": "",
        "column": "updated_at",
        "value": "2024-06-08 00:00:00",
        "how": "changes",
        "read": 3,  # those two, and the newest of before, which is read again
        "removed": 1,
    }


def test_rows_of_one_moment_that_come_one_after_the_other_all_arrive(shop):
    shop.read()
    shop.run("insert into orders values (6, 6, now(), '2024-06-06')")
    assert shop.ids() == [1, 2, 3, 4, 5, 6]
    shop.run("insert into orders values (7, 7, now(), timestamp '2024-06-06' - interval '59 minutes')")
    assert shop.ids(deletes="none") == [1, 2, 3, 4, 5, 6, 7], "what was committed late is within the overlap"


def test_a_row_that_comes_with_an_old_cursor_is_found_by_its_key_and_told(shop):
    shop.read()
    shop.run("insert into orders values (6, 6, now(), '2020-01-01')")
    assert shop.ids() == [1, 2, 3, 4, 5, 6]
    assert shop.cursor["how"] == "all rows: 1 rows had come with an older updated_at"


UNTOLD = {
    "empty": ("insert into loose values (null, '2020-01-01'); delete from loose where id = 2", "the key id of loose is empty in 1 rows"),
    "shared": ("insert into loose values (3, '2020-01-01')", "the key id of loose is shared by 1 rows with others"),
}


@pytest.mark.parametrize(("sql", "told"), UNTOLD.values(), ids=UNTOLD)
def test_a_key_that_tells_no_row_apart_is_refused_though_its_row_is_older_than_what_is_read(shop, sql, told):
    shop.run("create table loose as select id, updated_at from orders")
    assert shop.ids(table="loose") == [1, 2, 3, 4, 5]
    shop.run(sql)
    with pytest.raises(SourceUnread, match=told):
        shop.read(table="loose")


@pytest.mark.parametrize(
    ("replay", "seen"),
    [
        ("2024-06-02", ["7.00", "7.00", "7.00", "7.00", "7.00"]),
        ("2024-06-04 00:00:00", ["1.25", "2.25", "7.00", "7.00", "7.00"]),
        ("2030-01-01", ["1.25", "2.25", "3.25", "4.25", "7.00"]),
        (None, ["1.25", "2.25", "3.25", "4.25", "7.00"]),
    ],
)
def test_rows_are_read_again_from_an_older_cursor_on(shop, replay, seen):
    """What was changed there without its cursor arrives so; a newer cursor leaves no row out."""
    shop.read()
    shop.run("update orders set amount = 7")
    assert [str(row[1]) for row in shop.read(replay)] == seen
    assert shop.cursor["value"] == "2024-06-06 00:00:00"


def test_what_is_no_value_of_the_cursor_is_refused(shop):
    shop.read()
    with pytest.raises(SourceUnread, match='"next week" is no value of updated_at, which is timestamp'):
        shop.read("next week")


def test_the_same_table_of_another_database_is_read_anew(shop, postgres_server):
    shop.read()
    other = Shop(new_database(postgres_server))
    other.run(ORDERS)
    other.run("update orders set amount = 99; delete from orders where id = 3")
    other.engine.dispose()
    assert {str(row[1]) for row in shop.read(url=other.url, deletes="none")} == {"99.00"}
    assert shop.cursor["how"] == "all rows: the input port says another database, table, key or cursor"
    assert shop.ids(url=other.url) == [1, 2, 4, 5]
    assert shop.cursor["how"] == "changes"


def test_a_cursor_in_the_future_keeps_no_later_row_back(shop):
    shop.run("insert into orders values (6, 6, now(), '9999-12-31')")
    shop.read()
    shop.run("insert into orders values (7, 7, now(), now() at time zone 'UTC')")
    assert shop.ids(deletes="none") == [1, 2, 3, 4, 5, 6, 7]


def test_without_a_cursor_all_rows_are_read_and_an_empty_table_keeps_its_columns(shop):
    whole = {"cursor": None, "key": (), "deletes": None}
    assert shop.ids(**whole) == [1, 2, 3, 4, 5]
    types = shop.types
    shop.run("delete from orders")
    assert (shop.ids(**whole), shop.types) == ([], types)


ALTERED = {
    "a new column": ("alter table orders add column note text default 'x'", "note"),
    "a column that is gone": ("alter table orders drop column amount", "amount"),
    "a column of another type": ("alter table orders alter column amount type numeric(20,4)", "amount"),
}


@pytest.mark.parametrize(("sql", "column"), ALTERED.values(), ids=ALTERED)
def test_a_table_whose_columns_change_is_read_anew(shop, sql, column):
    shop.read()
    shop.run(sql)
    assert shop.ids() == [1, 2, 3, 4, 5]
    assert shop.cursor["how"] == f"all rows: {column} is new, gone or of another type"
    found = shop.own.execute("describe pulled.orders").fetchall()
    assert [row[0] for row in found] == [
        row[0]
        for row in shop.run("select column_name from information_schema.columns where table_name = 'orders' order by ordinal_position")
    ]


def test_values_come_whole(shop):
    shop.run(
        "create table wide (id int, free numeric, fixed numeric(38,10), big bigint, zoned timestamptz, plain timestamp, day date, doc jsonb,"
        " parts int[], mark uuid, yes boolean, raw bytea, share double precision)"
    )
    shop.run(
        "insert into wide values (1, 12345678901234567890.123456789012345678901, 1234567890123456789012345678.0123456789, 9223372036854775807,"
        " '2024-03-31 02:30:00.123456+05:30', '2024-03-31 02:30:00.123456', '2024-02-29', '{\"a\": 1.10}', '{1,2}',"
        " 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', true, '\\x00ff', 0.1)"
    )
    shop.read(table="wide", cursor=None, key=(), deletes=None)
    (row,) = shop.own.execute("select columns(*)::varchar from mesh_new_rows").fetchall()
    assert row == (
        "1",
        "12345678901234567890.123456789012345678901",
        "1234567890123456789012345678.0123456789",
        "9223372036854775807",
        "2024-03-30 21:00:00.123456+00",
        "2024-03-31 02:30:00.123456",
        "2024-02-29",
        '{"a": 1.10}',
        "{1,2}",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "true",
        "\\x00\\xFF",
        "0.1",
    )
    assert (shop.types["free"], shop.types["fixed"], shop.types["zoned"], shop.types["plain"]) == (
        "VARCHAR",
        "DECIMAL(38,10)",
        "TIMESTAMP WITH TIME ZONE",
        "TIMESTAMP",
    )


REFUSED = {
    "a key that two rows share": ({"key": ("amount",)}, "the key amount of orders is shared by 1 rows with others"),
    "a key that is empty": ({"key": ("placed",)}, "the key placed of orders is empty in 1 rows"),
    "a column that is not there": ({"cursor": "changed"}, "orders has no column changed; it has id, amount"),
}


@pytest.mark.parametrize(("changes", "told"), REFUSED.values(), ids=REFUSED)
def test_what_would_lose_rows_is_refused(shop, changes, told):
    shop.run("insert into orders values (6, 1.25, null, '2024-06-07')")
    with pytest.raises(SourceUnread, match=told):
        shop.read(**changes)


def test_a_connection_that_is_lost_midway_leaves_what_there_was(shop):
    shop.read()
    shop.run("insert into orders select n, n, now(), timestamp '2024-07-01' from generate_series(100, 300000) n")
    cut, lost = threading.Event(), []

    def cutter():
        cut.wait(300)
        lost.append(
            shop.run("select count(pg_terminate_backend(pid)) from pg_stat_activity where pid <> pg_backend_pid() and query ilike 'fetch%'")
        )

    class Cutting:
        """The connection of the product's database: when rows arrive the source's is cut."""

        def execute(self, sql, *rest):
            if sql.startswith("insert into mesh_new_rows"):
                cut.set()
                thread.join(300)
            return shop.own.execute(sql, *rest)

        def __getattr__(self, name):
            return getattr(shop.own, name)

    thread = threading.Thread(target=cutter)
    thread.start()
    shop.own.execute("begin")
    rows = DatabaseRows(shop.url, "orders", None, ("id",), "updated_at", "none", timedelta(hours=1))
    with pytest.raises(Exception, match="terminat"):
        rows.read(Extraction(Cutting(), date(2024, 6, 1), {}, shop.cursor, Path(), "orders"))
    shop.own.execute("rollback")
    assert (len(lost), shop.own.execute("select count(*) from pulled.orders").fetchall()) == (1, [(5,)])
    assert len(shop.read()) == 5 + 299_901, "nothing is lost or doubled by the next pull"


def test_a_table_larger_than_the_memory_limit_is_read_in_batches(shop, tmp_path):
    shop.run(
        "create table large as select n as id, timestamptz '2024-01-01' + n * interval '1 second' as updated_at,"
        " (select string_agg(md5(n::text || m), '') from generate_series(1, 32) m) as note from generate_series(1, 120000) n"
    )
    batches = []

    class Watching:
        def register(self, name, batch):
            batches.append(batch.num_rows)
            return own.register(name, batch)

        def __getattr__(self, name):
            return getattr(own, name)

    own = duckdb.connect(tmp_path / "large.duckdb", config={"memory_limit": "96MB", "temp_directory": str(tmp_path / "spilled")})
    with own:  # 120 MB of text
        own.execute("begin")
        rows = DatabaseRows(shop.url, "large", None, ("id",), "updated_at", "compare", timedelta(hours=1))
        found = rows.read(Extraction(Watching(), date(2024, 6, 1), {}, None, Path(), "large"))
        assert found.data.aggregate("count(*), sum(id), sum(length(note))").fetchall() == [(120_000, 7_200_060_000, 122_880_000)]
        own.execute("commit")
    assert batches == [0, 50_000, 50_000, 20_000]


def test_an_address_whose_variable_is_not_set_names_it(shop, monkeypatch):
    monkeypatch.delenv("SHOP_URL", raising=False)
    with pytest.raises(SourceUnread, match="SHOP_URL is not set in the environment"):
        shop.read(url="${SHOP_URL}")
