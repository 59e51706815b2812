"""`mesh metrics`: what Prometheus reads of a mesh."""

import re
import shutil
import subprocess
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from platform_resources.incidents.board import Board
from platform_resources.incidents.life_cycle import opened
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.ledger.people.incident_store import keep_board
from platform_resources.ledger.people.outbox import queue
from platform_resources.ledger.records import Run, Scorecard
from platform_resources.ledger.writing import write
from tests.cli.conftest import NOW
from tests.meshes import REPOSITORY
from tests.notify.messages import message

pytestmark = pytest.mark.slow


def samples(text):
    """Values by the metric's name and its labels' values, in the order of the labels' names."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name, *(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


@pytest.fixture
def measured(published):
    """The mesh, after an incident was opened and a message written."""
    with closing(open_ledger(ledger_url(published.root, {}))) as ledger, ledger.projecting() as connection:
        incident, events = opened("readings", NOW, NOW)
        keep_board(connection, Board(), Board(incidents={"readings": incident}), events)
        queue(connection, [message("plant.alerts", product="readings")], NOW)
    return published


def test_metrics_say_how_products_are_and_what_waits(measured):
    result = measured.mesh("metrics")
    assert result.exit_code == 0, result.output
    found = samples(result.stdout)
    assert found["mesh_product_published_timestamp_seconds", "plant", "readings"] == NOW.timestamp()
    assert found["mesh_product_rows", "measurements", "plant", "readings"] == 3
    assert found["mesh_product_status", "office", "summary", "unpublished"] == 1
    assert found["mesh_incidents_live", "readings", "low", "open"] == 1
    assert found[("mesh_incident_unacknowledged_timestamp_seconds",)] == NOW.timestamp()
    assert found["mesh_messages", "waiting"] == 1
    assert found[("mesh_products_rejected",)] == 0
    assert ("mesh_product_published_timestamp_seconds", "office", "summary") not in found, "what is not known has no sample"


CARD = Scorecard("readings", NOW, "run", "published version v", 1, 1, 0, 0, 1, 1)
SECOND = timedelta(seconds=1)
FAILED = Run("later", "readings", "refresh_readings", "failed", NOW, NOW + SECOND, "build", "no such table", 2)
ENDINGS = {
    "published": ([CARD], NOW),
    "unchanged": ([replace(CARD, outcome='not published, nothing changed: input "a\\b"\nfailed')], NOW),
    "held back": ([replace(CARD, outcome="not published, the gate is closed: 7 rows", held_back="the gate is closed: 7 rows")], NOW),
    "failed": ([CARD, FAILED], NOW + SECOND),
}


@pytest.mark.parametrize(("outcome", "records", "at"), [(outcome, *ending) for outcome, ending in ENDINGS.items()], ids=ENDINGS)
def test_how_a_refresh_ended_is_one_of_few_words(measured, outcome, records, at):
    """Each version or reason in a label would be a series of its own."""
    with closing(open_ledger(ledger_url(measured.root, {}))) as ledger, ledger.writing() as connection:
        write(connection, records)
    found = samples(measured.mesh("metrics").stdout)
    assert found.get(("mesh_refresh_duration_seconds", "plant", "readings")) == (1 if outcome == "failed" else None)
    ended = {name: value for name, value in found.items() if name[0] == "mesh_refresh_timestamp_seconds"}
    assert ended == {("mesh_refresh_timestamp_seconds", "plant", outcome, "readings"): at.timestamp()}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="there is no promtool here: apt-get install prometheus")
def test_prometheus_own_tool_takes_metrics_and_alerts(measured, tmp_path):
    alerts = REPOSITORY / "deploy/prometheus"
    for arguments, text in ((("check", "metrics"), measured.mesh("metrics").stdout), (("test", "rules", "alerts_test.yaml"), None)):
        done = subprocess.run(["promtool", *arguments], input=text, cwd=alerts, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_metrics_are_written_to_a_file_in_one_step(measured, tmp_path):
    file = tmp_path / "mesh.prom"
    file.write_text("old")
    assert measured.mesh("metrics", "--out", file).stdout == ""
    assert samples(file.read_text())["mesh_product_rows", "measurements", "plant", "readings"] == 3
    assert list(tmp_path.glob("*.part")) == []


def test_every_alert_asks_for_a_metric_that_there_is(measured):
    rules = yaml.safe_load((REPOSITORY / "deploy/prometheus/alerts.yaml").read_text())["groups"][0]["rules"]
    asked = {name for rule in rules for name in re.findall(r"\bmesh_\w+", promql_parser.parse(rule["expr"]).prettify())}
    assert all(promql_parser.parse_duration(rule["for"]) for rule in rules if "for" in rule)
    offered = {family.name for family in text_string_to_metric_families(measured.mesh("metrics").stdout)}
    assert len(asked) >= 6
    assert asked <= offered
