"""`mesh query` and `mesh versions`: what they print, and of which products."""

import json
import shutil
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import text

from platform_resources.cli.terminal.console import CANNOT_RUN, SPEC_INVALID, Stop
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.publications.consumer_queries import NotingVersions, ReadVersion, everything
from platform_resources.publications.version_records import PortVersion
from platform_resources.refresh.publishing import Candidate, publish
from platform_resources.warehouses.duckdb.product_database import opened
from tests.cli.conftest import NOW
from tests.meshes import edited, product_file

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("text", ["[/]", "[red]x[/red]", "[/b]", ":warning:", "a\\", "[link=http://x]y[/link]"])
def test_a_query_shows_text_as_it_is(published, text):
    done = published.mesh("query", "readings", f"select '{text}' as \"{text}\"")
    head, row = done.stdout.splitlines()
    assert (done.exit_code, head.strip(), row.strip()) == (0, text, text)


def test_a_query_sends_no_codes_from_the_data_to_the_terminal(published):
    assert "\x1b" not in published.mesh("query", "readings", "select chr(27) || '[31m' as x").stdout


def test_json_has_null_where_there_is_no_number(published):
    sql = "select 'NaN'::double as a, 'Infinity'::float as b, [1.5, '-Infinity'::double] as c, {'d': 'NaN'::double} as d, 1.5::double as e"
    done = published.mesh("query", "readings", sql, "--json")

    def refused(constant):
        raise ValueError(constant)

    assert json.loads(done.stdout, parse_constant=refused) == [{"a": None, "b": None, "c": [1.5, None], "d": {"d": None}, "e": 1.5}]


def test_json_of_a_map_has_text_as_keys(published):
    done = published.mesh("query", "readings", "select map {date '2024-06-01': 1} as m", "--json")
    assert json.loads(done.stdout) == [{"m": {"2024-06-01": 1}}]


def test_json_refuses_two_columns_of_one_name_instead_of_losing_one(published):
    done = published.mesh("query", "readings", "select 1 as a, 2 as a, 3 as b", "--json")
    assert isinstance(done.exception, Stop) and done.exception.code == CANNOT_RUN
    assert done.stdout == ""
    assert 'more than one column is called "a"; JSON needs different names: select … as …' in done.stderr
    assert published.mesh("query", "readings", "select 1 as a, 2 as a").exit_code == 0


def read_with_a_broken_spec(published):
    rows = published.mesh("query", "readings", "select count(*) as n from measurements", "--json")
    versions = published.mesh("versions", "readings", "--json")
    assert (rows.exit_code, versions.exit_code) == (0, 0), rows.stderr + versions.stderr
    assert json.loads(rows.stdout) == [{"n": 3}]
    assert [each["product"] for each in json.loads(versions.stdout)] == ["readings"]
    return rows.stderr


def test_a_rejected_product_can_still_be_read(published):
    edited(published.root, product_file("plant", "readings"), "dimension: freshness", "dimension: freshnes")
    assert 'did you mean "freshness"?' in read_with_a_broken_spec(published)


def test_a_product_whose_document_cannot_be_read_at_all_can_still_be_read(published):
    (published.root / product_file("plant", "readings")).write_text("a: [", encoding="utf-8")
    read_with_a_broken_spec(published)


def test_a_product_with_a_mistyped_domain_is_read_from_its_folder(published):
    edited(published.root, product_file("plant", "readings"), "- name: plant", "- name: plamt")
    read_with_a_broken_spec(published)


def test_a_product_that_lies_only_in_ports_can_still_be_read(published):
    shutil.rmtree(published.root / "dataproducts/plant/readings")
    read_with_a_broken_spec(published)


def test_a_product_in_the_ports_of_two_domains_must_be_sorted_out(published):
    shutil.rmtree(published.root / "dataproducts/plant/readings")
    shutil.copytree(published.root / "ports/plant", published.root / "ports/factory")
    done = published.mesh("versions", "readings")
    assert isinstance(done.exception, Stop) and done.exception.code == CANNOT_RUN
    assert "readings lies in ports/factory/ and ports/plant/; take the wrong one away" in done.stderr


@pytest.mark.parametrize("name", ["../readings", "*", "nothing"])
def test_a_name_that_is_no_product_finds_nothing(published, name):
    done = published.mesh("query", name, "select 1")
    assert isinstance(done.exception, Stop) and done.exception.code == CANNOT_RUN
    assert f'no product "{name}"' in done.stderr


