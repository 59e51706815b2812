"""Loading files: what is in them is kept, whatever DuckDB would guess; an error says where; a load is whole or is none."""

import gzip

import pytest

from platform_resources.warehouses.duckdb.product_database import opened
from platform_resources.warehouses.engine_errors import LoadFailed
from tests.deliveries.landing import Landing, parquet

ROWS = 21_000  # more than DuckDB looks at before it guesses


@pytest.fixture
def landing(tmp_path):
    with opened(tmp_path / "shop.duckdb") as database:
        yield Landing(tmp_path, database)


# Types: a column is wide enough for every value of every file, in whatever order they come


WIDENED = {
    "money with decimals after whole numbers": (["3", "4"], ["3.70", "2.50"], "double", ["3.0", "4.0", "3.7", "2.5"]),
    "leading zeros later": (["10115"], ["01067"], "varchar", ["10115", "01067"]),
    "leading zeros first": (["01067"], ["10115"], "varchar", ["01067", "10115"]),
    "letters after numbers": (["12"], ["D-12"], "varchar", ["12", "D-12"]),
    "letters after decimals": (["3.70"], ["n/a"], "varchar", ["3.70", "n/a"]),
    "a plus sign": (["4930123"], ["+4930123"], "varchar", ["4930123", "+4930123"]),
    "times of day after dates": (["2024-01-01"], ["2024-01-02 10:30:00"], "timestamp", ["2024-01-01 00:00:00", "2024-01-02 10:30:00"]),
    "dates after times of day": (["2024-01-01 10:30:00"], ["2024-01-02"], "timestamp", ["2024-01-01 10:30:00", "2024-01-02 00:00:00"]),
    "zones after none": (["2024-01-01 10:00:00"], ["2024-01-01 10:00:00+02:00"], "varchar", ["2024-01-01 10:00:00", "2024-01-01 10:00:00+02:00"]),
    "only zones": (["2024-01-01T10:00:00Z"], ["2024-01-01T10:00:00+02:00"], "timestamptz", ["2024-01-01 10:00:00+00", "2024-01-01 08:00:00+00"]),
    "a date after a clock": (["10:00:00"], ["2024-01-01"], "varchar", ["10:00:00", "2024-01-01"]),
    "numbers after yes and no": (["true"], ["1"], "varchar", ["true", "1"]),
    "words for yes": (["True"], ["maybe"], "varchar", ["True", "maybe"]),
    "very large numbers": (["1"], ["12345678901234567890"], "hugeint", ["1", "12345678901234567890"]),
    "large numbers among decimals": (["9007199254740993"], ["1.5"], "varchar", ["9007199254740993", "1.5"]),
    "nothing after numbers": (["1"], ['""'], "bigint", ["1", None]),
    "numbers after nothing": (['""'], ["1"], "bigint", [None, "1"]),
    "nanoseconds": (["2024-01-01 10:00:00"], ["2024-01-01 10:00:00.123456789"], "varchar", ["2024-01-01 10:00:00", "2024-01-01 10:00:00.123456789"]),
    "numbers after dates": (["2024-01-01"], ["20240102"], "varchar", ["2024-01-01", "20240102"]),
    "not a number": (["1"], ["nan"], "double", ["1.0", "nan"]),
    "scientific": (["1"], ["1e3"], "double", ["1.0", "1000.0"]),
    "too large for any number": (["1"], ["1e400"], "varchar", ["1", "1e400"]),
    "too small for any number": (["1"], ["1e-400"], "varchar", ["1", "1e-400"]),
    "no end": (["2024-01-02"], ["infinity"], "varchar", ["2024-01-02", "infinity"]),
    "the word epoch": (["13.02.2024"], ["epoch"], "varchar", ["13.02.2024", "epoch"]),
    "no end of times": (["13/02/2024 10:00:00"], ["-infinity"], "varchar", ["13/02/2024 10:00:00", "-infinity"]),
}  # fmt: skip


def csv(values, column="v"):
    return f"id,{column}\n" + "".join(f"{number},{value}\n" for number, value in enumerate(values))


@pytest.mark.parametrize("case", WIDENED)
def test_a_later_file_widens_a_column_and_loses_nothing(landing, case):
    first, second, kind, texts = WIDENED[case]
    landing.write("a.csv", csv(first))
    landing.load()
    landing.write("b.csv", csv(second))
    assert landing.load().changed
    assert (landing.types["v"], landing.texts("v")) == (kind, texts)


@pytest.mark.parametrize("case", WIDENED)
def test_files_loaded_one_after_the_other_are_as_if_loaded_together(landing, case):
    first, second, kind, texts = WIDENED[case]
    landing.write("a.csv", csv(first))
    landing.write("b.csv", csv(second))
    landing.load(load="replace")
    assert (landing.types["v"], landing.texts("v")) == (kind, texts)


