"""`mesh import-dbt-results`: real artefacts of a real dbt project outside of the mesh, in the event log and in the ledger."""

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from platform_resources.cli.terminal.console import CANNOT_RUN, FINE, MISSED
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.queries import history
from platform_resources.orchestration.events.ledger_events import synced_ledger
from platform_resources.promises.grades import PublishedState, grade
from platform_resources.services.product_status import looked_at
from tests.foreign_dbt import WRITTEN, data, dbt, manifest, node, result, run_results, write_project
from tests.refresh.running import mesh, mesh_json, running, started

pytestmark = pytest.mark.slow
UNIQUE = "unique_measurements_reading_id"
PUBLISHED = PublishedState("v1", "1.1.0", datetime(2024, 6, 1, tzinfo=UTC), {}, {})


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """The artefacts of one `dbt build` elsewhere."""
    return dbt(write_project(tmp_path_factory.mktemp("lake")), "build")


def options(target):
    return "--manifest", str(target / "manifest.json"), "--run-results", str(target / "run_results.json")


def imported(root, target, *more):
    return mesh(root, "import-dbt-results", *options(target), *more)


def by_hand(folder, *results, nodes=(), written=WRITTEN):
    """A target folder with these results; all are of the model `measurements`."""
    folder.mkdir(exist_ok=True)
    tests = [on_measurements(each["unique_id"].split(".", 2)[2]) for each in results]
    (folder / "manifest.json").write_bytes(data(manifest(node("measurements", "model"), *tests, *nodes)))
    (folder / "run_results.json").write_bytes(data(run_results(*results, written=written)))
    return folder


def on_measurements(name):
    return node(name, depends_on={"nodes": ["model.lake.measurements"]})