def test_a_rejected_product_that_never_published_says_so(tiny):
    from tests.cli.conftest import PublishedMesh

    edited(tiny, product_file("plant", "readings"), "dimension: freshness", "dimension: freshnes")
    done = PublishedMesh(tiny).mesh("query", "readings", "select 1")
    assert isinstance(done.exception, Stop) and done.exception.code == CANNOT_RUN != SPEC_INVALID
    assert "readings has not published a version yet" in done.stderr


# Forms of the answer

VALUES = """
select * from (values (1, '', 1.10, timestamptz '2024-06-01 14:00:00+02', true, ['a', null]), (2, null, -0.5, 'infinity', null, []),
                      (3, 'a "b", c', null, null, false, null), (4, E'two\\nlines ', 1, null, null, ['x'])) as t(n, note, price, "at", ok, tags)
"""
AS_CSV = """\
n,note,price,at,ok,tags
1,"",1.10,2024-06-01 12:00:00+00,true,"[""a"",null]"
2,,-0.50,infinity,,[]
3,"a ""b"", c",,,false,
4,"two
lines ",1.00,,,"[""x""]"
"""


def test_json_says_infinite_times_and_intervals_as_they_are(published):
    sql = "select timestamptz 'infinity' as a, date '-infinity' as b, interval '1 month' as c, interval '10000000 years' as d"
    (row,) = json.loads(published.mesh("query", "readings", sql, "--json").stdout)
    assert row == {"a": "infinity", "b": "-infinity", "c": "1 month", "d": "10000000 years"}
    sql = "select timestamptz '2026-01-02 03:04:05+02' as a, timestamp '2026-01-02 03:04:05' as b, date '2026-01-02' as c"
    (row,) = json.loads(published.mesh("query", "readings", sql, "--json").stdout)
    assert row == {"a": "2026-01-02 01:04:05+00:00", "b": "2026-01-02 03:04:05", "c": "2026-01-02"}
    done = published.mesh("query", "readings", "select [interval '10000000 years'] as a", "--json")
    assert json.loads(done.stdout) == [{"a": ["10000000 years"]}]


@pytest.mark.parametrize("options", [("--csv",), ("--format", "csv")])
def test_csv_has_every_row_and_tells_null_from_the_empty_text(published, options):
    done = published.mesh("query", "readings", VALUES, "--limit", "1", *options)
    assert (done.exit_code, done.stdout) == (0, AS_CSV)


def test_csv_has_columns_of_one_name_and_none_at_all(published):
    assert published.mesh("query", "readings", "select 1 as a, 2 as a where false", "--csv").stdout == "a,a\n"
    for sql in (
        "select 1 as a, 2 as a; -- done",
        "select 1 as a, 2 as a -- done; not",
        "/* é; */ select 1 as a, 2 as a /* ; */ ; /* ; */ ;",
    ):
        assert published.mesh("query", "readings", sql, "--csv").stdout == "a,a\n1,2\n"


def test_json_has_decimals_as_text_or_as_numbers(published):
    sql = "select 1.10 as price, 2::decimal(18,2) as whole, [0.5] as shares, 170141183460469231731687303715884105727 as n"
    told = [
        json.loads(published.mesh("query", "readings", sql, "--format", "json", *more).stdout) for more in ((), ("--decimals", "numbers"))
    ]
    assert told[0] == [{"price": "1.10", "whole": "2.00", "shares": ["0.5"], "n": 2**127 - 1}]
    assert told[1] == [{"price": 1.1, "whole": 2, "shares": [0.5], "n": 2**127 - 1}]


def test_a_form_that_there_is_not_is_refused_with_those_that_there_are(published):
    done = published.mesh("query", "readings", "select 1", "--format", "xml")
    assert done.exit_code != 0
    assert all(name in done.stderr for name in ("table", "json", "csv"))


# Several products


@pytest.fixture
def two(published):
    """`summary` has published as well."""
    product = read_plan(published.root)[0].product("summary")
    with opened(published.root / "warehouse/office/summary.duckdb") as database:
        database.connection.execute(f"create table internal.{product.data_sets[0].model} as select 'north' as sensor, 7 as wanted")
        publish(database, Candidate(product, published.root, NOW, "run", "print"), {})
    return published


