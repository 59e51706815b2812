"""While the ledger's PostgreSQL is dead: whoever reads is served, what needs the ledger says so, and afterwards nothing is missing."""

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import func, select

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import open_ledger, restore_ledger
from platform_resources.ledger.people_tables import reads
from platform_resources.ledger.queries.reads import record_read
from platform_resources.marketplace.people import bearers
from platform_resources.marketplace.people.auth_settings import AuthSettings, auth_settings
from platform_resources.publications import shared_versions
from platform_resources.publications.shared_objects import SharedObjects
from platform_resources.services.access import tokens
from platform_resources.services.access.tokens import WantedToken, new_token, note_ended, was_ended
from platform_resources.services.showing import patient_ledger
from tests.ledger.ledgers import start, started
from tests.marketplace.test_people import BEHIND_PROXY, as_, browser, token
from tests.marketplace.test_tokens import FILE, OWNER, bearer
from tests.publications.conftest import share

pytestmark = pytest.mark.slow
RECORDS, CHANGES = "/api/v1/ports/plant/readings/measurements_sql/records?limit=3", "/api/v1/ports/plant/readings/measurements_sql/changes"
QUERY = "/lab?sql=select+count(*)+from+readings.measurements"
PAGES = ("/", "/search?q=sensor", "/products/readings", "/products/summary", "/domains", "/domains/plant", "/map", "/incidents", QUERY)
DATA = (RECORDS, CHANGES, FILE, "/api/v1/products", "/products/readings/columns/degrees", "/health/ready", "/lab/result.csv?" + QUERY[5:])
NEED_IT = ("/api/v1/products/readings/reviews", "/inbox", "/incidents/readings/1", "/api/v1/products/readings/score")


def told(client):
    """The metrics, as Prometheus reads them."""
    answer = client.get("/api/v1/metrics")
    assert answer.status_code == 200, answer.text
    return list(text_string_to_metric_families(answer.text))


class Server:
    """A PostgreSQL with the ledger of the shop."""

    def __init__(self, shop: Path) -> None:
        self.server = started(Path(mkdtemp(prefix="postgres")))
        self.url = self.server.get_uri().replace("postgresql://", "postgresql+psycopg2://")
        restore_ledger(shop / ".mesh/ledger.sqlite", self.url)

    def kill(self) -> None:
        os.kill(self.server.get_pid(), signal.SIGKILL)

    def start(self) -> None:
        start(self.server)

    def counted(self) -> int:
        ledger = open_ledger(self.url)
        with ledger.reading() as connection:
            found = connection.execute(select(func.count()).select_from(reads)).scalar()
        ledger.close()
        return found


@pytest.fixture
def database(shop, monkeypatch):
    monkeypatch.setattr(patient_ledger, "AWAY_SECONDS", 0.0)
    server = Server(shop)
    monkeypatch.setenv("MESH_LEDGER", server.url)
    yield server
    server.server.cleanup()


def test_pages_records_and_downloads_go_on_while_the_ledger_is_away(shop, database):
    with browser(shop, AuthSettings(), base="http://127.0.0.1:8080") as client:
        client.follow_redirects = True
        assert client.get("/products/readings").status_code == 200
        before = database.counted()
        database.kill()
        answers = {path: client.get(path) for path in (*PAGES, *DATA)}
        assert {path: answer.status_code for path, answer in answers.items() if answer.status_code != 200} == {}
        shown = answers["/products/summary"].text
        assert "The ledger has not answered since" in shown and "What each sensor has measured." in shown
        assert len(answers[RECORDS].json()["rows"]) == 3
        assert "the ledger has not answered since" in answers["/health/ready"].text
        metrics = {sample.name: sample.value for family in told(client) for sample in family.samples}
        assert metrics["mesh_observed_timestamp_seconds"] < datetime.now(UTC).timestamp()
        assert "mesh_product_status" in metrics and "mesh_messages" not in metrics, "what nobody knows now is not zero"
        refused = {path: client.get(path) for path in NEED_IT}
        assert {answer.status_code for answer in refused.values()} == {503}
        assert all("This needs the ledger, which does not answer now." in answer.text for answer in refused.values()), refused
        database.start()
        assert "The ledger has not answered" not in client.get("/products/summary").text
        assert client.get("/inbox").status_code == 200
    assert database.counted() - before == 5, "each of the reads meanwhile is counted: records, changes, file, and two queries"


