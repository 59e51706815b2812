"""Files of published ports: what is written is read again as it was, with its type, wherever the files lie."""

import duckdb
import pytest

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.support.file_formats import held_formats, holds
from platform_resources.warehouses.duckdb.port_files import read_sql
from platform_resources.warehouses.duckdb.product_database import opened
from platform_resources.warehouses.published_places import PublishedFiles

FORMATS = ("parquet", "csv", "json")
BUILT = Relation("internal", "built")
LARGEST = 2**127 - 1
# A type, and values of it in SQL.
VALUES = [
    ("varchar", ["'10115'", "''", "null", "'null'", "'NULL'", r"'\N'", "'NaN'", "'007'", "'1.10'", "'true'", "'2024-01-01'"]),
    ("varchar", ["'a\"b'", "'\"'", "'a,b'", "chr(10)", "chr(13)", "'a' || chr(13) || chr(10) || 'b'", "' x '", "''''", "'#'"]),
    ("varchar", ["chr(0)", "'{\"a\": 1}'", "'[1, 2]'", "'é 🙂'", "chr(65279) || 'x'", "chr(9)", r"'\'", r"'\n'", "';'", "'|'", "'='"]),
    ("bigint", ["9223372036854775807", "-9223372036854775808", "null", "0"]),
    ("ubigint", ["18446744073709551615"]),
    ("hugeint", [f"'{LARGEST}'", f"'{-LARGEST - 1}'", "null"]),
    ("hugeint", ["99999999999999999999999999999999999999", "-5"]),
    ("decimal(18,2)", ["1.10", "-0.01", "1234567890123456.78", "null"]),
    ("decimal(4,2)", ["1.10", "-99.99"]),
    ("decimal(38,10)", ["'1234567890123456789012345678.0123456789'"]),
    ("double", ["0.1", "'nan'", "'infinity'", "'-infinity'", "1e300", "5e-324", "-0.0", "null"]),
    ("float", ["3.4", "'nan'", "1e-40", "'-infinity'"]),
    ("boolean", ["true", "false", "null"]),
    ("date", ["'2024-01-01'", "'infinity'", "'-infinity'", "'4000-01-01 (BC)'", "'290000-01-01'"]),
    ("time", ["'12:00:00.000001'", "'24:00:00'"]),
    ("timestamp", ["'2024-01-01 12:00:00.123456'", "'infinity'", "'290000-01-01'", "null"]),
    ("timestamptz", ["'2024-01-01 12:00:00+02'", "'-infinity'", "'0001-01-01 00:00:00+00'"]),
    ("interval", ["'1 year 2 months 3 days 04:05:06.000007'", "'-1 days'", "'0 seconds'"]),
    ("uuid", ["'11111111-2222-3333-4444-555555555555'"]),
    ("blob", [r"'\xAA\x00a'", "''", "null"]),
    ("json", ["'null'", '\'{"a":  1.10, "a": 12345678901234567.89}\'', "'\"text\"'", "null"]),
    ("timetz", ["'12:00:00.000001+02'"]),
    ("timestamp_s", ["'2024-01-01 12:00:00'"]),
    ("timestamp_ns", ["'2024-01-01 12:00:00.123456789'"]),
    ("bit", ["'0101'"]),
    ("varchar[]", ["['a', null, '', 'NULL', 'a, b', '[', '\"']", "[]", "null"]),
    ("decimal(18,2)[]", ["[1.10, 1234567890123456.78, null]"]),
    ("timestamptz[]", ["['2024-01-01 12:00:00+02', 'infinity']"]),
    ("double[]", ["['nan', 'infinity', '0.1']"]),
    ("hugeint[]", [f"['{LARGEST}', null]"]),
    ("json[]", ["['null', null, '{}']"]),
    ("varchar[][]", ["[['a'], [], null, [null]]"]),
    ("bigint[3]", ["[1, null, 3]"]),
]
HELD = [(file_format, kind, values) for kind, values in VALUES for file_format in FORMATS if holds(file_format, kind)]
TYPES = [(file_format, kind) for kind in dict(VALUES) for file_format in FORMATS if holds(file_format, kind)]


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("own") / "own.duckdb") as database:
        yield database