def evaluations(root):
    """Every evaluation in the event log but those of indicators, by asset key and check, oldest first."""
    with running(root) as found:
        storage = found.instance.event_log_storage
        entries = storage.get_logs_for_all_runs_by_log_id(after_cursor=0, dagster_event_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    told = [entry.get_dagster_event().asset_check_evaluation_data for entry in entries.values()]
    return [
        (tuple(each.asset_key.path), each.check_name, each) for each in told if each.metadata["kind"].value not in ("indicator", "health")
    ]


def states(root):
    """What the ledger says of every check but indicators that ever said something, by asset key and check."""
    now = datetime.now(UTC)
    with running(root) as found, synced_ledger(root, found.instance, now) as ledger, ledger.reading() as connection:
        known = [state for state in history.check_states(connection, now) if state.reading and state.check.kind != "indicator"]
        return {(state.check.asset_key, state.check.name): state for state in known}


def test_results_of_elsewhere_become_checks_of_the_products_that_they_belong_to(tiny, lake):
    """One long test: each process costs seconds."""
    done = imported(tiny, lake, "--json")
    assert done.returncode == CANNOT_RUN, done.stderr
    found = json.loads(done.stdout)
    stray = "its model stray is in no product, and no folder of it is <domain>/<product>; say meta: {product: …} in the config of the test or of its model"
    assert [each["reason"] for each in found["refused"]] == [stray]
    assert (found["new"], found["known"], found["older"]) == (8, 0, 0)
    what_became_of_each(found)
    evaluations_as_dagster_has_them(tiny, found["invocation_id"])
    readings_as_the_ledger_has_them(tiny)
    again_nothing_is_new(tiny, lake)


def what_became_of_each(found):
    assert {(each["asset"], re.sub("_[0-9a-f]{8}$", "", each["check"]), each["verdict"], each["severity"]) for each in found["tests"]} == {
        ("readings/measurements", UNIQUE, "missed", "error"),
        ("readings/measurements", "not_null_measurements_reading_id", "met", "error"),
        ("readings/measurements", "accepted_values_measurements_sensor__north", "missed", "warning"),
        ("readings/measurements", "h_ss_b_lich_1", "missed", "error"),
        ("readings/measurements", "erring", "unknown", "error"),
        ("readings/measurements", "all_are_there", "met", "error"),
        ("summary/sensors", "not_null_sensors_sensor", "met", "error"),
        ("summary/scorecard", "not_null_broken_x", "unknown", "error"),
    }
    assert [each["check"] for each in found["tests"] if each["planned"]] == [UNIQUE]
    reasons = {each["check"]: each["reason"] for each in found["tests"]}
    assert reasons["erring"].startswith('Binder Error: Referenced column "no_such_column" not found')
    assert reasons["not_null_broken_x"] == "dbt skipped this test"


def evaluations_as_dagster_has_them(root, invocation):
    told = {check: each for _, check, each in evaluations(root)}
    assert len(told) == 8
    plain = {name: value.value for name, value in told[UNIQUE].metadata.items()}
    assert (told[UNIQUE].passed, told[UNIQUE].severity, told[UNIQUE].blocking) == (False, dg.AssetCheckSeverity.ERROR, True)
    assert (plain["verdict"], plain["kind"], plain["failing_rows"], plain["invocation_id"]) == ("missed", "dbt_test", 1, invocation)
    assert "having count(*) > 1" in plain["sql"]
    warned = told["accepted_values_measurements_sensor__north"]
    assert (warned.passed, warned.severity, warned.metadata["kind"].value) == (False, dg.AssetCheckSeverity.WARN, "imported")
    assert told["erring"].metadata["verdict"].value == "unknown" and not told["erring"].passed


def readings_as_the_ledger_has_them(root):
    found = states(root)
    planned, own = found["readings/measurements", UNIQUE], found["summary/scorecard", "not_null_broken_x"]
    assert (planned.check.kind, planned.reading.verdict, planned.reading.failing_rows) == ("dbt_test", "missed", 1)
    assert (own.check.kind, own.check.product, own.reading.verdict) == ("imported", "summary", "unknown")
    warned = found["readings/measurements", "accepted_values_measurements_sensor__north"].reading
    assert (warned.severity, planned.reading.severity, own.reading.severity) == ("warning", "error", "error")
    (at,) = {each.metadata["measured_at"].value for _, check, each in evaluations(root) if check == UNIQUE}
    assert planned.reading.at == datetime.fromisoformat(at)


def again_nothing_is_new(root, lake):
    before = len(evaluations(root)), states(root)
    done = imported(root, lake)
    assert done.returncode == CANNOT_RUN
    assert "0 of 9 results are new, 8 imported before, of the run" in done.stdout
    assert "1 not imported:\n  test.lake.not_null_stray_x." in done.stderr
    assert (len(evaluations(root)), states(root)) == before


def test_two_imports_at_once_are_one(tiny, lake):
    mesh(tiny, "status")
    both = [started(tiny, "import-dbt-results", *options(lake), "--json") for _ in range(2)]
    told = [process.communicate(timeout=600) for process in both]
    assert [process.returncode for process in both] == [CANNOT_RUN, CANNOT_RUN], told
    assert sorted(json.loads(each)["new"] for each, _ in told) == [0, 8]
    assert len(evaluations(tiny)) == 8


def test_a_manifest_that_dbt_wrote_anew_is_refused_with_both_invocations(tiny, lake, tmp_path):
    """`dbt ls` overwrites the manifest and leaves the results."""
    project = write_project(tmp_path / "lake")
    built = json.loads((dbt(project, "test", "--select", "sensors") / "run_results.json").read_text())["metadata"]["invocation_id"]
    listed = json.loads((dbt(project, "ls") / "manifest.json").read_text())["metadata"]["invocation_id"]
    done = imported(tiny, project / "target")
    assert (done.returncode, done.stdout) == (CANNOT_RUN, "")
    assert f"is {built}, but {project}/target/manifest.json is of the invocation {listed}" in done.stderr
    assert not (tiny / ".dagster").exists()


@pytest.mark.parametrize(
    ("statuses", "code"), [(("pass", "pass"), FINE), (("pass", "warn"), MISSED), (("error", "pass"), MISSED), (("skipped",), MISSED)]
)
def test_the_exit_code_says_whether_every_test_is_met(tiny, tmp_path, statuses, code):
    target = by_hand(tmp_path / "target", *(result(f"test_{number}", status) for number, status in enumerate(statuses)))
    assert imported(tiny, target).returncode == code


def test_the_exit_code_is_the_same_when_nothing_is_new(tiny, tmp_path):
    target = by_hand(tmp_path / "target", result("one"), result("two", "fail"))
    assert [imported(tiny, target).returncode for _ in range(2)] == [MISSED, MISSED]


def test_results_of_no_test_are_said(tiny, tmp_path):
    target = by_hand(tmp_path / "target")
    done = imported(tiny, target)
    told = f"{target}/run_results.json has no result of a test, so nothing is imported; import after dbt test or dbt build\n"
    assert (done.returncode, done.stderr) == (CANNOT_RUN, told)


def test_a_file_that_is_not_there_is_told_without_a_traceback(tiny, tmp_path):
    done = imported(tiny, tmp_path)
    told = f"{tmp_path}/manifest.json: No such file or directory; --manifest takes a file that dbt wrote into its folder target/\n"
    assert (done.returncode, done.stderr) == (CANNOT_RUN, told)


def test_what_is_older_than_the_last_word_of_a_check_does_not_take_its_place(tiny, tmp_path):
    late = by_hand(tmp_path / "late", result(UNIQUE, "pass", "2024-06-01T05:00:00Z"))
    early = by_hand(tmp_path / "early", result(UNIQUE, "fail", "2024-06-01T04:00:00Z"))
    assert imported(tiny, late).returncode == FINE
    done = imported(tiny, early)
    assert (done.returncode, "0 of 1 results are new, 1 older than what is known" in done.stdout) == (MISSED, True)
    assert states(tiny)["readings/measurements", UNIQUE].reading.verdict == "met"
    newer = by_hand(tmp_path / "newer", result(UNIQUE, "fail", "2024-06-01T06:00:00Z"))
    assert imported(tiny, newer).returncode == MISSED
    assert states(tiny)["readings/measurements", UNIQUE].reading.verdict == "missed"


def test_a_result_that_is_yet_to_come_is_refused(tiny, tmp_path):
    at = datetime.now(UTC) + timedelta(days=1)
    done = imported(tiny, by_hand(tmp_path / "target", result(UNIQUE, "pass", at.isoformat())))
    told = f"it was done at {at:%Y-%m-%d %H:%M} UTC, which is yet to come; set the clock right where it ran, or here"
    assert (done.returncode, told in done.stderr) == (CANNOT_RUN, True)
    assert evaluations(tiny) == []


def test_hostile_names_and_messages_are_shown_as_they_are(tiny, tmp_path):
    target = by_hand(tmp_path / "target", result("[/b]\x1b[31m\0\ud800", "fail", message="[/red] \x1b[2J | x"))
    done = imported(tiny, target)
    assert (done.returncode, "Traceback" in done.stderr, "\x1b" in done.stdout) == (MISSED, False, False), done.stderr
    assert "[/red] \\x1b[2J | x" in done.stdout
    assert len(states(tiny)) == 1


def test_an_import_that_was_interrupted_is_completed_by_the_next(tiny, tmp_path):
    first = result("one", "fail")
    imported(tiny, by_hand(tmp_path / "half", first))
    done = mesh(tiny, "import-dbt-results", *options(by_hand(tmp_path / "whole", first, result("two", "fail"))), "--json")
    assert {each["check"]: each["outcome"] for each in json.loads(done.stdout)["tests"]} == {"one": "known", "two": "new"}
    assert len(evaluations(tiny)) == 2


def test_what_was_imported_counts_for_the_health_of_its_product(tiny, tmp_path):
    own, planned = result("own", "warn", message="1 row fails"), result(UNIQUE, "fail", message="3 rows fail")
    imported(tiny, by_hand(tmp_path / "target", own, planned))
    with running(tiny) as found:
        now = datetime.now(UTC)
        plan = read_plan(tiny)[0]
        with synced_ledger(tiny, found.instance, now) as ledger:
            ((both,), _) = looked_at(ledger, tiny, plan, [plan.product("readings")], now)
    told = {check.name: (check.kind, check.verdict, check.reason, check.at) for check in both.checks}
    at = datetime(2024, 6, 1, 5, 0, 1, 2, UTC)
    assert told[UNIQUE] == ("dbt_test", "missed", "3 rows fail", at)
    assert told["own"] == ("imported", "missed", "1 row fails", at)
    assert (len(both.checks), both.status) == (len(plan.product("readings").checks) + 1, "unpublished")
    assert grade(True, PUBLISHED, [check for check in both.checks if check.name == "own"]).status == "use with care"


def test_a_failed_test_of_elsewhere_opens_an_incident_that_a_later_success_ends(tiny, tmp_path):
    done = imported(tiny, by_hand(tmp_path / "bad", result("one", "fail")))
    assert "readings#1 opened" in done.stdout
    (found,) = mesh_json(tiny, "incidents", "readings")
    assert (found["name"], found["status"], found["checks"]) == ("readings#1", "open", ["measurements:one"])
    assert found["title"].startswith("one: ")
    done = imported(tiny, by_hand(tmp_path / "good", result("one", "pass", at="2024-06-02T05:00:00Z")))
    assert "readings#1 resolved auto-recovered" in done.stdout


def next_day(name, status="pass"):
    return result(name, status, at="2024-06-02T05:00:00Z")


def test_a_test_that_is_gone_from_its_project_takes_its_incident_with_it_and_returns_with_its_next_result(tiny, tmp_path):
    assert imported(tiny, by_hand(tmp_path / "first", result("one"), result("two", "fail"))).returncode == MISSED
    unselected = by_hand(tmp_path / "second", next_day("one"), nodes=[on_measurements("two")], written="2024-06-02T05:00:09Z")
    assert imported(tiny, unselected).returncode == FINE
    assert states(tiny)["readings/measurements", "two"].reading.verdict == "missed", "a test that did not run this time is still there"
    late = by_hand(tmp_path / "late", result("one"), written="2024-06-01T12:00:00Z")
    assert "gone" not in imported(tiny, late).stdout, "what an older manifest has not, a newer one may have"
    done = imported(tiny, by_hand(tmp_path / "third", result("one", at="2024-06-03T05:00:00Z"), written="2024-06-03T05:00:09Z"))
    assert "gone from its project: readings, readings/measurements: two" in done.stdout
    assert "readings#1 resolved no action: test removed" in done.stdout
    assert set(states(tiny)) == {("readings/measurements", "one")}
    back = by_hand(
        tmp_path / "fourth",
        result("two", "fail", at="2024-06-04T05:00:00Z"),
        written="2024-06-04T05:00:09Z",
        nodes=[on_measurements("one")],
    )
    assert "readings#2 opened" in imported(tiny, back).stdout
    assert set(states(tiny)) == {("readings/measurements", "one"), ("readings/measurements", "two")}


def test_tests_of_another_project_stay_and_a_project_may_lose_all_of_its_tests(tiny, tmp_path):
    imported(tiny, by_hand(tmp_path / "lake", result("one")))
    other = by_hand(tmp_path / "pond", next_day("two"), written="2024-06-02T05:00:09Z")
    told = json.loads((other / "manifest.json").read_text())
    (other / "manifest.json").write_bytes(data(told | {"metadata": told["metadata"] | {"project_name": "pond"}}))
    imported(tiny, other)
    assert {name for _, name in states(tiny)} == {"one", "two"}
    done = imported(tiny, by_hand(tmp_path / "empty", written="2024-06-02T06:00:00Z"), "--json")
    assert (done.returncode, json.loads(done.stdout)["removed"]) == (
        FINE,
        [{"product": "readings", "asset": "readings/measurements", "check": "one"}],
    )


def test_an_import_after_which_nothing_can_be_judged_says_so(tiny, tmp_path):
    """Of this table the evaluation makes use, and the import does not."""
    target = by_hand(tmp_path / "target", result("one"))
    mesh(tiny, "status")
    probe = tiny / ".mesh/ledger.sqlite"
    with closing(sqlite3.connect(probe)) as connection:
        connection.execute("drop table signals")
    done = imported(tiny, target)
    assert (done.returncode, "Traceback" in done.stderr) == (CANNOT_RUN, False), done.stderr
    assert "plant could not be evaluated: " in done.stderr and "no such table: signals" in done.stderr
    assert done.stderr.endswith("the results are imported, but what follows from them is not judged yet; mend that, then `mesh evaluate`\n")
    assert "1 of 1 results are new" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("{tmp}", "--domain", "shop", "--product", "cafe"), "dbt_project.yml is missing; name the folder of a dbt project"),
        (("{tmp}", "--domain", "Shop"), '--domain: "Shop" is no name; use lower case letters, digits and _'),
    ],
)
def test_a_project_that_cannot_be_imported_is_told_without_a_traceback(tiny, tmp_path, arguments, told):
    (tmp_path / "nothing").mkdir()
    done = mesh(tiny, "import-dbt-project", *(argument.replace("{tmp}", str(tmp_path / "nothing")) for argument in arguments))
    assert done.returncode == CANNOT_RUN
    assert told in done.stderr and "Traceback" not in done.stderr


