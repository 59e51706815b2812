"""What a person sees of an incident in Dagster's own pages: a broken promise, an evaluation launched there, the scorecard."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from platform_resources.capabilities.score_facts import LETTERS
from tests.meshes import tiny_mesh
from tests.orchestration.test_dagster_dev import LOCATION, WORKSPACE, Dagster, free_port, interruptible, launch
from tests.orchestration.test_dagster_dev import page as page
from tests.refresh.running import CSV, environment, running
from tests.rehearsals.tiny import HALF_EMPTY

pytestmark = pytest.mark.slow
SCORECARD = "/assets/readings/scorecard"


@pytest.fixture(scope="module")
def dagster(tmp_path_factory) -> Iterator[Dagster]:
    """The tiny mesh, whose readings were refreshed whole and then with half of the temperatures missing."""
    root = tiny_mesh(tmp_path_factory.mktemp("pages"))
    with running(root) as mesh:
        mesh.refresh("readings", "summary")
        (root / CSV).write_text(HALF_EMPTY)
        mesh.refresh("readings")
    (root / "workspace.yaml").write_text(WORKSPACE)
    for domain in ("plant", "office"):
        (root / "dataproducts" / domain / "definitions.py").write_text(LOCATION)
    port, bin_folder = free_port(), Path(sys.executable).parent
    variables = environment(DAGSTER_HOME=str(root / ".dagster"), PATH=f"{bin_folder}:{os.environ['PATH']}")
    command = [str(bin_folder / "dagster"), "dev", "-w", "workspace.yaml", "-p", str(port)]
    with (root / "dev.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=root, env=variables, stdout=log, stderr=log, start_new_session=True, preexec_fn=interruptible
        )
    found = Dagster(root, port)
    try:
        found.until("loading the workspace", found.loaded)
        launch(found, "evaluate_plant", "plant")
        found.until("evaluating the plant", lambda: evaluated(found))
        yield found
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(300)


def evaluated(dagster: Dagster) -> bool:
    ended = [run["status"] for run in dagster.runs() if run["jobName"] == "evaluate_plant"]
    assert "FAILURE" not in ended, ended
    return "SUCCESS" in ended


def observed(dagster: Dagster) -> dict[str, Any]:
    """The metadata of the newest scorecard, by label; numbers as numbers, Markdown as text."""
    query = """{assetNodeOrError(assetKey:{path:["readings","scorecard"]}){... on AssetNode{assetMaterializations(limit:1){
        metadataEntries{label ... on FloatMetadataEntry{floatValue} ... on IntMetadataEntry{intValue}
        ... on MarkdownMetadataEntry{mdStr} ... on TextMetadataEntry{text} ... on JsonMetadataEntry{jsonString}}}}}}"""
    entries = dagster.ask(query)["assetNodeOrError"]["assetMaterializations"][0]["metadataEntries"]
    shown = ("intValue", "floatValue", "mdStr", "text", "jsonString")
    return {entry["label"]: next((entry[kind] for kind in shown if entry.get(kind) is not None), None) for entry in entries}


def test_an_evaluation_launched_there_leaves_numbers_to_plot_and_tables_on_the_scorecard(dagster):
    told = observed(dagster)
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


def test_what_happened_to_the_incident_is_said_once_by_whoever_judged_it_first(dagster):
    """An evaluation, or a sensor that looks at refreshes within a minute, of the product's domain or of one that reads it."""
    dagster.until("saying that the incident was opened", lambda: "readings#1 opened" in "".join(said(dagster)))
    assert "".join(said(dagster)).count("readings#1 opened") == 1


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


def test_a_person_sees_the_incident_on_the_overview_of_the_scorecard(page, dagster):
    seen(page, dagster, SCORECARD, "overview", "Use with care", "readings#1", "Most readings have a temperature")


def test_a_person_sees_the_indicator_as_a_check_of_the_scorecard(page, dagster):
    seen(page, dagster, f"{SCORECARD}?view=checks", "checks", "refreshed_on_most_days")


def test_a_person_sees_the_numbers_plotted(page, dagster):
    seen(page, dagster, SCORECARD, "numbers", "plant/readings", "promises met (%)")
    page.get_by_text("Plots", exact=True).locator("visible=true").first.click()
    page.get_by_text("open incidents", exact=True).locator("visible=true").first.wait_for()
    photographed(page, "plots")


def test_a_person_sees_why_the_promise_is_broken(page, dagster):
    seen(
        page,
        dagster,
        "/assets/readings/measurements?view=checks&checkDetail=most_readings_have_a_temperature",
        "check",
        "degrees is filled in 50 %",
    )
