"""What is read of dbt's artefacts, and why some are not taken."""

from datetime import UTC, datetime

import pytest

from platform_resources.dbt.imported.artefacts import ArtefactFile, Artefacts, artefacts
from platform_resources.spec.problems import problems_text
from tests.foreign_dbt import INVOCATION, data, manifest, node, result, run_results

TAKE_MANIFEST = "give --manifest the manifest.json that dbt wrote into its folder target/"
TAKE_RESULTS = "give --run-results the run_results.json that dbt wrote into its folder target/"
OTHER = "11111111-2222-3333-4444-555555555555"


def read(known, ran):
    texts = [each if isinstance(each, bytes) else data(each) for each in (known, ran)]
    return artefacts(ArtefactFile("manifest.json", texts[0]), ArtefactFile("run_results.json", texts[1]))


def told(known, ran):
    found = read(known, ran)
    assert isinstance(found, tuple)
    return problems_text(found)


def single(status="pass", **more):
    found = read(manifest(node("complete", compiled_code=" select 1 ")), run_results(result("complete", status, **more)))
    assert isinstance(found, Artefacts), found
    (one,) = found.results
    return one


@pytest.mark.parametrize(
    ("status", "verdict", "severity", "more", "reason"),
    [
        ("pass", "met", "error", {}, "no row fails"),
        ("fail", "missed", "error", {"message": "Got 2 results, configured to fail if != 0"}, "Got 2 results, configured to fail if != 0"),
        ("fail", "missed", "error", {"failures": 2}, "2 rows fail"),
        ("warn", "missed", "warning", {"failures": 1}, "1 row fails"),
        ("fail", "missed", "error", {}, "it fails, and dbt does not say how many rows"),
        ("error", "unknown", "error", {"message": "Runtime Error in test complete (x.sql)\n  no such column"}, "no such column"),
        ("error", "unknown", "error", {}, "dbt could not run this test: error"),
        ("skipped", "unknown", "error", {}, "dbt skipped this test"),
        ("a word of later", "unknown", "error", {}, "dbt could not run this test: a word of later"),
    ],
)
def test_a_status_becomes_a_verdict_and_what_could_not_run_is_unknown(status, verdict, severity, more, reason):
    found = single(status, **more)
    assert (found.verdict, found.severity, found.reason, found.failing_rows) == (verdict, severity, reason, more.get("failures"))


@pytest.mark.parametrize("attached", [{}, {"attached_node": "model.lake.orders"}])
def test_a_test_of_elementary_is_of_the_model_that_it_watches(attached):
    """It depends on the package's own models too, which come first."""
    kept = ["model.elementary.monitors_runs", "model.elementary.data_monitoring_metrics", "model.lake.orders"]
    test = node("elementary_volume_anomalies_orders_", depends_on={"nodes": kept}, test_metadata={"namespace": "elementary"}, **attached)
    known = manifest(node("orders", "model"), test)
    message = "The last row_count value is 5. The average for this metric is 40."
    found = read(known, run_results(result(test["name"], "fail", message=message, failures=1)))
    (one,) = found.results
    assert (one.test.model, one.verdict, one.reason) == ("orders", "missed", message)


def test_a_result_is_of_the_time_at_which_its_test_was_done():
    assert single().at == datetime(2024, 6, 1, 5, 0, 1, 2, UTC)
    assert single(at="2024-06-01T07:00:00+02:00").at == datetime(2024, 6, 1, 5, tzinfo=UTC)
    assert single(at="2024-06-01T05:00:00").at == datetime(2024, 6, 1, 5, tzinfo=UTC)


def test_a_test_that_never_began_is_of_the_time_of_its_file():
    assert single("skipped", at="").at == datetime(2024, 6, 1, 5, 0, 9, tzinfo=UTC)


def test_the_sql_is_that_of_the_result_or_of_the_manifest():
    assert single(compiled_code="select 2").sql == "select 2"
    assert single().sql == "select 1"


def test_results_of_models_are_left_out():
    found = read(manifest(node("orders", "model")), run_results(result("orders", "success", kind="model")))
    assert (found.tests, found.results) == ((), ())


def test_text_that_no_database_takes_is_mended():
    found = single("fail", message="a\0b\ud800c")
    assert found.reason == "a\ufffdb?c"


