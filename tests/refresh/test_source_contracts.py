"""Columns that an input port asks of its source: what breaks the contract is not loaded, and the last good data are used."""

import duckdb
import pytest

from platform_resources.capabilities.measures import Relation
from platform_resources.dbt.planning import read_plan
from platform_resources.refresh.sources.pull_records import PullFailed
from platform_resources.spec.problems import problems_text
from platform_resources.warehouses.duckdb.product_database import opened
from tests.meshes import edited, product_file
from tests.refresh.test_pulling import HEAD, LANDING, Pulling, land

SPEC = product_file("plant", "readings")
COLUMNS = """columns:
          - {name: Reading_ID, type: bigint}
          - {name: degrees, type: "decimal(6,2)", nullable: true}
          - {name: measured_at, type: timestamp}"""
GOOD = f"{HEAD}\n1,north,20.50,2024-06-01 06:00:00,Ada\n2,south,,2024-06-01 06:00:00,Ben\n"


@pytest.fixture
def readings(tiny):
    """Its input asks for three columns of five, and has had one good delivery."""
    edited(tiny, SPEC, "path: landing/readings.csv", f"path: landing/readings.csv\n        {COLUMNS}")
    with opened(tiny / "warehouse/plant/readings.duckdb") as database:
        found = Pulling(tiny, "readings", database)
        land(tiny, "readings.csv", GOOD)
        assert found.pull().failures == {}
        yield found


def test_text_is_read_as_the_types_that_are_asked_for(readings):
    assert readings.pull().columns == {
        "reading_id": "bigint",
        "sensor": "varchar",
        "degrees": "decimal(6,2)",
        "measured_at": "timestamp",
        "operator": "varchar",
    }
    (check,) = [check for check in readings.port.checks if check.name == "contract"]
    assert check.title == "Input deliveries keeps its contract"


BROKEN = {
    "a value of another type": (f"{HEAD}\n1,north,warm,2024-06-01 06:00:00,Ada\n", 'line 2, column degrees: "warm"'),
    "a column is missing": (
        "reading_id,degrees\n1,2\n",
        "no file has measured_at, whose type is promised; the columns are reading_id, degrees",
    ),
    "a column is renamed": (GOOD.replace("reading_id", "id"), "no file has Reading_ID, whose type is promised"),
    "a value is missing": (
        f"{HEAD}\n1,north,1,2024-06-01 06:00:00,Ada\n,north,1,,Ada\n",
        "landing/readings.csv, line 3, column reading_id: it is empty, and nullable is not written",
    ),
}


@pytest.mark.parametrize(("text", "said"), BROKEN.values(), ids=BROKEN)
def test_a_delivery_that_breaks_the_contract_is_not_loaded(readings, text, said):
    land(readings.root, "readings.csv", text)
    pulled = readings.pull()
    assert (list(pulled.failures), said in pulled.failures["contract"], pulled.rows) == (["contract"], True, 2), pulled.failures
    assert len(readings.rows()) == 2
    readings.changes = {"serve_last_good": False}
    with pytest.raises(PullFailed) as failed:
        readings.pull()
    assert (failed.value.check, said in str(failed.value)) == ("contract", True)
    readings.changes = {}
    land(readings.root, "readings.csv", GOOD + "3,south,1,2024-06-01 07:00:00,Ben\n")
    assert (readings.pull().failures, len(readings.rows())) == ({}, 3)


def test_a_column_more_is_no_breach(readings):
    land(readings.root, "readings.csv", GOOD.replace("operator", "operator,more").replace("Ada", "Ada,1").replace("Ben", "Ben,2"))
    assert (readings.pull().failures, "more" in readings.database.columns(Relation("inputs", "deliveries"))) == ({}, True)


def test_parquet_files_have_to_have_the_types(readings):
    edited(readings.root, SPEC, "path: landing/readings.csv", "path: landing/readings.parquet")
    file = str(readings.root / LANDING / "readings.parquet")
    rows = "select {}::{} as reading_id, null::decimal(6,2) as degrees, timestamp '2024-06-01' as measured_at"
    duckdb.sql(rows.format(1, "integer")).write_parquet(file)
    assert readings.pull().failures["contract"].startswith("the source breaks its contract: Reading_ID is integer, bigint was promised")
    duckdb.sql(rows.format(1, "bigint")).write_parquet(file)
    assert readings.pull().failures == {}


def test_an_extractor_has_to_deliver_what_is_asked_for(readings):
    edited(
        readings.root, SPEC, "interface: file\n        path: landing/readings.csv", 'interface: python\n        extractor: "extract:found"'
    )
    code = "def found(e):\n    return e.connection.sql(\"select {} as reading_id, 1::decimal(6,2) as degrees, timestamp '2024-06-01' as measured_at\")\n"
    extract = readings.root / "dataproducts/plant/readings/extract.py"
    extract.write_text(code.format("null::bigint"))
    assert "Reading_ID is empty in 1 row" in readings.pull().failures["contract"]
    assert len(readings.rows()) == 2
    extract.write_text(code.format("7::bigint"))
    assert (readings.pull().failures, readings.rows("select reading_id from {}")) == ({}, [(7,)])


def test_a_contract_that_was_made_stricter_is_checked_on_what_is_there(readings):
    edited(readings.root, SPEC, '"decimal(6,2)", nullable: true}\n          - {name: m', '"decimal(6,2)"}\n          - {name: m')
    assert "degrees is empty in 1 row" in readings.pull().failures["contract"]


REFUSED = {
    "interface: external\n        columns: [{name: a, type: bigint}]": "the platform does not load this input, so nothing can be checked",
    "interface: file\n        path: a.csv\n        options: {types: {a: date}}\n        columns: [{name: a, type: bigint}]": "types are promised twice",
    "interface: file\n        path: a.csv\n        columns: [{name: a, type: bigint}, {name: A, type: date}]": "a column is given twice",
    "interface: file\n        path: a.csv\n        columns: [{name: a, type: int}]": 'unknown column type "int"',
    "interface: data-product\n        associated_output_port: readings.measurements_sql\n        columns: [{name: a, type: date}]": (
        "the product that it reads promises its columns"
    ),
}


@pytest.mark.parametrize(("port", "said"), REFUSED.items(), ids=REFUSED.values())
def test_a_contract_that_nobody_can_keep_is_a_problem(tiny, port, said):
    head = "    - name: more\n      type: input-port\n      properties:\n        "
    document = tiny / product_file("office", "summary")
    document.write_text(f"{document.read_text()}{head}{port}\n")
    assert said in problems_text(read_plan(tiny)[1])
