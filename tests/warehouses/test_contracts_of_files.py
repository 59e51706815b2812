"""Contracts of files: other names of columns, texts and values that say nothing, and rows that go to quarantine."""

import json

import pytest

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.source_contract import SourceContract
from platform_resources.spec.components import InputColumn
from platform_resources.warehouses.duckdb.product_database import opened
from platform_resources.warehouses.engine_errors import LoadFailed
from tests.deliveries.landing import Landing, parquet

QUARANTINE = Relation("quarantine", "tills")
TEXT = """id,Betrag,tag,note
1,1.50,2024-01-05,ok
2,n/a,2024-01-06,
3,2.25,9999-12-31,-
4,3,2024-01-08,"two
lines"
"""


@pytest.fixture
def database(tmp_path):
    with opened(tmp_path / "tills.duckdb") as found:
        yield found


def columns(*said):
    return tuple(InputColumn(**column) for column in said)


ID = {"name": "id", "type": "bigint"}
AMOUNT = {"name": "amount", "from": "Betrag", "type": "decimal(18,2)", "nullable": True, "null_values": ["n/a"]}
DAY = {"name": "day", "from": "Tag", "type": "date", "missing": ["9999-12-31"]}
NULLABLE_DAY = {**DAY, "nullable": True}


def landing(tmp_path, database, *said, aside=False, **settings):
    contract = SourceContract(columns(*said), aside)
    file_format = settings.get("format", "csv")
    types = {} if file_format == "parquet" else {column.name: column.type for column in contract.columns}
    return Landing(tmp_path, database, contract=contract, types=types, load="replace", **settings)


def aside(database):
    rows = database.rows("select * from quarantine.tills order by source, row_number")
    return [(row["source"], row["row_number"], [tuple(bad.values()) for bad in json.loads(row["reasons"])]) for row in rows]


def test_columns_are_renamed_and_texts_that_stand_for_null_are_null(tmp_path, database):
    tills = landing(tmp_path, database, ID, AMOUNT, NULLABLE_DAY)
    tills.write("a.csv", TEXT)
    tills.load()
    assert tills.types == {"id": "bigint", "amount": "decimal(18,2)", "day": "date", "note": "varchar"}
    assert tills.texts("amount") == ["1.50", None, "2.25", "3.00"]
    assert tills.texts("day")[2] == "9999-12-31", "a value that says nothing stays as it is"
    assert tills.texts("note") == ["ok", None, "-", "two\nlines"], "other columns are read as ever"


REFUSED = {
    "a text that does not stand for null": (
        ({**AMOUNT, "null_values": ["NA"]},),
        'line 3, column Betrag (amount): "n/a" is no decimal(18,2)',
    ),
    "a value that says nothing where one is wanted": ((DAY,), 'line 4, column tag (day): "9999-12-31" says nothing (missing)'),
    "an empty field where a value is wanted": (({"name": "note", "type": "varchar"},), "line 3, column note: it is empty"),
    "a column that is not there": (({"name": "shop", "from": "Laden", "type": "bigint"},), "no file has Laden, whose type is promised"),
    "two columns of one name": (({"name": "note", "from": "Betrag", "type": "varchar"},), "the source has both Betrag and note"),
}


@pytest.mark.parametrize(("said", "text"), REFUSED.values(), ids=REFUSED)
def test_what_breaks_a_contract_is_refused_with_line_column_and_value(tmp_path, database, said, text):
    tills = landing(tmp_path, database, *said)
    tills.write("a.csv", TEXT)
    with pytest.raises(LoadFailed) as failed:
        tills.load()
    assert text in str(failed.value)


def test_bad_rows_go_to_quarantine_with_every_reason_and_the_others_are_loaded(tmp_path, database):
    tills = landing(tmp_path, database, ID, {**AMOUNT, "null_values": ["?"], "nullable": False}, DAY, aside=True)
    tills.write("a.csv", TEXT + "5,,2024-02-30,\n")
    tills.load()
    assert tills.texts("id") == ["1", "4"]
    assert [row[:2] for row in aside(database)] == [("in/a.csv", 2), ("in/a.csv", 3), ("in/a.csv", 5)]
    assert aside(database)[0][2] == [("amount", "is no decimal(18,2), or not all of it would be kept", "n/a")]
    assert [(column, value) for column, _, value in aside(database)[1][2]] == [("day", "9999-12-31")]
    assert [(column, value) for column, _, value in aside(database)[2][2]] == [("day", "2024-02-30"), ("amount", None)]
    (delivered,) = [row["delivered"] for row in database.rows("select delivered from quarantine.tills where row_number = 2")]
    assert json.loads(delivered) == {"id": "2", "Betrag": "n/a", "tag": "2024-01-06", "note": None}


def test_a_set_that_is_loaded_anew_forgets_its_quarantine(tmp_path, database):
    tills = landing(tmp_path, database, ID, {**AMOUNT, "null_values": ["?"]}, aside=True)
    tills.write("a.csv", TEXT)
    tills.load()
    assert len(aside(database)) == 1
    tills.write("a.csv", TEXT.replace("n/a", "7"))
    assert tills.load().changed
    assert not database.exists(QUARANTINE)
    assert len(tills.rows()) == 4


