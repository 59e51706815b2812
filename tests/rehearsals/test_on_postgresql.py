"""One whole story where Dagster and the ledger both remember in PostgreSQL, as they do where the platform is deployed."""

import dagster as dg
import pytest

from platform_resources.incidents.life_cycle import acknowledged
from platform_resources.settings import LEDGER
from tests.ledger.ledgers import new_database
from tests.notify.receivers import web_server
from tests.rehearsals.rehearsal import Rehearsal
from tests.rehearsals.tiny import HOUR, MINUTE, NOW, break_deliveries, mend_deliveries, told_mesh

pytestmark = pytest.mark.slow


@pytest.fixture
def played(tmp_path, monkeypatch, postgres_server):
    root = told_mesh(tmp_path / "mesh")
    with web_server() as web:
        monkeypatch.setenv(LEDGER.name, new_database(postgres_server))
        home = root / ".dagster"
        home.mkdir()
        storage = {"storage": {"postgres": {"postgres_url": f"{new_database(postgres_server)}&plugin=kept_connections"}}}
        with dg.instance_for_test(temp_dir=str(home), overrides=storage) as instance:
            played = Rehearsal(root, instance, {"PLANT_URL": f"json://127.0.0.1:{web.port}/plant", "OFFICE_URL": "json://127.0.0.1:1/"})
            yield played, web


def test_broken_told_acknowledged_mended_and_over(played):
    played, web = played
    played.refresh(NOW - HOUR, "readings", "summary")
    played.evaluate(NOW - 50 * MINUTE)
    assert played.live() == {}
    break_deliveries(played.root)
    (broken,) = played.refresh(NOW, "readings").values()
    assert broken.warnings == ("Most readings have a temperature: degrees is filled in 50 % of 4 rows; 60 % promised",)
    for minutes in (10, 31, 32):
        played.evaluate(NOW + minutes * MINUTE, "office", "plant")
        played.deliver(NOW + minutes * MINUTE)
    assert played.live() == {"readings#1": ()}
    assert played.statuses(NOW + 32 * MINUTE) == {"readings": "use with care", "summary": "healthy"}
    played.act("readings", lambda incident: acknowledged(incident, NOW + 40 * MINUTE, "ana"))
    mend_deliveries(played.root)
    played.refresh(NOW + 3 * HOUR, "readings")
    for hours in (4, 5):
        played.evaluate(NOW + hours * HOUR)
        played.deliver(NOW + hours * HOUR)
    assert played.events("readings#1") == ["opened", "acknowledged", "resolved auto-recovered"]
    assert [request["body"]["title"] for request in web.requests] == [
        "[low] Sensor readings has gaps (readings#1)",
        "Sensor readings is well again",
    ]
    assert played.scorecard("readings")["open_incidents"] == 0
    assert not (played.root / ".mesh").exists(), "nothing is kept in a file"