def test_results_of_another_tool_open_incidents_and_end_them_as_those_of_dbt_do(tiny, tmp_path):
    """The same way into the ledger: what is new is judged, what is gone from a complete document ends."""

    def handed_in(number, *results, **document):
        file = tmp_path / f"{number}.json"
        at = f"2024-06-0{number}T05:00:00Z"
        file.write_text(json.dumps({"tool": "pandera", "project": "lake", "at": at, "complete": True, "results": results, **document}))
        return mesh(tiny, "import-results", str(file))

    broken = {"check": "sums agree", "product": "readings", "data_set": "measurements", "verdict": "missed", "reason": "2.5 are missing"}
    done = handed_in(1, broken, {"check": "stray", "verdict": "met"})
    assert done.returncode == CANNOT_RUN
    assert "it tests no model; write product: in the result, or give --product" in done.stderr
    assert "readings#1 opened" in done.stdout
    ((asset, check),) = states(tiny)
    assert asset == "readings/measurements" and check.startswith("sums_agree_")
    assert handed_in(1, broken).returncode == MISSED and "1 imported before" in handed_in(1, broken).stdout
    over = handed_in(2)
    assert over.returncode == FINE and "gone from its project: readings, readings/measurements: sums_agree_" in over.stdout
    assert "readings#1 resolved no action: test removed" in over.stdout
    unknown = mesh(tiny, "import-results", str(tmp_path / "1.json"), "--tool", "sodda")
    assert unknown.returncode == CANNOT_RUN and 'no tool "sodda"; known: great-expectations, json, soda' in unknown.stderr


def test_checks_that_change_places_end_where_they_were_and_further_results_are_taken(tiny, tmp_path):
    """Dagster, asked for the two checks of now, also gives the two that were: each has the name of one and the asset of the other."""
    for day, there, here in ((1, "keys agree", "sums agree"), (2, "sums agree", "keys agree"), (3, "sums agree", "keys agree")):
        results = [{"check": there, "product": "readings", "verdict": "met"}]
        results.append({"check": here, "product": "readings", "data_set": "measurements", "verdict": "met"})
        document = {"tool": "pandera", "project": "lake", "at": f"2024-06-0{day}T05:00:00Z", "complete": True, "results": results}
        (tmp_path / "results.json").write_text(json.dumps(document))
        done = mesh(tiny, "import-results", str(tmp_path / "results.json"))
        assert done.returncode == FINE and "2 of 2 results are new" in done.stdout, done.stderr
        assert done.stdout.count("gone from its project") == (2 if day == 2 else 0), done.stdout
    live = {(asset, check[:10]) for asset, check in states(tiny)}
    assert live == {("readings/scorecard", "sums_agree"), ("readings/measurements", "keys_agree")}