def test_a_contract_that_changes_reads_the_files_again(tmp_path, database):
    tills = landing(tmp_path, database, ID, AMOUNT)
    tills.write("a.csv", TEXT)
    assert (tills.load().changed, tills.load().changed) == (True, False)
    other = SourceContract(columns(ID, {**AMOUNT, "null_values": ["n/a", "3"]}))
    assert tills.load(contract=other).changed
    assert tills.texts("amount") == ["1.50", None, "2.25", None]


def test_a_set_that_grows_keeps_what_is_in_quarantine(tmp_path, database):
    tills = landing(tmp_path, database, ID, {**AMOUNT, "null_values": ["?"]}, aside=True)
    tills.settings["load"] = "append"
    tills.write("a.csv", TEXT)
    tills.load()
    tills.write("b.csv", "id,Betrag,tag,note\n6,1,2024-01-01,x\nsix,1,2024-01-01,x\n")
    tills.load()
    assert [row[:2] for row in aside(database)] == [("in/a.csv", 2), ("in/b.csv", 2)]
    assert tills.texts("id") == ["1", "3", "4", "6"]


def test_a_delivery_without_one_good_row_is_refused(tmp_path, database):
    tills = landing(tmp_path, database, ID, aside=True)
    tills.write("a.csv", "id,note\n1,x\n")
    tills.load()
    tills.write("a.csv", "id,note\none,x\ntwo,y\n")
    with pytest.raises(LoadFailed, match="every row breaks the contract"):
        tills.load()
    assert (tills.texts("id"), database.exists(QUARANTINE)) == (["1"], False)


def test_a_file_that_lacks_a_column_that_must_be_filled_goes_to_quarantine_as_a_whole(tmp_path, database):
    tills = landing(tmp_path, database, ID, DAY, aside=True)
    tills.write("a.csv", "id,tag\n1,2024-01-01\n")
    tills.write("b.csv", "id\n2\n")
    tills.load()
    assert tills.texts("id") == ["1"]
    assert aside(database) == [("in/b.csv", 1, [("day", "is not there", None)])]


def test_parquet_files_are_renamed_and_their_empty_rows_go_to_quarantine(tmp_path, database):
    tills = landing(tmp_path, database, ID, AMOUNT | {"nullable": False}, aside=True, format="parquet", path="in/*.parquet")
    rows = 'select {} as id, {}::decimal(18,2) as "Betrag", [1.5, 2] as parts'
    parquet(tmp_path / "in/a.parquet", rows.format("1::bigint", "2.5"), rows.format("2::bigint", "null"))
    tills.load()
    assert tills.types == {"id": "bigint", "amount": "decimal(18,2)", "parts": "decimal(11,1)[]"}
    assert tills.rows("id, amount::varchar") == [(1, "2.50")]
    assert aside(database) == [("in/a.parquet", 2, [("amount", "is empty, and nullable is not written", None)])]


def test_bad_rows_of_json_go_to_quarantine_and_nested_values_are_kept(tmp_path, database):
    tills = landing(tmp_path, database, ID, {**AMOUNT, "null_values": ["?"]}, aside=True, format="json")
    good = {"id": 1, "Betrag": "1.50", "lines": [{"sku": "a", "n": 2}], "on": "2024-01-01"}
    tills.write("a.json", "\n".join(json.dumps(row) for row in (good, {**good, "id": 2, "Betrag": "two"}, {**good, "id": None})))
    tills.load()
    assert (tills.texts("id"), tills.rows('lines[1].sku, lines[1].n, "on"::varchar')) == (["1"], [("a", 2, "2024-01-01")])
    assert [(row, bad[0][0]) for _, row, bad in aside(database)] == [(2, "amount"), (3, "id")]


WRITTEN = {
    "numbers and dates as SQL writes them": ("a,b,c,d\n1,1.5,2024-01-05,true\n-7,,2024-02-29,false\n", {}),
    "numbers and dates as Germans write them": (
        "a;b;c;d\n1;1.000,25;05.01.2024;yes\n2;-3,5;29.02.2024;no\n",
        {"delim": ";", "decimal_separator": ",", "thousands": ".", "dateformat": "%d.%m.%Y"},
    ),
    "times with zones and long numbers": (
        "a,b,c,d\n12345678901234567890,1e300,2024-01-05 10:00:00+02,x\n1,2.5,2024-07-05 10:00:00+00,\n",
        {},
    ),
}


@pytest.mark.parametrize(("text", "options"), WRITTEN.values(), ids=WRITTEN)
def test_rows_are_the_same_whether_bad_ones_are_refused_or_set_aside(tmp_path, database, text, options):
    tills = landing(tmp_path, database, {"name": "a", "type": "hugeint"}, options=options)
    tills.write("a.csv", text)
    tills.load()
    read, types = tills.rows(), tills.types
    tills.load(contract=SourceContract(tills.settings["contract"].columns, True))
    assert (tills.rows(), tills.types) == (read, types)


def test_a_name_with_quotes_is_renamed(tmp_path, database):
    tills = landing(tmp_path, database, {"name": "n", "from": "it's", "type": "bigint"})
    tills.write("a.csv", "it's\n1\n")
    tills.load()
    assert (tills.types, tills.rows()) == ({"n": "bigint"}, [(1,)])
