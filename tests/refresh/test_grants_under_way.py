"""A grant that ends while something goes on: a refresh keeps what it has pulled until its end, the next one gets nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.capabilities.measures import Relation
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.publications.consumer_queries import queried
from platform_resources.services.access.reader_views import ReaderView, known_grants, named_reader
from platform_resources.services.access.requests import Request, act_on_grant, ask
from platform_resources.warehouses.duckdb.product_database import opened
from platform_resources.warehouses.engine_errors import QueryFailed
from tests.meshes import edited, product_file, tiny_mesh
from tests.refresh.running import publish, running

OWNER = "plant-lead@example.com"
SENSORS = (Relation("internal", "sensors"), Relation("internal", "sensor_readings"), Relation("inputs", "measurements"))


@pytest.fixture
def mesh(tmp_path):
    root = tiny_mesh(tmp_path)
    edited(root, product_file("plant", "readings"), "product:summary", "product:other")
    with running(root) as found:
        publish("readings")(found)
        yield found


@pytest.fixture
def ledger(mesh):
    found = open_ledger(ledger_url(mesh.root, {}))
    yield found
    found.close()


def granted(ledger, mesh, to, until=None):
    now = datetime.now(UTC)
    grant = ask(ledger, mesh.product("readings"), Request("analyst", to, "Tests.", {}, "ana"), now)
    return act_on_grant(ledger, mesh.plan, grant.name, "approved", OWNER, "", now, until)


def test_a_refresh_ends_with_what_it_has_pulled_and_the_next_gets_nothing(mesh, ledger):
    grant = granted(ledger, mesh, "product:summary")
    assert mesh.materialised("summary", "pull").success
    act_on_grant(ledger, mesh.plan, grant.name, "revoked", OWNER, "It is over.", datetime.now(UTC))
    assert mesh.materialised("summary", "build", "publish").success
    kept = mesh.latest("summary")
    (done,) = mesh.refresh("summary")
    assert done.outcome == "failed" and f"grant {grant.name} of role analyst is revoked" in "\n".join(map(str, done.reasons))
    with opened(mesh.root / "warehouse/office/summary.duckdb") as database:
        assert [relation for relation in SENSORS if database.exists(relation)] == []
    assert mesh.latest("summary") == kept, "what it has published of it stays, until the product is taken away"


def test_a_query_is_decided_on_when_it_begins_and_the_next_is_refused(mesh, ledger):
    grant = granted(ledger, mesh, "bob", datetime.now(UTC) + timedelta(days=1))

    def asked(now):
        reading = ReaderView(mesh.plan, known_grants(mesh.root), now, named_reader(mesh.plan, "bob"))
        return queried(mesh.root, "plant", "readings", "select count(*) from measurements", seen=reading.port)[1]

    assert asked(datetime.now(UTC)) == [(4,)]
    with pytest.raises(QueryFailed, match="is expired since"):
        asked(datetime.now(UTC) + timedelta(days=2))
    act_on_grant(ledger, mesh.plan, grant.name, "revoked", "bob", "Done.", datetime.now(UTC))
    with pytest.raises(QueryFailed, match="is revoked"):
        asked(datetime.now(UTC))
