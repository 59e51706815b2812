"""Certificates: granted by somebody who is no owner, shown, and lost with a reason when a criterion no longer holds."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from platform_resources.capabilities.registry import installed_registry
from platform_resources.cli.terminal.console import FINE, MISSED
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.people.outbox import open_and_recent
from platform_resources.ledger.records import CheckReading, check_id
from platform_resources.ledger.writing import write
from platform_resources.repository.mesh_folders import state_folder
from platform_resources.services.access.certificates import review_certificates
from platform_resources.services.evaluation_round import evaluate
from tests.cli.conftest import PublishedMesh
from tests.marketplace.shop_mesh import opened_ledger, served
from tests.marketplace.test_product_pages import text

pytestmark = pytest.mark.slow
UNTIL = f"{datetime.now(UTC) + timedelta(days=90):%Y-%m-%d}"


def certify(shop, *arguments):
    done = PublishedMesh(shop).mesh("certify", *arguments)
    return getattr(done.exception, "code", done.exit_code), " ".join(done.output.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("readings", "--until", UNTIL, "--by", "plant-lead@example.com"), "owns readings, so somebody else must vouch for it"),
        (("readings", "--until", "2020-01-31", "--by", "grace@example.com"), "a certificate ends on a day to come"),
        (("summary", "--end", "--by", "grace@example.com"), "summary has no certificate that could be taken back"),
        (("summary", "--until", UNTIL, "--by", "grace@example.com"), "summary cannot be certified: it is draft; it has no score yet"),
    ],
)
def test_what_may_not_be_certified_says_why(shop, arguments, said):
    code, output = certify(shop, *arguments)
    assert (code, said in output) == (MISSED, True), output


def test_a_certificate_is_shown_and_is_lost_with_the_promise_that_breaks(shop, client):
    assert certify(shop, "readings", "--until", UNTIL, "--by", "grace@example.com", "--why", "Looked at.")[0] == FINE
    plan = read_plan(shop)[0]
    product = plan.product("readings")
    ledger = opened_ledger(shop)
    with ledger.writing() as connection:
        assert review_certificates(connection, [product], datetime.now(UTC)) == ()
    assert client.get("/api/v1/products/readings").json()["certificate"]["person"] == "grace@example.com"
    page = client.get("/products/readings").text
    assert "Certified</span>" in page and f"Certified by grace@example.com until {UNTIL}: Looked at." in text(page)

    (promise,) = (promised.check for promised in product.objectives if promised.check.title == "Readings are never deleted")
    now = datetime.now(UTC)
    missed = CheckReading(check_id(promise.key, promise.name), now, "run-missed", "missed", 1.0, "", "at least 3", 2, "1 row", 999_999)
    with ledger.writing() as connection:
        write(connection, [missed])
    for seconds in (1, 2):
        evaluate(ledger, state_folder(shop), plan, plan.products, installed_registry(), now + timedelta(seconds=seconds))
    with ledger.reading() as connection:
        messages = [entry.message for entry in open_and_recent(connection, now - timedelta(days=1)) if entry.message.kind == "certificate"]
    assert messages and {message.product for message in messages} == {"readings"} and len({m.channel for m in messages}) == len(messages)
    assert all("its promise Readings are never deleted is missed" in message.body for message in messages)
    ledger.close()
    code, output = certify(shop, "readings")
    assert code == FINE and "lost on" in output and "its promise Readings are never deleted is missed" in output
    with served(shop) as address:
        page = httpx.get(f"{address}/products/readings", timeout=300).text
    assert "Certified</span>" not in page and "lost on" in text(page)
    assert certify(shop, "readings", "--end", "--by", "grace@example.com")[0] == MISSED, "it is lost already"