def test_a_note_that_the_database_does_not_take_keeps_back_no_other(shop, database):
    ledger = open_ledger(database.url)
    patient, now = patient_ledger.PatientLedger(ledger), datetime.now(UTC)
    before = database.counted()
    for port in ("measurements_sql", "\0", "measurements_file"):
        patient.note(lambda connection, port=port: record_read(connection, "readings", port, "ann", now, "query"))
    ledger.close()
    assert database.counted() - before == 2


def test_who_may_read_is_let_in_as_before_and_nobody_else(shop, database, monkeypatch):
    plan, _ = read_plan(shop)
    now = datetime.now(UTC)
    ledger = open_ledger(database.url)
    (used, _), (unused, _), (early, _), (leaked, record) = (
        new_token(ledger, plan, WantedToken(OWNER, (), title, ("data",), now + timedelta(days=1)), now)
        for title in ("used", "unused", "early", "leaked")
    )
    ledger.close()
    with (
        browser(shop, auth_settings(BEHIND_PROXY)) as people,
        browser(shop, auth_settings(BEHIND_PROXY), address=("10.9.9.9", 1)) as programs,
    ):
        with monkeypatch.context() as clock:
            clock.setattr(bearers, "monotonic", lambda: monotonic() - bearers.LET_IN_SECONDS - 1)
            assert programs.get(RECORDS, headers=bearer(early)).status_code == 200
        assert programs.get(RECORDS, headers=bearer(used)).status_code == 200
        assert programs.get(RECORDS, headers=bearer(leaked)).status_code == 200
        assert people.get(RECORDS, headers=as_(OWNER)).status_code == 200
        assert people.get(RECORDS, headers=as_("eve@example.com")).status_code == 403
        form = {"token": token(people.get("/tokens", headers=as_(OWNER)).text)}
        assert people.post(f"/tokens/{record.id}", data=form, headers=as_(OWNER)).status_code == 303
        database.kill()
        assert programs.get(RECORDS, headers=bearer(used)).status_code == 200
        assert programs.get(FILE, headers=bearer(used), follow_redirects=True).status_code == 200
        assert people.get(RECORDS, headers=as_(OWNER)).status_code == 200
        assert people.get(RECORDS, headers=as_("eve@example.com")).status_code == 403, "what is not granted is not shown either"
        unseen = programs.get(RECORDS, headers=bearer(unused))
        assert (unseen.status_code, "Whether you may still read" in unseen.text) == (503, True)
        assert programs.get(RECORDS, headers=bearer(f"{used}x")).status_code == 503
        assert programs.get(RECORDS, headers=bearer(early)).status_code == 503, "that was more than five minutes before"
        assert programs.get(RECORDS, headers=bearer(leaked)).status_code == 503, "what was revoked just before is worth nothing"
        database.start()
        assert programs.get(RECORDS, headers=bearer(unused)).status_code == 200


def test_what_has_ended_on_one_machine_has_ended_on_those_that_share_its_storage(bucket, monkeypatch, tmp_path):
    share(bucket, monkeypatch)
    monkeypatch.setattr(shared_versions, "LOOK_AGAIN_SECONDS", 600.0)  # however short a while ago it was looked for
    one, other, now = tmp_path / "one", tmp_path / "other", datetime.now(UTC)
    note_ended(one, 7, now)
    assert (was_ended(other, 7), was_ended(other, 77)) == (True, False)
    note_ended(one, 8, now + timedelta(days=8))
    assert (was_ended(other, 7), was_ended(other, 8)) == (False, True)
    monkeypatch.setattr(tokens, "shared_objects", lambda: SharedObjects("s3://away", None))
    note_ended(one, 9, now)
    assert (was_ended(one, 9), was_ended(other, 9)) == (True, False)
    asked = []

    class Away:
        """A storage that lets everybody wait before it gives no answer."""

        def list(self, folder, **_):
            asked.append(folder)
            raise TimeoutError

    monkeypatch.setattr(tokens, "shared_objects", lambda: SharedObjects("s3://slow", Away()))
    assert [was_ended(other, number) for number in range(3)] == [False] * 3 and len(asked) == 1, "not each request waits for it"
