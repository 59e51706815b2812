"""A real `dagster dev` with one code location per domain, asked over GraphQL as its own pages ask it, and what a person sees of an incident."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from platform_resources.capabilities.score_facts import LETTERS
from platform_resources.orchestration.instance import prepared_home
from tests.forked_commands import forked
from tests.meshes import edited, product_file, tiny_mesh
from tests.refresh.running import CSV, environment, mesh
from tests.rehearsals.tiny import HALF_EMPTY

pytestmark = pytest.mark.slow

LOCATION = "from platform_resources import domain_definitions\n\ndefs = domain_definitions(__file__)\n"
WORKSPACE = """
load_from:
  - python_file: {relative_path: dataproducts/plant/definitions.py, location_name: plant}
  - python_file: {relative_path: dataproducts/office/definitions.py, location_name: office}
"""
SCORECARD = "/assets/readings/scorecard"
PATIENCE = 600.0


class Dagster:
    """A running `dagster dev` and its GraphQL API."""

    def __init__(self, root: Path, port: int) -> None:
        self.root, self.port = root, port

    def ask(self, query: str) -> dict[str, Any]:
        body = json.dumps({"query": query}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/graphql", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=300) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer
        return answer["data"]

    def until(self, what: str, condition: Callable[[], Any]) -> Any:
        """The first true result of the condition; fails when it takes too long."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if found := condition():
                    return found
            except OSError:
                found = None
            time.sleep(1)
        raise AssertionError(f"{what} did not happen within {PATIENCE:.0f} s")

    def loaded(self) -> bool:
        entries = self.ask("{workspaceOrError{... on Workspace{locationEntries{name loadStatus}}}}")["workspaceOrError"]["locationEntries"]
        return len(entries) == 2 and all(entry["loadStatus"] == "LOADED" for entry in entries)

    def runs(self) -> list[dict[str, Any]]:
        return self.ask("{runsOrError{... on Runs{results{jobName status tags{key value}}}}}")["runsOrError"]["results"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def dagster(tmp_path_factory) -> Iterator[Dagster]:
    """One for all tests of this file, which follow each other: it takes long to begin."""
    root = tiny_mesh(tmp_path_factory.mktemp("dev"))
    edited(root, product_file("plant", "readings"), "updated_at: processed_at\n", "\n")
    (root / "workspace.yaml").write_text(WORKSPACE)
    for domain in ("plant", "office"):
        (root / "dataproducts" / domain / "definitions.py").write_text(LOCATION)
    home = prepared_home(root, root)
    variables = {**os.environ, "DAGSTER_HOME": str(home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    port = free_port()
    command = [str(Path(sys.executable).parent / "dagster"), "dev", "-w", "workspace.yaml", "-p", str(port)]
    with (root / "dev.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=root, env=variables, stdout=log, stderr=log, start_new_session=True, preexec_fn=interruptible
        )
    found = Dagster(root, port)
    try:
        found.until("loading the workspace", found.loaded)
        yield found
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(300)


def interruptible() -> None:
    """`dagster dev` ends its parts by SIGINT, which whatever a shell runs in the background ignores, and its children too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def nodes(dagster: Dagster) -> dict[str, dict[str, Any]]:
    query = """{assetNodes{assetKey{path} groupName kinds isMaterializable dependencyKeys{path}
        internalFreshnessPolicy{__typename ... on TimeWindowFreshnessPolicy{failWindowSeconds}} repository{location{name}}
        assetChecksOrError{... on AssetChecks{checks{name blocking}}}}}"""
    return {"/".join(node["assetKey"]["path"]): node for node in dagster.ask(query)["assetNodes"]}


def test_groups_are_domain_and_product(dagster):
    found = nodes(dagster)
    assert found["readings/scorecard"]["groupName"] == "plant/readings"
    assert found["summary/scorecard"]["groupName"] == "office/summary"


def test_lineage_crosses_code_locations(dagster):
    found = nodes(dagster)
    (port,) = [key for key in found if key.startswith("summary/inputs/")]
    upstream = ["/".join(key["path"]) for key in found[port]["dependencyKeys"]]
    assert upstream == ["readings/outputs/measurements_sql"]
    assert found[port]["repository"]["location"]["name"] == "office"
    assert found["readings/outputs/measurements_sql"]["repository"]["location"]["name"] == "plant"


def test_objectives_and_dbt_tests_are_checks_and_gates_block(dagster):
    found = nodes(dagster)
    checks = {c["name"]: c["blocking"] for node in found.values() for c in node["assetChecksOrError"].get("checks", ())}
    assert checks
    assert any(checks.values())
    assert not all(checks.values())


def test_a_port_that_is_as_old_as_its_pull_has_the_window_of_its_freshness_objective(dagster):
    port = nodes(dagster)["readings/outputs/measurements_sql"]
    assert port["internalFreshnessPolicy"] == {"__typename": "TimeWindowFreshnessPolicy", "failWindowSeconds": 26 * 3600}
    assert "output_port" in port["kinds"]


def launch(dagster: Dagster, job: str, location: str) -> None:
    result = dagster.ask(
        f"""mutation{{launchRun(executionParams:{{selector:{{repositoryName:"__repository__",
        repositoryLocationName:"{location}",jobName:"{job}"}},mode:"default"}}){{__typename ... on PythonError{{message}}}}}}"""
    )
    assert result["launchRun"]["__typename"] == "LaunchRunSuccess", result


def test_a_run_launched_there_publishes_and_the_products_behind_it_follow_by_themselves(dagster):
    """The daemon notices the new version of an input and refreshes the consumer in a run of its own, audit included."""
    launch(dagster, "refresh_readings", "plant")

    def both_done() -> bool:
        runs = {tag["value"]: run["status"] for run in dagster.runs() for tag in run["tags"] if tag["key"] == "product"}
        assert "FAILURE" not in runs.values(), runs
        return runs == {"readings": "SUCCESS", "summary": "SUCCESS"}

    dagster.until("refreshing readings, then summary", both_done)
    for domain, product in (("plant", "readings"), ("office", "summary")):
        assert (dagster.root / "ports" / domain / product / "latest.json").exists()


def test_freshness_is_evaluated_by_the_daemon(dagster):
    query = '{assetNodeOrError(assetKey:{path:["readings","outputs","measurements_sql"]}){... on AssetNode{freshnessStatusInfo{freshnessStatus}}}}'

    def healthy() -> bool:
        node = dagster.ask(query)["assetNodeOrError"]
        return bool(node["freshnessStatusInfo"]) and node["freshnessStatusInfo"]["freshnessStatus"] == "HEALTHY"

    dagster.until("evaluating freshness", healthy)


def runs_of_job(dagster: Dagster, location: str, job: str) -> list[dict[str, Any]]:
    """The runs on a job's page."""
    selector = f'{{repositoryName: "__repository__", repositoryLocationName: "{location}"}}'
    fields = f"repositoryOrError(repositorySelector: {selector}) {{... on Repository {{jobs {{name runs {{runId status pipelineSnapshotId}}}}}}}}"
    jobs = dagster.ask(f"{{{fields}}}")["repositoryOrError"]["jobs"]
    (found,) = [each["runs"] for each in jobs if each["name"] == job]
    return found


def by_command(dagster: Dagster, *arguments: str) -> None:
    done = mesh(dagster.root, *arguments, DAGSTER_HOME=str(prepared_home(dagster.root, dagster.root)))
    assert done.returncode == 0, done.stderr


def test_what_the_command_line_runs_are_runs_of_the_domains_jobs_there(dagster):
    before = {run["runId"] for run in runs_of_job(dagster, "office", "refresh_summary")}
    by_command(dagster, "refresh", "summary")
    by_command(dagster, "evaluate")
    (refreshed,) = [run for run in runs_of_job(dagster, "office", "refresh_summary") if run["runId"] not in before]
    assert refreshed["status"] == "SUCCESS"
    (origin,) = dagster.ask(
        f'{{runsOrError(filter: {{runIds: ["{refreshed["runId"]}"]}}) {{... on Runs {{results {{repositoryOrigin '
        f"{{repositoryLocationName repositoryName}} tags {{key value}} hasReExecutePermission}}}}}}}}"
    )["runsOrError"]["results"]
    assert origin["repositoryOrigin"] == {"repositoryLocationName": "office", "repositoryName": "__repository__"}
    assert {"key": "product", "value": "summary"} in origin["tags"]
    assert origin["hasReExecutePermission"]
    for location in ("plant", "office"):
        assert runs_of_job(dagster, location, f"evaluate_{location}")


CHROMIUM = shutil.which("chromium")
ARGUMENTS = "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync --no-first-run"


@pytest.fixture(scope="module")
def page(dagster) -> Iterator[Any]:
    """A page in a real browser, with the dialog of a first visit clicked away."""
    if CHROMIUM is None:
        assert not os.environ.get("CI"), "CI installs Chromium"
        pytest.skip("there is no chromium on this machine; .ci/run installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        opened = browser.new_page(viewport={"width": 1600, "height": 1000})
        opened.set_default_timeout(300_000)
        opened.goto(f"http://127.0.0.1:{dagster.port}/")
        opened.get_by_text("Skip", exact=True).click()
        yield opened
        browser.close()


def shown(page: Any, dagster: Dagster, path: str, *texts: str) -> None:
    page.goto(f"http://127.0.0.1:{dagster.port}{path}")
    for text in texts:
        page.get_by_text(text, exact=False).locator("visible=true").first.wait_for()


def test_a_person_sees_an_output_port_with_its_group_owner_columns_and_rows(page, dagster):
    shown(
        page, dagster, "/assets/readings/outputs/measurements_sql", "plant/readings", "plant-lead@example.com", "reading_id", "output_port"
    )


def test_a_person_sees_the_scorecard_with_a_reason_for_every_verdict(page, dagster):
    shown(page, dagster, "/assets/readings/scorecard", "Readings are never deleted", "Most readings have a temperature")


def test_a_person_sees_the_checks_of_a_data_set_and_which_of_them_block(page, dagster):
    path = "/assets/readings/measurements?view=checks"
    shown(page, dagster, path, "Checks (", "blocking asset check", "Execute all")


# An incident: a broken promise, an evaluation launched there, the scorecard


# A refresh of which nobody has judged yet what it means; in a process of its own, since a browser is open in this one.
UNJUDGED = """
import sys
from pathlib import Path
from tests.refresh.running import running
with running(Path(sys.argv[1])) as mesh:
    print(*(done.outcome for done in mesh.refresh("readings")))
"""


@pytest.fixture(scope="module")
def evaluated(dagster) -> Dagster:
    """The readings were refreshed with half of the temperatures missing."""
    before = ended(dagster, "evaluate_plant")
    (dagster.root / CSV).write_text(HALF_EMPTY)
    done = forked([sys.executable, "-c", UNJUDGED, str(dagster.root)], environment())
    assert (done.returncode, done.stdout) == (0, "published\n"), done.stderr
    launch(dagster, "evaluate_plant", "plant")
    dagster.until("evaluating the plant", lambda: ended(dagster, "evaluate_plant") > before)
    return dagster


def ended(dagster: Dagster, job: str) -> int:
    """How many runs of the job have succeeded; none has failed."""
    statuses = [run["status"] for run in dagster.runs() if run["jobName"] == job]
    assert "FAILURE" not in statuses, statuses
    return statuses.count("SUCCESS")


def observed(dagster: Dagster) -> dict[str, Any]:
    """The metadata of the newest scorecard, by label; numbers as numbers, Markdown as text."""
    query = """{assetNodeOrError(assetKey:{path:["readings","scorecard"]}){... on AssetNode{assetMaterializations(limit:1){
        metadataEntries{label ... on FloatMetadataEntry{floatValue} ... on IntMetadataEntry{intValue}
        ... on MarkdownMetadataEntry{mdStr} ... on TextMetadataEntry{text} ... on JsonMetadataEntry{jsonString}}}}}}"""
    entries = dagster.ask(query)["assetNodeOrError"]["assetMaterializations"][0]["metadataEntries"]
    shown = ("intValue", "floatValue", "mdStr", "text", "jsonString")
    return {entry["label"]: next((entry[kind] for kind in shown if entry.get(kind) is not None), None) for entry in entries}


def test_an_evaluation_launched_there_leaves_numbers_to_plot_and_tables_on_the_scorecard(evaluated):
    told = observed(evaluated)
    plots = [label for label, value in told.items() if isinstance(value, int | float) and not isinstance(value, bool)]
    assert plots == ["promises met (%)", "open incidents", "coverage (%)", "score", *(f"score {letter}" for letter in LETTERS)]
    numbers = json.loads(told["numbers"])
    assert (told["open incidents"], numbers["open_incidents"], numbers["indicators"]) == (1, 1, 1)
    page, *_ = told.values()
    assert page.startswith("**Use with care**: ") and len(page) < 1000, "longer Markdown is hidden behind a link"
    assert [f"**{part}**: " in page for part in ("Promises", "Error budgets", "Incidents", "Coverage")] == [True] * 4
    assert "- readings#1, " in page
    table = told["incidents_table"]
    assert table.splitlines()[0] == "| incident | severity | status | since | what |"
    assert "readings#1" in table and "Most readings have a temperature: degrees is filled in 50 % of 4 rows" in table


def test_what_happened_to_the_incident_is_said_once_by_whoever_judged_it_first(evaluated):
    """An evaluation, or a sensor that looks at refreshes within a minute, of the product's domain or of one that reads it."""
    evaluated.until("saying that the incident was opened", lambda: "readings#1 opened" in "".join(said(evaluated)))
    assert "".join(said(evaluated)).count("readings#1 opened") == 1


def said(dagster: Dagster) -> list[str]:
    runs = dagster.ask("{runsOrError{... on Runs{results{runId jobName}}}}")["runsOrError"]["results"]
    evaluations = [run["runId"] for run in runs if run["jobName"].startswith("evaluate_")]
    logs = [text for run in evaluations for text in logged(dagster, run)]
    return [*logs, *ticks(dagster, "plant"), *ticks(dagster, "office")]


def ticks(dagster: Dagster, location: str) -> list[str]:
    """What the sensors of a code location said of their ticks."""
    sensors = f'sensorsOrError(repositorySelector:{{repositoryName:"__repository__",repositoryLocationName:"{location}"}})'
    found = dagster.ask(f"{{{sensors}{{... on Sensors{{results{{sensorState{{ticks(limit:100){{skipReason}}}}}}}}}}}}")
    return [tick["skipReason"] or "" for sensor in found["sensorsOrError"]["results"] for tick in sensor["sensorState"]["ticks"]]


def logged(dagster: Dagster, run: str) -> list[str]:
    query = f'{{logsForRun(runId:"{run}"){{... on EventConnection{{events{{... on MessageEvent{{message}}}}}}}}}}'
    return [event["message"] for event in dagster.ask(query)["logsForRun"]["events"]]


def photographed(page: Any, name: str) -> None:
    """A picture for people, where PICTURES names a folder. The pages scroll inside, so the window is made as high as they are."""
    if folder := os.environ.get("PICTURES"):
        page.set_viewport_size({"width": 1600, "height": 2600})
        page.wait_for_timeout(3000)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def seen(page: Any, dagster: Dagster, path: str, name: str, *texts: str) -> None:
    page.goto(f"http://127.0.0.1:{dagster.port}{path}")
    for text in texts:
        page.get_by_text(text, exact=False).locator("visible=true").first.wait_for()
    photographed(page, name)


def test_a_person_sees_the_incident_on_the_overview_of_the_scorecard(page, evaluated):
    seen(page, evaluated, SCORECARD, "overview", "Use with care", "readings#1", "Most readings have a temperature")


def test_a_person_sees_the_indicator_as_a_check_of_the_scorecard(page, evaluated):
    seen(page, evaluated, f"{SCORECARD}?view=checks", "checks", "refreshed_on_most_days")


def test_a_person_sees_the_numbers_plotted(page, evaluated):
    seen(page, evaluated, SCORECARD, "numbers", "plant/readings", "promises met (%)")
    page.get_by_text("Plots", exact=True).locator("visible=true").first.click()
    page.get_by_text("open incidents", exact=True).locator("visible=true").first.wait_for()
    photographed(page, "plots")


def test_a_person_sees_why_the_promise_is_broken(page, evaluated):
    seen(
        page,
        evaluated,
        "/assets/readings/measurements?view=checks&checkDetail=most_readings_have_a_temperature",
        "check",
        "degrees is filled in 50 %",
    )
