"""What an audit knows of earlier ones: the whole way from a refresh to the ledger and back into the next refresh."""

import sqlite3
from datetime import UTC, datetime

import dagster as dg
import pytest

from platform_resources.capabilities.judgements import History
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import open_ledger
from platform_resources.orchestration.events.ledger_events import synced_ledger
from platform_resources.services.refreshes.audit_history import histories_for_audit
from tests.meshes import component, edited, indented, product_file, tiny_mesh
from tests.refresh.running import batch, deliver, running

pytestmark = pytest.mark.slow
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PROMISES = [
    component("As many readings as usual", "service-level-asset", "dimension: volume\ndata_set: measurements\nlearned: true"),
    component(
        "As warm as before",
        "service-level-asset",
        "dimension: business-kpi\ndata_set: measurements\nmetric: avg(degrees)\nchange_at_most: 10",
    ),
    component("No slower than usual", "service-level-asset", "dimension: duration\nlearned: true"),
    component("Not too large", "service-level-asset", "dimension: cost\nmeasure: bytes\nbudget: {per_month: 1 GB}"),
]
VOLUME, KPI = "as_many_readings_as_usual", "as_warm_as_before"


@pytest.fixture
def mesh(tmp_path, monkeypatch):
    monkeypatch.delenv("MESH_LEDGER", raising=False)
    root = tiny_mesh(tmp_path / "mesh")
    added = indented("\n".join(PROMISES), 4).lstrip()
    return edited(root, product_file("plant", "readings"), "    - name: Company use", f"    {added}\n    - name: Company use")


def told(found, check):
    evaluation = found.check("readings", ("measurements",), check)
    return {name: value.value for name, value in evaluation.metadata.items() if name in ("verdict", "reason", "value")}


def test_each_refresh_is_compared_with_those_that_were_published_before(mesh):
    with running(mesh) as found:
        deliver(mesh, batch(20, 5))
        assert found.refresh("readings")[0].outcome == "published"
        assert told(found, VOLUME) == {
            "verdict": "unknown",
            "reason": "5 rows; learning: 0 of 14 points, so nothing can be judged yet",
            "value": 5,
        }
        assert told(found, KPI)["reason"] == "the value is 20; first version, so there is nothing to compare with"

        deliver(mesh, batch(30, 6))
        assert found.refresh("readings")[0].outcome == "published"
        assert told(found, VOLUME)["reason"] == "6 rows; learning: 1 of 14 points, so nothing can be judged yet"
        assert told(found, KPI) == {
            "verdict": "missed",
            "reason": "the value is 30; 50 % change from 20, at most 10 % promised",
            "value": 30.0,
        }

        deliver(mesh, batch(99, 2))  # fewer rows than before close the gate
        assert found.refresh("readings")[0].outcome == "gate closed"
        deliver(mesh, batch(31, 6))
        assert found.refresh("readings")[0].outcome == "published"
        assert told(found, VOLUME)["reason"] == "6 rows; learning: 2 of 14 points, so nothing can be judged yet"
        assert told(found, KPI)["reason"] == "the value is 31; 3.3 % change from 30, at most 10 % promised"


def test_a_ledger_that_cannot_be_opened_holds_up_nothing_else(mesh, monkeypatch, tmp_path):
    monkeypatch.setenv("MESH_LEDGER", f"sqlite:///{tmp_path / 'mesh' / 'dataproducts' / 'plant' / 'domain.yaml' / 'ledger.sqlite'}")
    with running(mesh) as found:
        assert found.refresh("readings")[0].outcome == "published"
        assert told(found, VOLUME)["verdict"] == told(found, KPI)["verdict"] == "unknown"
        assert told(found, VOLUME)["reason"].startswith("4 rows; what is usual is not known: the ledger sqlite:///")
        assert "domain.yaml" in told(found, KPI)["reason"]


def planned(mesh):
    return read_plan(mesh)[0].product("readings")


def test_a_ledger_that_does_not_answer_is_not_waited_for(mesh):
    file = mesh / ".mesh" / "ledger.sqlite"
    file.parent.mkdir()
    open_ledger(f"sqlite:///{file}").close()
    with dg.DagsterInstance.ephemeral() as instance, sqlite3.connect(file) as other:
        other.execute("begin immediate")
        found = histories_for_audit(lambda: synced_ledger(mesh, instance, NOW), planned(mesh), NOW, wait=0.3)
        other.rollback()
    assert found == dict.fromkeys([VOLUME, KPI], History(error="the ledger did not answer in 0.3 s"))


def test_the_ledger_is_not_touched_for_a_product_that_needs_no_history(mesh):
    assert histories_for_audit(lambda: synced_ledger(mesh, None, NOW), read_plan(mesh)[0].product("summary"), NOW) == {}
    assert not (mesh / ".mesh").exists()
