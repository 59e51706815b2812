"""What people say of products: one review of each person, owners answer, and what is hidden leaves a trace."""

from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.ledger.queries.reads import record_read
from platform_resources.marketplace.people.auth_settings import auth_settings
from tests.marketplace.shop_mesh import HARM, opened_ledger
from tests.marketplace.test_people import as_, browser, token
from tests.marketplace.test_product_pages import text

pytestmark = pytest.mark.slow
PRODUCT, FORM = "/products/readings", "/products/readings/reviews"
EVE, ANN, GRACE = as_("eve@example.com"), as_("ann@example.com"), as_("grace@example.com")
OWNER = as_("plant-lead@example.com")


@pytest.fixture(scope="module")
def pages(shop):
    settings = {"MESH_AUTH": "proxy", "MESH_AUTH_PROXIES": "10.0.0.0/8", "MESH_GOVERNANCE": "grace@example.com"}
    with browser(shop, auth_settings(settings | {"MESH_URL": "https://market.example.com"})) as client:
        yield client


def sent(client, who, **fields):
    return client.post(FORM, data={"token": token(client.get("/products/readings/access", headers=who).text), **fields}, headers=who)


def told(client):
    return client.get(f"/api/v1{FORM}", headers=EVE).json()


def test_a_product_is_reviewed_answered_changed_and_a_hidden_review_leaves_a_trace(pages, shop):
    assert "Nobody has said anything of it yet." in pages.get(PRODUCT, headers=EVE).text
    assert sent(pages, EVE, do="say", stars="2", text=f"Too late. {HARM}").headers["location"] == f"{PRODUCT}#reviews"
    page = pages.get(PRODUCT, headers=ANN).text
    assert "Too late. &lt;script&gt;" in page and "2 of 5 stars" in page and "Verified reader" not in page

    sent(pages, EVE, do="say", stars="4", text="Better now.")
    ledger = opened_ledger(shop)
    with ledger.writing() as connection:
        for who, days in (("eve@example.com", 91), ("ann@example.com", 3)):
            record_read(connection, "readings", "measurements_sql", who, datetime.now(UTC) - timedelta(days=days), "query")
    ledger.close()
    sent(pages, ANN, do="say", stars="5", text="")
    assert [(each["person"], each["stars"], each["verified_reader"]) for each in told(pages)["shown"]] == [
        ("ann@example.com", 5, True),
        ("eve@example.com", 4, False),
    ]
    assert told(pages)["stars"] == 4.5

    def waiting(who):
        return [review["person"] for review in pages.get("/api/v1/inbox", headers=who).json()["unanswered_reviews"]]

    assert (waiting(OWNER), waiting(ANN)) == (["ann@example.com", "eve@example.com"], [])
    assert "Better now." in pages.get("/inbox", headers=OWNER).text
    assert sent(pages, OWNER, do="answer", person="eve@example.com", text="It is loaded at five since.").status_code == 303
    assert waiting(OWNER) == ["ann@example.com"]
    assert "plant-lead@example.com answers:" in text(pages.get(PRODUCT, headers=EVE).text)

    assert sent(pages, GRACE, do="hide", person="eve@example.com", text="It names a customer.").status_code == 303
    page = text(pages.get(PRODUCT, headers=ANN).text)
    assert "Better now." not in page and "is hidden by grace@example.com" in page and "It names a customer." in page
    (hidden,) = told(pages)["hidden"]
    assert hidden["because"] == "It names a customer." and "person" not in hidden
    sent(pages, EVE, do="say", stars="1", text="Said again.")
    assert len(told(pages)["shown"]) == 1, "what is hidden stays so when it is changed"
    sent(pages, GRACE, do="show", person="eve@example.com")
    assert [each["text"] for each in told(pages)["shown"] if each["person"] == "eve@example.com"] == ["Said again."]


NOT_ALLOWED = {
    "no stars": (EVE, {"do": "say", "text": "Good."}, "one to five stars"),
    "six stars": (EVE, {"do": "say", "stars": "6"}, "one to five stars"),
    "an owner": (OWNER, {"do": "say", "stars": "5"}, "write none"),
    "an answer of somebody else": (EVE, {"do": "answer", "person": "ann@example.com", "text": "No."}, "an owner of the product answers"),
    "an owner hides": (OWNER, {"do": "hide", "person": "ann@example.com", "text": "No."}, "governance hides reviews"),
    "without a reason": (GRACE, {"do": "hide", "person": "ann@example.com", "text": " "}, "say why"),
    "of nobody": (GRACE, {"do": "hide", "person": "nobody@example.com", "text": "x"}, "has not reviewed"),
    "nothing": (EVE, {}, "nothing that can be done"),
}


@pytest.mark.parametrize(("who", "fields", "why"), NOT_ALLOWED.values(), ids=NOT_ALLOWED)
def test_what_may_not_be_said_is_refused_with_the_reason(pages, who, fields, why):
    before = told(pages)
    answer = sent(pages, who, **fields)
    assert answer.status_code == 403 and why in answer.text
    assert told(pages) == before
