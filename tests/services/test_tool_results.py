"""Results of other tools: real documents of Soda and Great Expectations, and the form for every other tool."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from platform_resources.dbt.imported.artefacts import ArtefactFile
from platform_resources.services.checks.tool_results import tool_results
from platform_resources.spec.problems import problems_text
from tests.meshes import REPOSITORY

FOLDER = Path(__file__).with_name("results_of_tools")
AT = datetime(2024, 6, 1, 5, tzinfo=UTC)


def read(name, tool, **more):
    return tool_results(ArtefactFile(name, (FOLDER / name).read_bytes()), tool, **more)


def ours(results, **document):
    data = {"tool": "pandera", "project": "orders", "at": "2024-06-01T05:00:00Z", "results": results, **document}
    return tool_results(ArtefactFile("results.json", json.dumps(data).encode()), "json")


def said(found):
    return [(each.test.name, each.test.model, each.test.declared, each.verdict, each.severity, each.reason) for each in found.results]


def test_a_scan_of_soda():
    found = read("soda.json", "soda")
    assert said(found) == [
        ("row_count > 0", "measurements", None, "met", "error", "measured 3"),
        ("Every reading once", "measurements", "readings", "missed", "error", "measured 1"),
        ("missing_percent(degrees) warn when > 10 fail when > 50", "measurements", None, "missed", "warning", "measured 33.33"),
        ("invalid_count(sensor) = 0", "measurements", None, "met", "error", "measured 0"),
    ]
    assert [each.failing_rows for each in found.results] == [None, 1, 1, None]
    assert (found.project, len(found.tests)) == ("soda/plant checks", 4)


def test_a_suite_of_great_expectations_without_the_values_that_it_quotes():
    found = read("great_expectations.json", "great-expectations", product="summary")
    assert said(found) == [
        (
            *("expect_column_values_to_not_be_null_nowhere", "measurements", "summary", "unknown", "error"),
            'Error: The column "nowhere" in BatchData does not exist.',
        ),
        (
            *("expect_column_values_to_be_unique_reading_id", "measurements", "readings", "missed", "error"),
            "2 of 3 values are not as expected",
        ),
        (
            *("expect_column_values_to_not_be_null_degrees", "measurements", "summary", "missed", "warning"),
            "1 of 3 values are not as expected",
        ),
        ("expect_table_row_count_to_be_between", "measurements", "summary", "met", "error", "observed 3"),
    ]
    again = read("great_expectations.json", "great-expectations")
    assert [each.test.unique_id for each in again.results] == [each.test.unique_id for each in found.results], (
        "whatever ids a run gives them"
    )


def test_a_result_of_any_tool():
    found = ours([{"check": "sums agree", "verdict": "missed", "product": "readings", "data_set": "measurements", "failing_rows": 2}])
    assert said(found) == [("sums agree", "measurements", "readings", "missed", "error", "not as promised")]
    assert found.results[0].at == AT
    assert found.project == "", "what a part of the checks says takes none of the others away"
    assert ours([], complete=True).project == "pandera/orders"


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ([{"check": "a", "verdict": "passed"}], "results.json:1  results.0.verdict\n  Input should be 'met', 'missed' or 'unknown'\n"),
        ([{"check": "a"}], "results.json:1  results.0.verdict\n  is missing\n"),
        (
            [{"check": "a", "verdict": "met", "at": "2024-06-01T05:00:00"}],
            "results.json:1  results.0.at\n  Input should have timezone info\n",
        ),
        ([{"check": "a", "verdict": "met", "failing_rows": -1}], "results.json:1  results.0.failing_rows\n  Input should be greater than"),
        ([{"check": "a", "verdict": "met", "colour": "red"}], "results.json:1  results.0.colour\n  Extra inputs are not permitted\n"),
        ([{"check": "a", "verdict": "met"}, {"check": "a", "verdict": "missed"}], 'results.json:1  results[1]\n  "a" is said twice\n'),
    ],
)
def test_what_is_wrong_with_a_document_is_told_with_its_place(results, told):
    assert problems_text(ours(results)).startswith(told)


@pytest.mark.parametrize(
    ("meta", "told"),
    [
        ({}, "results.json:1  meta\n  Value error, says neither validation_time nor run_id.run_time"),
        ({"validation_time": "yesterday"}, "results.json:1  meta.validation_time\n  Input should be a valid datetime"),
        ({"run_id": "nightly"}, "results.json:1  meta.run_id\n"),
    ],
)
def test_a_suite_that_does_not_say_when_it_ran_is_refused(meta, told):
    text = json.dumps({"suite_name": "orders", "results": [], "meta": meta})
    assert problems_text(tool_results(ArtefactFile("results.json", text.encode()), "great-expectations")).startswith(told)


def test_a_suite_of_great_expectations_before_version_1():
    """Its names of the suite, of the expectation and of the time are others."""
    told = {"raised_exception": False, "exception_message": None, "exception_traceback": None}
    config = {"expectation_type": "expect_column_values_to_be_between", "kwargs": {"column": "degrees", "batch_id": "a1"}, "meta": {}}
    result = {"element_count": 3, "unexpected_count": 1, "partial_unexpected_list": [99.5]}
    meta = {
        "active_batch_definition": {"data_asset_name": "measurements", "batch_identifiers": {}},
        "expectation_suite_name": "plant.readings",
        "great_expectations_version": "0.18.21",
        "run_id": {"run_name": "nightly", "run_time": "2024-06-01T07:00:00+02:00"},
        "validation_time": "20240601T050000.000000Z",
    }
    checked = {"success": False, "expectation_config": config, "result": result, "exception_info": told, "meta": {}}
    text = json.dumps({"success": False, "results": [checked], "meta": meta, "evaluation_parameters": {}, "statistics": {}})
    found = tool_results(ArtefactFile("suite.json", text.encode()), "great-expectations", "readings")
    name = "expect_column_values_to_be_between_degrees"
    assert said(found) == [(name, "measurements", "readings", "missed", "error", "1 of 3 values are not as expected")]
    assert (found.project, found.results[0].at) == ("great-expectations/plant.readings", AT)


def test_a_scan_whose_diagnostics_have_no_blocks_is_read():
    check = {"identity": "a", "name": "a", "outcome": None, "diagnostics": {"blocks": None, "value": None}}
    text = json.dumps({"definitionName": "plant", "scanEndTimestamp": "2024-06-01T05:00:00", "checks": [check]})
    (result,) = tool_results(ArtefactFile("soda.json", text.encode()), "soda").results
    assert (result.verdict, result.reason, result.failing_rows) == ("unknown", "it could not be evaluated", None)


@pytest.mark.parametrize("tool", ["json", "soda", "great-expectations"])
@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff\xfe", b'{"results": 3}'])
def test_what_is_no_such_document_is_refused(tool, text):
    found = tool_results(ArtefactFile("some.json", text), tool)
    assert isinstance(found, tuple) and found[0].file == "some.json"


def test_the_example_in_the_docs_is_read():
    text = (REPOSITORY / "docs/operations.md").read_text()
    example = text.partition("### Results of other tools")[2].partition("```json\n")[2].partition("```")[0]
    found = tool_results(ArtefactFile("docs", example.encode()), "json")
    assert [each.verdict for each in found.results] == ["met", "missed"]
