"""`mesh metrics`: what Prometheus reads of a mesh."""

import re
from contextlib import closing

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from platform_resources.incidents.board import Board
from platform_resources.incidents.life_cycle import opened
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.ledger.people.incident_store import keep_board
from platform_resources.ledger.people.outbox import queue
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
