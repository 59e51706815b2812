"""Rows in quarantine: what the input's check says of them, what the command shows, and how they come in once they are mended."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from platform_resources.cli.app import app
from platform_resources.refresh.data_age import input_records
from platform_resources.refresh.gate import Gate, gate, set_gate
from platform_resources.refresh.sources.pull_records import PullFailed
from platform_resources.refresh.sources.quarantine import QuarantinedRow, write_rows
from platform_resources.refresh.sources.quarantine import _read as read_rows
from platform_resources.warehouses.duckdb.product_database import opened
from tests.meshes import edited, product_file
from tests.refresh.test_pulling import HEAD, NOW, Pulling, land

SPEC = product_file("plant", "readings")
COLUMNS = """load: append
        bad_rows: quarantine
        columns:
          - {name: reading_id, type: bigint}
          - {name: degrees, type: "decimal(6,2)", nullable: true, null_values: ["-"]}
          - {name: operator, type: varchar}"""
TEXT = f"{HEAD}\n1,north,-,2024-06-01 06:00:00,Ada\n2,south,warm,2024-06-01 06:00:00,Ben\n3,south,1.5,2024-06-01 06:00:00,\n"
TOLD = (
    '2 of 3 rows are in quarantine, such as landing/readings.csv, row 2: degrees: "warm" is no decimal(6,2), or not all of it would be kept'
)


@pytest.fixture
def readings(tiny):
    """One of three delivered rows is good."""
    edited(tiny, SPEC, "path: landing/readings.csv", f"path: landing/readings.csv\n        {COLUMNS}")
    land(tiny, "readings.csv", TEXT)
    return tiny


def pulled(root, now=NOW, **changes):
    with opened(root / "warehouse/plant/readings.duckdb") as database:
        pulling = Pulling(root, "readings", database)
        pulling.changes = changes
        found = pulling.pull(now)
        return found, pulling.rows("select reading_id, degrees::varchar from {} order by 1")


def mesh(root, *arguments):
    return CliRunner().invoke(app, ["--root", str(root), *map(str, arguments)], env={"COLUMNS": "400"})


def test_rows_in_quarantine_are_counted_and_told_and_the_others_are_loaded(readings):
    found, rows = pulled(readings, serve_last_good=False)
    assert rows == [(1, None)]
    assert found.failures == {"contract": f"{TOLD}; mesh quarantine readings deliveries shows them"}
    assert (found.record["quarantined"], found.rows, found.degraded) == (2, 1, ""), "rows that are set aside keep no others back"
    again, rows = pulled(readings)
    assert (again.changed, list(again.failures), rows) == (False, ["contract"], [(1, None)]), "they are told as long as they are there"


def test_a_pull_that_fails_serves_what_is_there_and_goes_on_telling_of_the_quarantine(readings):
    pulled(readings)
    (readings / "dataproducts/plant/readings/landing/readings.csv").unlink()
    found, _ = pulled(readings)
    assert list(found.failures) == ["contract", "arrived"]
    assert (found.degraded, "no file matches" in found.failures["arrived"]) == (found.failures["arrived"], True)
    with pytest.raises(PullFailed, match="no file matches"):
        pulled(readings, serve_last_good=False)


def test_the_command_shows_each_row_with_its_place_and_reason_but_not_what_may_not_be_seen(readings):
    pulled(readings)
    told = mesh(readings, "quarantine", "readings")
    assert told.stdout.splitlines() == [
        "deliveries: 2 rows in quarantine",
        '  landing/readings.csv, row 2: degrees: "warm" is no decimal(6,2), or not all of it would be kept',
        "  landing/readings.csv, row 3: operator is empty, and nullable is not written",
    ]
    (second, _) = json.loads(mesh(readings, "quarantine", "readings", "--json").stdout)
    assert (second["row"], second["delivered"]["sensor"]) == (2, "south")
    assert second["delivered"]["operator"] == "a value that is not shown here", "the data set classifies it as personal"


def test_the_value_of_a_hidden_column_is_in_no_reason(readings):
    edited(readings, SPEC, "nullable: true, null_values", "hidden: yes, nullable: true, null_values")
    found, _ = pulled(readings)
    assert "warm" not in found.failures["contract"]
    assert "degrees: a value that is not shown here is no decimal" in found.failures["contract"]
    assert "warm" not in mesh(readings, "quarantine", "readings").stdout


def test_mended_rows_come_in_and_leave_the_quarantine(readings, tmp_path):
    pulled(readings)
    with opened(readings / "warehouse/plant/readings.duckdb") as database:
        set_gate(database, Gate(True, ""))
    file = tmp_path / "mend.csv"
    assert mesh(readings, "quarantine", "readings", "--export", file).exit_code == 0
    assert (oct(file.stat().st_mode)[-3:], "Ben" in file.read_text()) == ("600", True), "whole rows, for their owner alone"
    refused = mesh(readings, "quarantine", "readings", "--reload", file)
    assert 'mend.csv, line 2, column degrees: "warm" is no decimal(6,2)' in refused.output + str(refused.exception), refused.output
    rows = list(csv.DictReader(file.open()))
    rows[0]["degrees"] = "20.5"
    write(file, [rows[0], rows[0]])
    twice = mesh(readings, "quarantine", "readings", "--reload", file)
    assert "mend.csv: landing/readings.csv, row 2 is there twice, by its mesh_source and mesh_row" in twice.output + str(twice.exception)
    write(file, rows[:1])
    assert (
        "1 rows were loaded into deliveries, 1 are in quarantine still" in mesh(readings, "quarantine", "readings", "--reload", file).output
    )
    found, loaded = pulled(readings)
    assert loaded == [(1, None), (2, "20.50")]
    assert (found.record["quarantined"], found.record["rows"], found.record["pulled_at"]) == (1, 2, NOW.isoformat())
    with opened(readings / "warehouse/plant/readings.duckdb") as database:
        assert not gate(database).open, "the models have to be built again"
    again = mesh(readings, "quarantine", "readings", "--reload", file)
    assert "landing/readings.csv, row 2 is not in quarantine" in again.output, "no row is loaded twice"


def test_mended_rows_keep_what_the_path_of_their_file_has_told(readings, tmp_path):
    edited(readings, SPEC, "path: landing/readings.csv", 'path: "landing/*/readings.csv"\n        options: {hive_partitioning: true}')
    (readings / "dataproducts/plant/readings/landing/day=2024-06-01").mkdir()
    land(readings, "day=2024-06-01/readings.csv", TEXT)
    pulled(readings)
    file = tmp_path / "mend.csv"
    mesh(readings, "quarantine", "readings", "--export", file)
    write(file, [{**row, "degrees": "20.5"} for row in csv.DictReader(file.open())][:1])
    mesh(readings, "quarantine", "readings", "--reload", file)
    with opened(readings / "warehouse/plant/readings.duckdb") as database:
        rows = Pulling(readings, "readings", database).rows("select reading_id, day from {} order by 1")
    assert rows == [(1, "2024-06-01"), (2, "2024-06-01")]


def test_an_empty_text_comes_back_as_one_and_no_value_as_none(readings, tmp_path):
    with opened(readings / "warehouse/plant/readings.duckdb") as database:
        rows = [QuarantinedRow("a.csv", n, (), {"id": str(n), "name": name, "note": None}) for n, name in enumerate(("", None, ' "x",\ny'))]
        write_rows(rows, tmp_path / "mend.csv")
        found, ids = read_rows(database, tmp_path / "mend.csv")
    assert found == [dict(row.delivered) for row in rows]
    assert ids == [("a.csv", 0), ("a.csv", 1), ("a.csv", 2)]


def write(file: Path, rows):
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_versions_cite_how_many_rows_were_in_quarantine(readings):
    pulled(readings)
    with opened(readings / "warehouse/plant/readings.duckdb") as database:
        assert input_records(database, Pulling(readings, "readings", database).product)["deliveries"]["quarantined"] == 2


def test_bad_rows_of_an_extractor_go_to_quarantine_too(readings):
    edited(
        readings,
        SPEC,
        "interface: file\n        path: landing/readings.csv\n        load: append",
        'interface: python\n        extractor: "extract:found"',
    )
    code = """def found(e):
    rows = "select {i} as reading_id, 1::decimal(6,2) as degrees, {o} as operator"
    texts = [rows.format(i=i, o=o) for i, o in (("1::bigint", "'Ada'"), ("null", "'Ben'"), ("3", "null"))]
    import duckdb
    return duckdb.connect().sql(" union all ".join(texts)).to_arrow_reader(1)
"""
    (readings / "dataproducts/plant/readings/extract.py").write_text(code)
    found, rows = pulled(readings)
    assert rows == [(1, "1.00")]
    assert "2 of 3 rows are in quarantine, such as extractor extract:found, row 2: reading_id is empty" in found.failures["contract"]


def test_quarantine_without_a_contract_is_a_problem(tiny):
    edited(tiny, SPEC, "path: landing/readings.csv", "path: landing/readings.csv\n        bad_rows: quarantine")
    told = mesh(tiny, "validate")
    assert "bad_rows: quarantine needs columns, which say what a good row is" in told.output
