"""A retired product stays where it was: its page, its answer and its place in the search say what takes its place."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from platform_resources.capabilities.registry import installed_registry
from platform_resources.cli.terminal.console import FINE
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.people.outbox import open_and_recent
from platform_resources.services.evaluation_round import evaluate
from tests.cli.conftest import PublishedMesh
from tests.marketplace.shop_mesh import opened_ledger, served
from tests.marketplace.test_product_pages import text
from tests.meshes import edited, product_file

pytestmark = pytest.mark.slow
ARGUMENTS = ("--apply", "--by", "plant-lead@example.com", "--why", "The sensors are sold.", "--although", "They are gone already.")


def test_the_page_the_api_and_the_search_say_that_a_product_is_retired(shop):
    """The first hit for its own name before, and the last after."""
    mesh = PublishedMesh(shop)
    edited(shop, product_file("plant", "readings"), "lifecycle: production", "lifecycle: production\n        replacement: summary")
    with served(shop) as address:
        before = httpx.get(f"{address}/api/v1/search", params={"q": "readings"}, timeout=300).json()
    assert [hit["name"] for hit in before["products"]] == ["readings", "summary"]
    done = mesh.mesh("retire", "readings", *ARGUMENTS)
    assert getattr(done.exception, "code", done.exit_code) == FINE, done.output
    with served(shop) as address, httpx.Client(base_url=address, timeout=300) as client:
        answer = client.get("/api/v1/products/readings").json()
        assert (answer["lifecycle"], answer["replacement"], answer["ports"]) == ("retired", "summary", [])
        assert answer["retired"]["by"] == "plant-lead@example.com" and answer["retired"]["archive"] == "archive/plant/readings"
        changes = client.get("/api/v1/ports/plant/readings/measurements_sql/changes")
        assert (changes.status_code, changes.json()["error"]) == (404, "readings is retired; summary takes its place.")
        page = client.get("/products/readings").text
        said = text(page)
        assert "by plant-lead@example.com: The sensors are sold. That was done although its notice has not begun; it is still read" in said
        assert "its contract are kept in archive/plant/readings" in said and "Use Sensor summary instead" in said
        assert '<a href="/products/summary">Sensor summary</a>' in page and "Copy the way in" not in said
        assert "Retired: it is refreshed no more." in said and "Certified" not in said
        for name in ("sensor", "readings"):
            found = client.get("/api/v1/search", params={"q": name}).json()["products"]
            assert [hit["name"] for hit in found][-1] == "readings" and found[-1]["lifecycle"] == "retired"
        assert '<span class="tag warn">Retired</span>' in client.get("/search", params={"q": "sensor"}).text
        assert client.get("/products/readings/access").status_code < 500 and client.get("/lab?of=readings").status_code < 500
    with served(shop, "reader@example.com") as address:
        said = httpx.get(f"{address}/products/readings", timeout=300).text
        assert "The sensors are sold." in said and "although" not in said, "who still reads it is told to those who see all of it"
        assert httpx.get(f"{address}/api/v1/products/readings", timeout=300).json()["retired"]["although"] == ""
    plan, ledger, now = read_plan(shop)[0], opened_ledger(shop), datetime.now(UTC)
    running = [product for product in plan.products if product.runs]
    for seconds in (1, 2):
        evaluate(ledger, shop, plan, running, installed_registry(), now + timedelta(seconds=seconds), "plant")
    with ledger.reading() as connection:
        sent = [entry.message for entry in open_and_recent(connection, now - timedelta(days=1)) if "/retired@" in entry.message.key]
    ledger.close()
    assert [(message.channel, message.subject) for message in sent] == [("office-lead@example.com", "Sensor readings is retired")]
    assert "You read it in **Sensor summary**, whose input fails from now on." in sent[0].body and "although" not in sent[0].body
    described = " ".join(mesh.mesh("describe", "readings").output.split())
    assert "The sensors are sold." in described and "summary takes its place: mesh describe summary" in described