def test_several_products_are_joined(two):
    data_set = read_plan(two.root)[0].product("summary").data_sets[0].name
    sql = f"select wanted, count(*) as n from measurements join summary.{data_set} using (sensor) group by 1"
    assert json.loads(two.mesh("query", "readings", sql, "--json").stdout) == [{"wanted": 7, "n": 3}]
    qualified = sql.replace("from measurements", "from readings.measurements_file")
    assert json.loads(two.mesh("query", "readings", qualified, "--json").stdout) == [{"wanted": 7, "n": 3}]
    assert json.loads(
        two.mesh("query", "summary", f'select count(*) as n from "readings" . measurements, {data_set}', "--json").stdout
    ) == [{"n": 3}]


def test_the_reads_of_all_products_are_counted(two):
    data_set = read_plan(two.root)[0].product("summary").data_sets[0].name
    assert two.mesh("query", "readings", f"select * from measurements, SUMMARY.{data_set}").exit_code == 0
    ledger = open_ledger(ledger_url(two.root, {}))
    with ledger.reading() as connection:
        counted = connection.execute(text("select product, port from reads order by 1, 2")).all()
    ledger.close()
    assert counted == [("readings", "measurements"), ("summary", data_set)]


def test_what_is_not_there_is_told_with_what_is_offered(two):
    done = two.mesh("query", "readings", "from summary.nothing")
    assert isinstance(done.exception, Stop) and done.exception.code == CANNOT_RUN
    assert "readings offers: measurements, measurements_file, measurements_sql" in done.stderr
    assert "summary offers: summary." in done.stderr
    assert "other products, as <product>.<data set or port>: summary" in two.mesh("query", "readings", "from nothing").stderr


def test_a_table_is_followed_by_the_version_that_it_is_of_and_as_of_when(published):
    done = published.mesh("query", "readings", "select count(*) from measurements")
    assert done.stderr.strip() == "readings: data as of Sat 1 Jun 2024, 14:00 CEST (version 20240601T120000.000000Z)"
    assert published.mesh("query", "readings", "select 1 from measurements", "--csv").stderr == ""


def test_a_product_of_which_nothing_is_read_is_not_told(two):
    data_set = read_plan(two.root)[0].product("summary").data_sets[0].name
    queries = {f"select 1 from summary.{data_set}": ["summary"], "select 1 from Main.Measurements": ["readings"], "select 1": []}
    for sql, products in queries.items():
        assert [line.partition(":")[0] for line in two.mesh("query", "readings", sql).stderr.splitlines()] == products, sql


def test_another_data_set_tells_nothing_of_as_of_when_the_one_is_that_is_read():
    at, version = "2024-06-01T10:00:00+00:00", "20240601T120000.000000Z"
    old = PortVersion("old_file", "old", "parquet", 1, {}, "2024-05-01T00:00:00+00:00", (), 1)
    known, unknown = (
        replace(old, port="new_file", data_set="new", watermark=at),
        replace(old, port="x", data_set="x", watermark_unknown="y"),
    )
    for sql, as_of in {
        "from new": at,
        "from shop.NEW": at,
        "from new, old_file": old.watermark,
        "from new, x": None,
        "from other.x": "",
    }.items():
        noting = NotingVersions(everything, "shop", sql)
        for port in (known, old, unknown):
            noting("shop", port, version)
        expected = {} if as_of == "" else {"shop": ReadVersion("shop", version, datetime.fromisoformat(as_of) if as_of else None)}
        assert noting.read == expected, sql


def test_a_query_that_takes_too_much_memory_ends_with_a_plain_message(published):
    done = published.mesh("query", "readings", "select length(repeat('x', 2000000000))")
    assert isinstance(done.exception, Stop) and done.exception.code == CANNOT_RUN
    assert done.stderr.startswith("the query needs more than the 2 GiB of memory that a query may take; read fewer rows or columns")


def test_a_query_that_takes_too_long_is_broken_off(published, monkeypatch):
    monkeypatch.setenv("MESH_AUDIT_TIMEOUT", "2s")
    done = published.mesh("query", "readings", "with recursive t as (select 1 as n union all select n + 1 from t) select max(n) from t")
    assert isinstance(done.exception, Stop) and done.exception.code == CANNOT_RUN
    assert done.stderr.startswith("broken off after 2s; MESH_AUDIT_TIMEOUT allows longer")