@pytest.mark.parametrize(("known", "ran"), [(10, 4), (11, 5), (12, 6)])
def test_schemas_of_several_dbt_versions_are_read(known, ran):
    assert isinstance(read(manifest(version=known), run_results(version=ran)), Artefacts)


MANIFEST_DBT = "v10 to v12 are read (dbt 1.6 to 1.11)"
RESULTS_DBT = "v4 to v6 are read (dbt 1.6 to 1.11)"


@pytest.mark.parametrize(
    ("known", "ran", "message"),
    [
        pytest.param(
            manifest(version=9),
            run_results(version=7),
            f"manifest.json:1  metadata.dbt_schema_version\n  this manifest has the schema v9; {MANIFEST_DBT}\n"
            "  run the tests with a newer dbt\n"
            f"run_results.json:1  metadata.dbt_schema_version\n  this run-results has the schema v7; {RESULTS_DBT}\n"
            "  run the tests with dbt 1.6 to 1.11, or update the platform",
            id="too old and too new",
        ),
        pytest.param(
            run_results(),
            manifest(),
            "manifest.json:1  metadata.dbt_schema_version\n"
            "  this is dbt's run-results, --manifest takes its manifest; --run-results takes this one\n"
            f"  {TAKE_MANIFEST}\n"
            "run_results.json:1  metadata.dbt_schema_version\n"
            "  this is dbt's manifest, --run-results takes its run-results; --manifest takes this one\n"
            f"  {TAKE_RESULTS}",
            id="the wrong way round",
        ),
        pytest.param(
            manifest(kind="catalog", version=1),
            run_results(),
            f"manifest.json:1  metadata.dbt_schema_version\n  this is dbt's catalog, --manifest takes its manifest\n  {TAKE_MANIFEST}",
            id="another artefact",
        ),
        pytest.param(
            b'{"metadata":\n',
            b"\xff\xfe\x00",
            f"manifest.json:2\n  the file is not JSON: Expecting value\n  {TAKE_MANIFEST}\n"
            f"run_results.json:1\n  the file is not JSON that dbt writes: UnicodeDecodeError\n  {TAKE_RESULTS}",
            id="no JSON",
        ),
        pytest.param(
            b"[" * 100_000,
            b"[]",
            f"manifest.json:1\n  the file is not JSON that dbt writes: RecursionError\n  {TAKE_MANIFEST}\n"
            f"run_results.json:1  metadata.dbt_schema_version\n  is missing: this is no artefact of dbt\n  {TAKE_RESULTS}",
            id="deep, and a list",
        ),
        pytest.param(
            manifest({"resource_type": "test", "name": "complete"}),
            run_results({"unique_id": "test.lake.complete", "status": "pass", "timing": [], "failures": "many"}, invocation=None),
            f"manifest.json:1  nodes.test.lake.complete.fqn\n  is missing\n  {TAKE_MANIFEST}\n"
            f"manifest.json:1  nodes.test.lake.complete.original_file_path\n  is missing\n  {TAKE_MANIFEST}\n"
            f"run_results.json:1  metadata.invocation_id\n  Input should be a valid string\n  {TAKE_RESULTS}\n"
            "run_results.json:1  results.0.failures\n"
            f"  Input should be a valid integer, unable to parse string as an integer\n  {TAKE_RESULTS}",
            id="keys missing",
        ),
        pytest.param(
            manifest(invocation=OTHER),
            run_results(),
            "run_results.json:1  metadata.invocation_id\n"
            f"  is {INVOCATION}, but manifest.json is of the invocation {OTHER}: the results would be laid to other tests\n"
            "  take both files right after one dbt test or dbt build; dbt ls, compile, run and docs generate write target/manifest.json anew",
            id="two invocations",
        ),
        pytest.param(
            manifest(),
            run_results(result("complete")),
            f'run_results.json:1  results[0].unique_id\n  "test.lake.complete" is not in the manifest\n  {TAKE_MANIFEST}',
            id="a result without its test",
        ),
    ],
)
def test_what_cannot_be_read_says_where_why_and_what_to_do(known, ran, message):
    assert told(known, ran) == message


def test_of_many_problems_of_one_kind_the_first_are_shown():
    nodes = [{"resource_type": "model", "name": f"m{number}", "original_file_path": "x"} for number in range(30)]
    assert "and 10 more like these" in told(manifest(*nodes), run_results())