def built(database, kind, values):
    rows = " union all ".join(f"select {number} as number, cast({value} as {kind}) as value" for number, value in enumerate(values))
    database.connection.execute(f"create or replace table internal.built as {rows}")


def returned(database, path, file_format):
    """The columns and rows that were built, and those that are read of the file, as text so that nothing is lost on the way."""
    database.write_file(BUILT, path, file_format)
    database.point_at(Relation("inputs", "read"), PublishedFiles((path,), file_format, database.columns(BUILT)))
    shown = "select typeof(value), cast(value as varchar), value is null from {} order by number"
    columns = [database.columns(relation) for relation in (BUILT, Relation("inputs", "read"))]
    rows = [database.connection.execute(shown.format(name)).fetchall() for name in ("internal.built", "inputs.read")]
    return columns, rows


@pytest.mark.parametrize(("file_format", "kind", "values"), HELD, ids=lambda each: str(each)[:40])
def test_a_value_comes_back_from_a_file_as_it_was(database, tmp_path, file_format, kind, values):
    built(database, kind, values)
    (written_columns, read_columns), (written, read) = returned(database, tmp_path / f"port.{file_format}", file_format)
    assert (read_columns, read) == (written_columns, written)


@pytest.mark.parametrize(("file_format", "kind"), TYPES, ids=str)
def test_a_file_without_rows_has_its_columns_with_their_types(database, tmp_path, file_format, kind):
    database.connection.execute(f"create or replace table internal.built as select 1 as number, cast(null as {kind}) as value where false")
    (written_columns, read_columns), (_, read) = returned(database, tmp_path / f"port.{file_format}", file_format)
    assert (read_columns, read) == (written_columns, [])


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_single_column_keeps_its_nulls_and_its_empty_texts(database, tmp_path, file_format):
    database.connection.execute("create or replace table internal.built as select * from (values (null), (''), ('x'), (null)) as t(note)")
    database.write_file(BUILT, tmp_path / "port", file_format)
    rows = database.connection.execute(read_sql([tmp_path / "port"], file_format, {"note": "varchar"})).fetchall()
    assert rows == [(None,), ("",), ("x",), (None,)]


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_long_text_with_line_breaks_is_one_value(database, tmp_path, file_format):
    database.connection.execute(
        "create or replace table internal.built as select repeat('x' || chr(10) || '\"', 1500000) as note from range(3)"
    )
    database.write_file(BUILT, tmp_path / "port", file_format)
    rows = database.connection.execute(read_sql([tmp_path / "port"], file_format, {"note": "varchar"})).fetchall()
    assert rows == [('x\n"' * 1_500_000,)] * 3


FOLDERS = ["env=prod/day=2024-01-01", "a*b", "a?b", "a[1]b", "[!x]", "{a,b}", "**", "it's", 'the "own"', "100%20", "_x/.hidden"]


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("folder", FOLDERS)
def test_the_name_of_a_folder_changes_nothing(database, tmp_path, file_format, folder):
    (tmp_path / folder).mkdir(parents=True)
    beside = tmp_path / "axb" / "port.txt"
    beside.parent.mkdir()
    beside.write_bytes(b"not ours")
    database.connection.execute("create or replace table internal.built as select 1 as k, 'test' as env, 'x' as day")
    file = tmp_path / folder / "port.txt"
    database.write_file(BUILT, file, file_format)
    rows = database.connection.execute(read_sql([file], file_format, database.columns(BUILT))).fetchall()
    assert rows == [(1, "test", "x")]


def test_names_of_columns_that_need_quotes_are_kept(database, tmp_path):
    database.connection.execute(
        'create or replace table internal.built as select 1 as "a ""b\'", 2 as "x,y", 3 as "line\nbreak", 4 as "Order"'
    )
    for file_format in FORMATS:
        database.write_file(BUILT, tmp_path / "port", file_format)
        cursor = database.connection.execute(read_sql([tmp_path / "port"], file_format, database.columns(BUILT)))
        assert [column[0] for column in cursor.description] == ["a \"b'", "x,y", "line\nbreak", "Order"]
        assert cursor.fetchall() == [(1, 2, 3, 4)]