@pytest.mark.parametrize("case", WIDENED)
def test_a_value_far_down_in_a_file_counts_as_much_as_one_at_its_top(landing, case):
    first, second, kind, texts = WIDENED[case]
    landing.write("a.csv", csv([*first * (ROWS // len(first)), *second]))
    landing.load(load="replace")
    assert (landing.types["v"], landing.texts("v")[ROWS:]) == (kind, texts[len(first) :])


@pytest.mark.parametrize("case", WIDENED)
def test_with_the_first_file_gone_nothing_is_lost_or_the_load_is_refused(landing, case):
    first, second, kind, texts = WIDENED[case]
    file = landing.write("a.csv", csv(first))
    landing.load()
    former = (landing.types["v"], landing.texts("v"))
    file.unlink()
    landing.write("b.csv", csv(second))
    try:
        landing.load()
    except LoadFailed as refused:
        assert f'in/b.csv, line 2, column v: "{second[0]}" is no {former[0]}' in str(refused)
        assert "put them back for one refresh" in str(refused)
        assert (landing.types["v"], landing.texts("v")) == former
        file.write_text(csv(first))
        landing.load()
    assert (landing.types["v"], landing.texts("v")) == (kind, texts)


JSON_WIDENED = {
    "decimals after whole numbers": ("3", "3.5", "double", ["3.0", "3.5"]),
    "text after numbers": ("1067", '"01067"', "varchar", ["1067", "01067"]),
    "numbers after text": ('"01067"', "1067", "varchar", ["01067", "1067"]),
    "times of day after dates": ('"2024-01-01"', '"2024-01-02T10:00:00"', "timestamp", ["2024-01-01 00:00:00", "2024-01-02 10:00:00"]),
    "zones after none": ('"2024-01-01T10:00:00"', '"2024-01-01T10:00:00+02:00"', "varchar", ["2024-01-01T10:00:00", "2024-01-01T10:00:00+02:00"]),
    "fields more in an object": ('{"x": 1}', '{"x": 2, "y": "q"}', "struct(x bigint, y varchar)", ["{'x': 1, 'y': NULL}", "{'x': 2, 'y': q}"]),
    "decimals in an object": ('{"x": 1}', '{"x": 2.5}', "struct(x double)", ["{'x': 1.0}", "{'x': 2.5}"]),
    "an object after a number": ("1", '{"x": 2}', "json", ["1", '{"x":2}']),
    "lists of decimals": ("[1]", "[2.5]", "double[]", ["[1.0]", "[2.5]"]),
    "whole numbers too large for a number": ("1", "12345678901234567890123", "varchar", ["1", "12345678901234567890123"]),
    "nothing after numbers": ("1", "null", "bigint", ["1", None]),
    "numbers after nothing": ("null", "1", "bigint", [None, "1"]),
    "yes after text": ('"maybe"', "true", "varchar", ["maybe", "true"]),
}  # fmt: skip


@pytest.mark.parametrize("load", ["replace", "append"])
@pytest.mark.parametrize("case", JSON_WIDENED)
def test_json_files_widen_too(landing, case, load):
    first, second, kind, texts = JSON_WIDENED[case]
    landing.write("a.json", f'{{"id": 1, "v": {first}}}\n')
    if load == "append":
        landing.load(format="json")
    landing.write("b.json", f'{{"id": 2, "v": {second}}}\n')
    landing.load(format="json", load=load)
    assert (landing.types["v"].replace('"', ""), landing.texts("v")) == (kind, texts)


PARQUET_WIDENED = {
    "larger whole numbers": ("1::integer", "5000000000::bigint", "bigint", ["1", "5000000000"]),
    "smaller whole numbers": ("5000000000::bigint", "1::tinyint", "bigint", ["5000000000", "1"]),
    "more places": ("1.25::decimal(10,2)", "1.2345::decimal(12,4)", "decimal(12,4)", ["1.2500", "1.2345"]),
    "decimals after whole numbers": ("3::bigint", "3.70::decimal(10,2)", "decimal(21,2)", ["3.00", "3.70"]),
    "times of day": ("date '2024-01-01'", "timestamp '2024-01-02 10:00'", "timestamp", ["2024-01-01 00:00:00", "2024-01-02 10:00:00"]),
    "text": ("1067", "'01067'", "varchar", ["1067", "01067"]),
    "unsigned": ("1::bigint", "18446744073709551615::ubigint", "hugeint", ["1", "18446744073709551615"]),
    "single precision": ("16777217::bigint", "1.5::float", "double", ["16777217.0", "1.5"]),
}


@pytest.mark.parametrize("load", ["replace", "append"])
@pytest.mark.parametrize("case", PARQUET_WIDENED)
def test_parquet_files_widen_too(landing, case, load):
    first, second, kind, texts = PARQUET_WIDENED[case]
    parquet(landing.folder / "in/a.parquet", f"select {first} as v")
    if load == "append":
        landing.load(format="parquet")
    parquet(landing.folder / "in/b.parquet", f"select {second} as v")
    landing.load(format="parquet", load=load)
    assert (landing.types["v"].replace(", ", ","), landing.texts("v")) == (kind, texts)


@pytest.mark.parametrize("load", ["replace", "append"])
def test_parquet_numbers_that_no_common_type_holds_are_refused(landing, load):
    parquet(landing.folder / "in/a.parquet", "select 9007199254740993::bigint as v")
    parquet(landing.folder / "in/b.parquet", "select 1.5::double as v")
    with pytest.raises(LoadFailed, match=r'in/a.parquet, column v: "9007199254740993" is no double'):
        landing.load(format="parquet", load=load)


def test_a_new_column_is_empty_in_old_rows_and_a_missing_one_in_new_rows(landing):
    landing.write("a.csv", "id,a\n1,x\n")
    landing.load()
    landing.write("b.csv", "B,id\n2.5,2\n")
    landing.load()
    assert landing.types == {"id": "bigint", "a": "varchar", "B": "double"}
    assert landing.rows() == [(1, "x", None), (2, None, 2.5)]


def test_capitals_make_no_other_column(landing):
    landing.write("a.csv", "Id,Amount\n1,3\n")
    landing.load()
    landing.write("b.csv", "ID,AMOUNT\n2,3.70\n")
    landing.load()
    assert landing.types == {"Id": "bigint", "Amount": "double"}
    assert landing.rows() == [(1, 3.0), (2, 3.7)]


def test_a_type_that_is_promised_holds_for_old_and_new_rows(landing):
    landing.write("a.csv", csv(["10115"]))
    landing.load(types={"V": "varchar"})
    landing.write("b.csv", csv(["80331"]))
    landing.load()
    assert (landing.types["v"], landing.texts("v")) == ("varchar", ["10115", "80331"])


def test_a_promise_made_later_takes_effect_at_once(landing):
    landing.write("a.csv", csv(["3.70"]))
    landing.load()
    assert landing.load(types={"v": "decimal(10,2)"}).changed
    assert (landing.types["v"], landing.texts("v")) == ("decimal(10,2)", ["3.70"])
    assert not landing.load().changed


REFUSED = {
    "decimals": ("bigint", "3.70"),
    "letters": ("bigint", "D-12"),
    "more places": ("decimal(10,2)", "3.705"),
    "too large": ("tinyint", "300"),
    "a time of day": ("date", "2024-01-01 10:30:00"),
    "a zone": ("timestamp", "2024-01-01 10:00:00+02:00"),
    "nanoseconds": ("timestamp", "2024-01-01 10:00:00.123456789"),
    "a date of no calendar": ("date", "2024-02-30"),
    "a word": ("boolean", "maybe"),
    "text in decimals": ("double", "n/a"),
    "no uuid": ("uuid", "12"),
    "too large a number": ("double", "1e400"),
    "too small a number": ("double", "-1e-400"),
    "too large a number of half the size": ("float", "1e39"),
    "a whole number that would be rounded": ("double", "9007199254740993"),
    "a word among dates": ("date", "infinity"),
}


@pytest.mark.parametrize("load", ["replace", "append"])
@pytest.mark.parametrize("case", REFUSED)
def test_a_value_that_a_promised_type_does_not_keep_is_refused_and_told(landing, case, load):
    kind, value = REFUSED[case]
    landing.write("a.csv", f'note,v\n"two\nlines",\nx,{value}\n')
    with pytest.raises(LoadFailed) as refused:
        landing.load(load=load, types={"v": kind})
    assert str(refused.value) == (
        f'in/a.csv, line 4, column v: "{value}" is no {kind}, or not all of it would be kept; '
        "mend the file, or say options: {types: {v: varchar}}"
    )
    landing.load(types={"v": "varchar"})
    assert landing.texts("v") == [None, value]


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("bigint", "007", "7"),
        ("bigint", "+49", "49"),
        ("bigint", "3.00", "3"),
        ("decimal(10,2)", "3.7000", "3.70"),
        ("date", "2024-01-01 00:00:00", "2024-01-01"),
        ("double", "0.1000000000000000055511151231257827", "0.1"),
        ("timestamptz", "2024-01-01 10:00:00", "2024-01-01 10:00:00+00"),
        ("boolean", "t", "true"),
        ("double", "-inf", "-inf"),
        ("double", "0e5", "0.0"),
        ("double", "9007199254740992", "9007199254740992.0"),
        ("timestamp", "infinity", "infinity"),
    ],
)
def test_a_promised_type_keeps_the_value_however_it_is_written(landing, kind, value, kept):
    landing.write("a.csv", csv([value]))
    landing.load(types={"v": kind})
    assert landing.texts("v") == [kept]


def test_a_promise_about_no_column_is_refused(landing):
    landing.write("a.csv", csv(["1"]))
    with pytest.raises(LoadFailed, match=r"no file has w, whose type is promised; the columns are id, v"):
        landing.load(types={"w": "varchar"})


# Guesses


def test_a_date_that_may_be_read_in_two_ways_stays_as_it_is_written(landing):
    landing.write("a.csv", csv(["01/02/2024", "03/04/2024"]))
    landing.load(load="replace")
    assert landing.texts("v") == ["01/02/2024", "03/04/2024"]
    with pytest.raises(LoadFailed, match=r"day and month cannot be told apart; say which, such as options: \{dateformat: '%d/%m/%Y'\}"):
        landing.load(types={"v": "date"})
    landing.load(types={}, options={"dateformat": "%m/%d/%Y"})
    assert landing.texts("v") == ["2024-01-02", "2024-03-04"]


def test_a_date_that_can_be_read_in_one_way_only_is_a_date(landing):
    landing.write("a.csv", csv(["01/02/2024", "13/04/2024"]))
    landing.load(load="replace")
    assert landing.texts("v") == ["2024-02-01", "2024-04-13"]


def test_a_row_that_begins_with_a_hash_is_a_row(landing):
    landing.write("a.csv", "v,w\n#1,x\n2,y\n")
    landing.load()
    assert landing.rows() == [("#1", "x"), ("2", "y")]


def test_folders_named_like_values_are_no_columns_unless_asked_for(landing):
    landing.write("year=2024/month=01/a.csv", "v\n1\n")
    landing.write("year=2023/month=__HIVE_DEFAULT_PARTITION__/b.csv", "v\n2\n")
    landing.load(path="in/*/*/*.csv", load="replace")
    assert landing.rows() == [(2,), (1,)]
    landing.load(options={"hive_partitioning": True})
    assert landing.rows("v, year, month") == [(2, "2023", None), (1, "2024", "01")]


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_a_folder_above_the_product_is_never_a_column(tmp_path, kind):
    root = tmp_path / "env=prod"
    with opened(root / "shop.duckdb") as database:
        landing = Landing(root, database, format=kind, options={"hive_partitioning": True})
        if kind == "parquet":
            parquet(root / "in/a.parquet", "select 1 as v")
        else:
            landing.write(f"a.{kind}", {"csv": "v\n1\n", "json": '{"v": 1}'}[kind])
        landing.load()
        assert list(landing.types) == ["v"]


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_a_folder_above_the_product_does_not_change_the_column_of_its_name(tmp_path, kind):
    root = tmp_path / "env=prod"
    with opened(root / "shop.duckdb") as database:
        landing = Landing(root, database, format=kind)
        if kind == "parquet":
            parquet(root / "in/a.parquet", "select 1 as v, 'test' as env")
        else:
            landing.write(f"a.{kind}", {"csv": "v,env\n1,test\n", "json": '{"v": 1, "env": "test"}'}[kind])
        landing.load()
        assert landing.rows() == [(1, "test")]


@pytest.mark.parametrize(
    ("name", "path"),
    [("a[b].csv", "a[b].csv"), ("a?.csv", "a[?].csv"), ("a*.csv", "a[*].csv"), ("{a,b}.csv", "{a,b}.csv"), ("a'b.csv", "a'b.csv")],
)
def test_a_file_name_is_no_pattern(landing, name, path):
    for other in ("ab.csv", "a.csv", "b.csv", "abc.csv"):
        landing.write(other, "v\n9\n")
    landing.write(name, "v\n1\n")
    landing.load(path=f"in/{path}")
    assert landing.rows() == [(1,)]


def test_a_pattern_takes_files_with_characters_of_patterns_once_each(landing):
    for number, name in enumerate(("a?.csv", "ab.csv", "a[b].csv", "a*.csv")):
        landing.write(name, f"v\n{number}\n")
    landing.load(path="in/a*.csv", load="replace")
    assert sorted(landing.rows()) == [(0,), (1,), (2,), (3,)]


@pytest.mark.parametrize("name", [".hidden.csv", "_draft.csv", "_temporary/part.csv", ".git/part.csv"])
def test_what_writers_and_tools_keep_for_themselves_is_left_out(landing, name):
    landing.write("a.csv", "v\n1\n")
    landing.write(name, "v\n9\n")
    landing.load(path="in/**/*.csv", load="replace")
    assert landing.rows() == [(1,)]
    landing.load(path=f"in/{name}")
    assert landing.rows() == [(9,)]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
@pytest.mark.parametrize("packed", [True, False])
def test_compression_is_known_by_what_is_in_the_file(landing, name, packed):
    landing.write(name, gzip.compress(b"v\n1\n") if packed else b"v\n1\n")
    landing.load()
    assert landing.rows() == [(1,)]


def test_files_may_be_written_in_different_ways(landing):
    landing.write("a.csv", "id,v\n1,x\n")
    landing.write("b.csv", "v;id\r\ny;2\r\n")
    landing.write("c.csv.gz", gzip.compress(b'id\tv\n3\t"z\n1"\n'))
    landing.load()
    assert sorted(landing.rows()) == [(1, "x"), (2, "y"), (3, "z\n1")]


@pytest.mark.parametrize("load", ["replace", "append"])
@pytest.mark.parametrize(
    ("later", "columns"),
    [("c,d\ne,f\n", "c, d"), ("3,x\n4,y\n", "column0, column1"), ("3,4\n5,6\n", "column0, column1")],
    ids=["texts", "mixed", "numbers"],
)
def test_a_later_file_that_lacks_its_header_is_refused(landing, load, later, columns):
    landing.write("a.csv", "id,name\n1,bob\n")
    landing.load(load=load)
    landing.write("b.csv", later)
    with pytest.raises(LoadFailed) as refused:
        landing.load()
    told = f"none of its columns ({columns}) is among those of other files (id, name); does it lack its header?"
    assert str(refused.value) == f"in/b.csv: {told}"
    assert landing.rows() == [(1, "bob")]


@pytest.mark.parametrize(("rows", "delimiter"), [("1,5\n2,5\n", ","), ("a;b\nc;d\n", ";"), ("a|b\nc|d\n", "|")])
def test_the_header_of_a_single_column_is_not_left_out_for_delimiters_in_its_values(landing, rows, delimiter):
    landing.write("a.csv", f"v\n{rows}")
    with pytest.raises(LoadFailed, match=r"line 2: the row has 2 fields, 1 were expected; .* how many lines stand above the header"):
        landing.load()
    landing.load(options={"delim": "\t"})
    assert landing.texts("v") == rows.split()


def test_lines_above_a_header_are_left_out_if_that_is_what_they_are(landing):
    landing.write("a.csv", "Report of May\nid,v\n1,x\n")
    landing.write("b.csv", "Report\nid,v\n2,y\n")
    landing.load(path="in/a.csv", load="replace")
    assert landing.rows() == [(1, "x")]
    with pytest.raises(LoadFailed, match=r"in/b.csv, line 2: .*\{skip: 1\}"):
        landing.load(path="in/b.csv")
    landing.load(options={"skip": 1})
    assert landing.rows() == [(2, "y")]


# Errors


BROKEN = {
    "a row too long": ("a,b\n1,2\n3,4,5\n", "in/a.csv, line 3: the row has 3 fields, 2 were expected; mend the file"),
    "a row cut off": ("a,b,c\n1,2,3\n4,5", "in/a.csv, line 3: the row has 2 fields, 3 were expected; mend the file"),
    "rows longer than the header": ("a,b\n1,2,3\n4,5,6\n", "in/a.csv, line 2: the row has 3 fields, 2 were expected"),
    "a row too long among the first": ("a,b\n1,2\nx,y,z\n3,4,5\n", "in/a.csv, line 3: the row has 3 fields, 2 were expected"),
    "a quote left open": (b'a,b\n1,"ann@example.org\n2,b\n3,c\n', "in/a.csv, line 2: a quote is opened there that is not closed"),
    "no UTF-8": (b"a,b\n1,\xff\xfe\xfa\n", "in/a.csv, line 2: it is not written in UTF-8; save it in UTF-8"),
    "mixed line ends": ("a,b\r\n1,2\n3,4\r\n", "in/a.csv: it cannot be read as CSV: its rows differ in their line ends"),
    "zeros where the rest was to be written": (b"a,b\n1,2\n" + bytes(4096), "in/a.csv, line 3: the row has 1 fields, 2 were expected"),
    "half of a compressed file": (gzip.compress(csv(map(str, range(5000))).encode())[:5000], "in/a.csv: Unexpected end of GZIP stream"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_not_whole_is_refused_and_the_last_good_one_stays(landing, case):
    content, told = BROKEN[case]
    landing.write("a.csv", "a,b\n1,2\n")
    landing.load(load="replace")
    landing.write("a.csv", content)
    with pytest.raises(LoadFailed) as refused:
        landing.load()
    assert str(refused.value).startswith(told)
    assert landing.rows() == [(1, 2)]


def test_half_a_file_of_json_or_parquet_is_refused(landing):
    landing.write("a.json", '{"v": 1}\n{"v": 2')
    with pytest.raises(LoadFailed, match=r"in/a.json, line 2: it is no whole JSON: unexpected end of data"):
        landing.load(format="json", path="in/a.json")
    landing.write("b.json", '[{"v": 1}, {"v": 2}')
    with pytest.raises(LoadFailed, match=r"in/b.json: it is no whole JSON"):
        landing.load(path="in/b.json")
    parquet(landing.folder / "in/c.parquet", "select 1 as v")
    whole = (landing.folder / "in/c.parquet").read_bytes()
    landing.write("c.parquet", whole[: len(whole) // 2])
    with pytest.raises(LoadFailed, match=r"in/c.parquet: No magic bytes found at end of file 'in/c.parquet'"):
        landing.load(format="parquet", path="in/c.parquet")


@pytest.mark.parametrize("name", ["delim", "sep", "delimiter", "separator"])
def test_a_delimiter_that_is_given_counts(landing, name):
    landing.write("a.csv", "v,w;x\n1,2;3\n")
    landing.load(options={name: ";"})
    assert landing.rows() == [("1,2", 3)]


@pytest.mark.parametrize("text", ["1\n2\n", '{"json": 1}\n{"json": 2}\n'])
def test_json_records_that_are_no_objects_are_one_column(landing, text):
    landing.write("a.json", text)
    landing.load(format="json")
    assert landing.rows("json") == [(1,), (2,)]


ROUNDED = {
    "in a list": ['{"v": [9007199254740993, 1.5]}\n'],
    "in a structure": ['{"v": {"a": 12345678901234567890123}}\n'],
    "in lists of two files": ['{"v": [9007199254740993]}\n', '{"v": [1.5]}\n'],
    "in structures of two files": ['{"v": {"a": 9007199254740993}}\n', '{"v": {"a": 1.5}}\n'],
}


@pytest.mark.parametrize("load", ["replace", "append"])
@pytest.mark.parametrize("case", ROUNDED)
def test_long_numbers_within_json_are_not_rounded(landing, case, load):
    for number, text in enumerate(ROUNDED[case]):
        landing.write(f"{number}.json", text)
        landing.load(format="json", load=load)
    texts = [text.removeprefix('{"v": ').rstrip().removesuffix("}").replace(" ", "") for text in ROUNDED[case]]
    assert (landing.types["v"], landing.texts("v")) == ("varchar", texts)


def test_long_numbers_within_json_that_their_types_hold_stay_numbers(landing):
    landing.write("a.json", '{"v": {"a": 9007199254740993, "b": 1.5}}\n')
    landing.load(format="json")
    assert landing.rows("v.a, v.b") == [(9007199254740993, 1.5)]


QUOTED = 'id,s,n\n1,"",5\n2,,6\n3," ",\n'


def test_an_empty_text_in_quotes_is_null_as_an_empty_field_is_unless_the_option_tells_them_apart(landing):
    landing.write("a.csv", QUOTED)
    landing.load(load="replace")
    assert landing.rows() == [(1, None, 5), (2, None, 6), (3, " ", None)]
    landing.load(options={"allow_quoted_nulls": False})
    assert landing.rows() == [(1, "", 5), (2, None, 6), (3, " ", None)]
    assert landing.types == {"id": "bigint", "s": "varchar", "n": "bigint"}


def test_where_they_are_told_apart_an_empty_text_is_no_number(landing):
    landing.write("a.csv", 'id,n\n1,""\n2,5\n')
    landing.load(load="replace", options={"allow_quoted_nulls": False})
    assert landing.rows() == [(1, ""), (2, "5")]
    with pytest.raises(LoadFailed, match=r'in/a.csv, row 1, column n: "" is no bigint'):
        landing.load(types={"n": "bigint"})


def test_json_tells_an_empty_text_from_null(landing):
    landing.write("a.json", '{"v": ""}\n{"v": null}\n{"v": " "}\n{"w": 1}\n')
    landing.load(format="json")
    assert landing.rows("v") == [("",), (None,), (" ",), (None,)]


WITHIN_JSON = {
    "the word epoch in a list": ('["2024-01-02"]', '["epoch"]'),
    "no end of times in a list": ('["2024-01-02 10:00:00"]', '["2024-01-02 10:00:00","-infinity"]'),
    "the word epoch in a list of lists": ('[["2024-01-02"]]', '[["2024-01-03"],["Epoch"]]'),
    "the word epoch in an object": ('{"d":"2024-01-02"}', '{"d":"epoch"}'),
    "no end in a list of objects": ('[{"d":"2024-01-02"}]', '[{"d":"infinity"}]'),
    "too large a number in a list": ("[1.5]", "[1e400]"),
    "too large a number among whole ones": ("[1]", "[-1E400]"),
    "too large a number in an object": ('{"x":1.5}', '{"x":1e400}'),
    "too large a number deep within": ('{"x":[{"y":1.5}]}', '{"x":[{"y":1e400}]}'),
    "too large a number beside a text that looks like one": ('{"x":1.5,"t":"a \\" 1e400"}', '{"x":1e400,"t":"b"}'),
}  # fmt: skip


@pytest.mark.parametrize("files", [1, 2])
@pytest.mark.parametrize("case", WITHIN_JSON)
def test_what_no_date_or_number_holds_is_kept_as_it_is_written_within_json_too(landing, case, files):
    first, second = WITHIN_JSON[case]
    lines = [f'{{"v": {first}}}\n', f'{{"v": {second}}}\n']
    for number, content in enumerate(lines if files == 2 else ["".join(lines)]):
        landing.write(f"{number}.json", content)
    landing.load(format="json", load="replace")
    assert landing.types["v"] in ("varchar", "json")
    assert landing.texts("v") == [first, second]


def test_texts_that_look_like_numbers_too_large_leave_an_object_as_it_is(landing):
    landing.write("a.json", '{"v": {"t": "epoch or infinity", "u": "a \\" -1e400 b", "x": 1e300}}\n')
    landing.load(format="json")
    assert landing.rows("v.t, v.u, v.x") == [("epoch or infinity", 'a " -1e400 b', 1e300)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date", '"epoch"'),
        ("timestamptz", '" Epoch"'),
        ("date[]", '["2024-01-02","epoch"]'),
        ("timestamp[][]", '[["epoch"]]'),
        ("date[]", '["2024-01-02 10:00:00"]'),
        ("timestamp[]", '["2024-01-02 10:00:00+02"]'),
        ("double[]", "[1.5,1e400]"),
        ("float[]", "[1e39]"),
        ("integer[]", "[1.5]"),
        ("decimal(6,2)[]", "[1.555]"),
        ("integer[]", '{"x":1}'),
    ],
)
def test_a_promised_list_keeps_every_element_or_is_refused(landing, kind, value):
    landing.write("a.json", f'{{"v": null}}\n{{"v": {value}}}\n')
    with pytest.raises(LoadFailed) as refused:
        landing.load(format="json", types={"v": kind})
    assert str(refused.value).startswith("in/a.json, line 2, column v: ")
    assert f"is no {kind}, or not all of it would be kept" in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("date[]", '["2024-01-02", null, "infinity"]', "[2024-01-02, NULL, infinity]"),
        ("decimal(6,2)[]", '[1.50, "2.5", 3]', "[1.50, 2.50, 3.00]"),
        ("integer[][]", "[[1], [], null]", "[[1], [], NULL]"),
        ("varchar[]", '["epoch", 1e400]', "[epoch, 1e400]"),
        ("date", '"infinity"', "infinity"),
    ],
)
def test_a_promised_list_keeps_what_its_elements_say(landing, kind, value, kept):
    landing.write("a.json", f'{{"v": {value}}}\n')
    landing.load(format="json", types={"v": kind})
    assert landing.texts("v") == [kept]


@pytest.mark.parametrize("value", ["[2024-01-02, 2024-01-03]", "['2024-01-02', '2024-01-03']"])
def test_a_promised_list_may_stand_in_a_csv_file(landing, value):
    landing.write("a.csv", f"id;v\n1;{value}\n")
    landing.load(types={"v": "date[]"}, options={"delim": ";"})
    assert landing.texts("v") == ["[2024-01-02, 2024-01-03]"]
    landing.write("b.csv", "id;v\n1;[epoch]\n")
    with pytest.raises(LoadFailed, match=r'in/b.csv, line 2, column v: "\[epoch\]" is no date\[\]'):
        landing.load(load="replace")


@pytest.mark.parametrize(("kind", "value"), [("decimal(38,2)", "123456789012345678.12"), ("decimal(38,2)[]", "[123456789012345678.12]")])
def test_a_decimal_of_json_that_is_read_as_a_binary_number_is_refused(landing, kind, value):
    landing.write("a.json", f'{{"v": {value}}}\n')
    with pytest.raises(LoadFailed, match=r"or not all of it would be kept; write a number of so many digits in quotes"):
        landing.load(format="json", types={"v": kind})


def test_a_decimal_of_json_in_quotes_or_of_few_digits_is_kept(landing):
    landing.write("a.json", '{"v": "123456789012345678.12"}\n{"v": 1234567890.12}\n{"v": 123456789012345678}\n')
    landing.load(format="json", types={"v": "decimal(38,2)"})
    assert landing.texts("v") == ["123456789012345678.12", "1234567890.12", "123456789012345678.00"]


@pytest.mark.parametrize("text", ['{"v": 1, "V": 2}\n', '{"v": 1}\n{"V": 2}\n'])
def test_keys_that_only_capitals_tell_apart_are_refused(landing, text):
    landing.write("a.json", text)
    with pytest.raises(LoadFailed, match=r"in/a.json: the key V is there twice, once in other capitals; mend the file"):
        landing.load(format="json")
    landing.write("a.json", '{"v": 1, "V_1": null}\n{"V_2": 3}\n'.replace("V_1", "v_1"))
    landing.load()
    assert landing.rows("v, v_1, V_2") == [(1, None, None), (None, None, 3)]


@pytest.mark.parametrize("text", ['{"v": {"k": 1, "K": 2}}\n', '{"v": [{"k": 1}]}\n{"v": [{"K": 2}]}\n'])
def test_keys_within_a_value_that_only_capitals_tell_apart_are_refused(landing, text):
    landing.write("a.json", text)
    with pytest.raises(LoadFailed) as refused:
        landing.load(format="json")
    assert str(refused.value) == "in/a.json: the key K is there twice within a value, once in other capitals; mend the file"


REPEATED = {
    "twice": ("v,v\n1,2\n", "v"),
    "in other capitals": ("id,v,V\n1,2,3\n", "V"),
    "in quotes": ('"net price";"net price"\n1;2\n', "net price"),
    "with what DuckDB would call it": ("v,v_1,v\n1,2,3\n", "v"),
    "below other lines": ("Prices of today\n\nid,v,v\n1,2,3\n2,3,4\n", "v"),
    "all text": ("v,v\na,b\n", "v"),
}


@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("case", REPEATED)
def test_a_header_that_names_a_column_twice_is_refused(landing, case, packed):
    content, name = REPEATED[case]
    landing.write("a.csv.gz" if packed is gzip.compress else "a.csv", packed(content.encode()))
    with pytest.raises(LoadFailed) as refused:
        landing.load()
    assert f": the header names {name} twice, and capitals make no difference; give each column a name of its own" in str(refused.value)
    assert refused.value.column == name


def test_where_the_columns_are_named_in_order_a_header_may_name_one_twice(landing):
    landing.write("a.csv", "v,v\n1,2\n")
    landing.load(options={"names": ["net", "gross"]})
    assert landing.rows("net, gross") == [(1, 2)]


def test_a_column_may_be_called_like_another_with_a_number(landing):
    landing.write("a.csv", "v,v_1,v_x,_1\n1,2,3,4\n")
    landing.load()
    assert landing.rows("v, v_1, v_x, _1") == [(1, 2, 3, 4)]


# Numbers of JSON that nothing but zero would be left of


TOO_SMALL = {
    "alone": ('{"v": 1}\n{"v": 1e-400}\n', "row 2, column v", "1e-400"),
    "in an array of records": ('[{"w": 1},\n {"w": 2,\n "v": -1E-0400}]', "row 2, column v", "-1E-0400"),
    "within an object": ('{"v": {"a": [1, 0.5e-9999]}}\n', "row 1, column v", "0.5e-9999"),
    "without an exponent": ('{"v": 0.' + "0" * 400 + "1}\n", "row 1, column v", "0." + "0" * 98 + "…"),
}


@pytest.mark.parametrize("kind", ["", "varchar", "double"])
@pytest.mark.parametrize("case", TOO_SMALL)
def test_a_number_of_json_that_would_be_read_as_zero_is_refused(landing, case, kind):
    content, place, value = TOO_SMALL[case]
    landing.write("a.json.gz", gzip.compress(content.encode()))
    with pytest.raises(LoadFailed) as refused:
        landing.load(format="json", types={"v": kind} if kind else {})
    told = "is too small for any number type and would be read as 0; write it in quotes, or write 0"
    assert (str(refused.value), refused.value.column) == (f'in/a.json.gz, {place}: "{value}" {told}', "v")


def test_zero_and_the_smallest_numbers_of_json_are_kept_and_texts_are_no_numbers(landing):
    landing.write("a.json", '{"v": 0e-999, "w": "\\"1e-400"}\n{"v": 5e-324, "w": "0.' + "0" * 400 + '1"}\n')
    landing.load(format="json")
    assert landing.texts("v") == ["0.0", "5e-324"]
    assert landing.texts("w") == ['"1e-400', "0." + "0" * 400 + "1"]


# Options that take several texts


def test_several_words_mean_nothing_where_all_are_said(landing):
    landing.write("a.csv", "id,v\n1,NA\n2,3\n3,\n4,n/a\n")
    landing.load(options={"nullstr": ["NA", "n/a", ""]})
    assert (landing.types["v"], landing.texts("v")) == ("bigint", [None, "3", None, None])


def test_a_word_that_is_said_alone_stands_for_nothing_instead_of_the_empty_field(landing):
    landing.write("a.csv", "id,v\n1,NA\n2,x\n3,\n")
    landing.load(options={"nullstr": "NA"})
    assert landing.texts("v") == [None, "x", ""]


def test_columns_of_a_file_without_a_header_have_the_names_that_are_said(landing):
    landing.write("a.csv", "1,x\n2,y\n")
    landing.load(options={"header": False, "names": ["id", "v"]})
    assert (landing.types, landing.rows()) == ({"id": "bigint", "v": "varchar"}, [(1, "x"), (2, "y")])


@pytest.mark.parametrize(("option", "way_out"), [("null_values", "; write nullstr"), ("charset", "; write encoding"), ("colour", "")])
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_an_option_that_no_reader_has_is_named(landing, kind, option, way_out):
    landing.write(f"a.{kind}", {"csv": "v\n1\n", "json": '{"v": 1}'}[kind])
    with pytest.raises(LoadFailed) as refused:
        landing.load(format=kind, options={option: "NA"})
    assert str(refused.value) == f"in/a.{kind}: options names {option}, which the reader of this format does not have{way_out}"


PRICES = {"csv": "id;v\r\n1;Käse 3,50 €\r\n2;Œuf\r\n", "json": '{"id": 1, "v": "Käse 3,50 €"}\n{"id": 2, "v": "Œuf"}\n'}


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
@pytest.mark.parametrize("encoding", ["cp1252", "windows-1252", "ISO-8859-15", "utf-16-le", "utf-8"])
@pytest.mark.parametrize("kind", PRICES)
def test_a_file_is_read_in_the_encoding_that_is_said(landing, kind, encoding, packed):
    landing.write(f"a.{kind}", packed(PRICES[kind].encode(encoding)))
    landing.load(format=kind, options={"encoding": encoding})
    assert landing.rows() == [(1, "Käse 3,50 €"), (2, "Œuf")]
    landing.write(f"b.{kind}", packed(PRICES[kind].replace("Œuf", "Öl").encode(encoding)))
    landing.load()
    assert [row[1] for row in landing.rows()][2:] == ["Käse 3,50 €", "Öl"], "behind what is there"


NOT_READ = {
    "a byte that the encoding does not have": (b"id;v\n1;a\n2;\x81\n", "cp1252", "in/a.csv, line 3: it is not written in cp1252, in which the byte 0x81 is no"),
    "no encoding": (b"id;v\n", "klingon", 'in/a.csv: options names the encoding "klingon", which is none; write one such as "cp1252"'),
    "an encoding of bytes": (b"id;v\n", "base64", 'in/a.csv: options names the encoding "base64", which is none'),
    "Excel's as the one that is like it": ("id;v\n1;3 €\n".encode("cp1252"), "latin-1", "it is not written in LATIN-1; save it in UTF-8 (in Excel: CSV UTF-8), or say which encoding it has, such as options: {encoding: cp1252}"),
    "half of a compressed file": (gzip.compress(bytes(range(65, 90)) * 999)[:40], "cp1252", "in/a.csv: Compressed file ended before"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_READ)
def test_a_file_that_is_not_in_its_encoding_is_refused_with_its_line(landing, case):
    content, encoding, told = NOT_READ[case]
    landing.write("a.csv", content)
    with pytest.raises(LoadFailed) as refused:
        landing.load(options={"encoding": encoding})
    assert told in str(refused.value)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "\ufeffSEP=;"])
def test_a_first_line_that_names_the_delimiter_is_no_row(landing, line, newline):
    landing.write("a.csv", newline.join((line, "id;v", "1;1,5", "2;b", "")))
    landing.load()
    assert landing.rows() == [(1, "1,5"), (2, "b")]


def test_a_column_called_sep_is_a_column(landing):
    landing.write("a.csv", "sep=,v\n1,2\n")
    landing.load()
    assert landing.rows('"sep=", v') == [(1, 2)]


def test_a_line_that_is_too_long_is_refused_with_the_option_that_takes_it(landing):
    landing.write("a.csv", "id,v\n1," + "x" * 3_000_000 + "\n")
    with pytest.raises(
        LoadFailed, match=r"^in/a.csv, line \d+: the line has 3000003 bytes or more, 2000000 are accepted; .*max_line_size: 6000006"
    ):
        landing.load()
    landing.load(options={"max_line_size": 6000006})
    assert [len(text) for text in landing.texts("v")] == [3_000_000]