def test_words_of_an_enumeration_are_text_in_every_format(database, tmp_path):
    built(database, "enum('A b', 'c')", ["'A b'", "null"])
    assert database.columns(BUILT)["value"] == "enum('A b', 'c')"
    for file_format in FORMATS:
        _, (_, read) = returned(database, tmp_path / "port", file_format)
        assert read == [("VARCHAR", "A b", False), ("VARCHAR", None, True)]


@pytest.mark.parametrize("file_format", FORMATS)
def test_columns_stand_in_the_order_of_the_data_set_and_each_has_its_own_values(database, tmp_path, file_format):
    database.connection.execute(
        "create or replace table internal.built as select 'x' as zip, '' as note, cast(5 as hugeint) as big, 1.5 as amount"
    )
    database.write_file(BUILT, tmp_path / "port", file_format)
    columns = database.columns(BUILT)
    by_alphabet = dict(sorted(columns.items()))
    for recorded in (columns, by_alphabet):
        cursor = database.connection.execute(
            f"select typeof(zip), note, big, amount from ({read_sql([tmp_path / 'port'], file_format, recorded)})"
        )
        assert [str(value) for value in cursor.fetchall()[0]] == ["VARCHAR", "", "5", "1.5"]
    database.point_at(Relation("inputs", "read"), PublishedFiles((tmp_path / "port",), file_format, columns))
    assert list(database.columns(Relation("inputs", "read")).items()) == list(columns.items())


# Files as former versions of the platform wrote them, with the types that were recorded

OLD = [
    ("csv", "format csv, header true", ["zip varchar", "moment timestamptz", "n hugeint", "kind enum('a b')", "tags varchar[]"]),
    ("json", "format json", ["zip varchar", "moment timestamptz", "n hugeint", "price decimal(18,2)", "doc json", "s struct(aa integer)"]),
    ("parquet", "format parquet", ["zip varchar", "moment timestamptz", "n hugeint", "kind enum('a b')", "tags varchar[]"]),
]
OLD_ROW = """
select '007' as zip, timestamptz '2024-01-01 12:00:00+00' as moment, cast(5 as hugeint) as n, 'A b'::enum('A b') as kind, ['x'] as tags,
       1.10::decimal(18,2) as price, '{"k": 1}'::json as doc, {'Aa': 1} as s
"""
OLD_VALUES = {"zip": "007", "moment": "2024-01-01 12:00:00+00", "n": "5", "kind": "A b", "tags": "[x]", "price": "1.10"}


@pytest.mark.parametrize(("file_format", "options", "written"), OLD, ids=lambda each: each if each in FORMATS else "")
def test_a_file_of_a_former_version_can_still_be_read(tmp_path, file_format, options, written):
    columns = dict(each.split(" ", 1) for each in written)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"copy (select {', '.join(columns)} from ({OLD_ROW})) to '{tmp_path}/port' ({options})")
        select = read_sql([tmp_path / "port"], file_format, columns)
        told = connection.execute(f"select columns(*)::varchar from ({select})").fetchall()
    values = {**OLD_VALUES, "doc": '{"k":1}', "s": '{"Aa":1}'}
    assert told == [tuple(values[name] for name in columns)]


@pytest.mark.parametrize(
    ("kinds", "formats"),
    [
        (["varchar", "json"], ("parquet", "csv", "json")),
        (["varchar[]"], ("parquet", "json")),
        (["struct(a integer)"], ("parquet",)),
        (["map(varchar, integer)[]", "varchar"], ("parquet",)),
        (["union(a integer)"], ("parquet",)),
    ],
    ids=str,
)
def test_formats_say_what_they_can_hold(kinds, formats):
    assert held_formats(kinds) == formats
