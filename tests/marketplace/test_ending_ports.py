"""An output port that ends: its page and JSON say so, and readers confirm that they have moved."""

from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.marketplace.people.auth_settings import auth_settings
from platform_resources.services.access.tokens import WantedToken, new_token
from tests.marketplace.shop_mesh import opened_ledger
from tests.marketplace.test_people import as_, browser, token
from tests.marketplace.test_product_pages import text
from tests.meshes import edited, product_file

pytestmark = pytest.mark.slow
PRODUCT, PORT = "/products/readings", "/products/readings/ports/measurements_sql/switched"
SETTINGS = {"MESH_AUTH": "proxy", "MESH_AUTH_PROXIES": "10.0.0.0/8", "MESH_URL": "https://market.example.com"}
EVE, OWNER = as_("eve@example.com"), as_("plant-lead@example.com")
FILE = product_file("plant", "readings")


@pytest.fixture(scope="module")
def pages(shop):
    ends = "interface: sql\n        data_set: measurements\n        version: 1.1.0\n        replacement: measurements_file\n        end_date: 2099-06-30"
    edited(shop, FILE, "interface: sql\n        data_set: measurements", ends)
    edited(shop, FILE, "version: 1.1.0\n        archetype", "version: 2.0.0\n        archetype")
    with browser(shop, auth_settings(SETTINGS)) as client:
        yield client


@pytest.fixture(scope="module")
def issue(shop, pages):
    plan, _ = read_plan(shop)
    ledger = opened_ledger(shop)

    def issued(*scopes):
        wanted = WantedToken("ann@example.com", ("team:lab",), "a test", scopes, datetime.now(UTC) + timedelta(days=1))
        return {"authorization": f"Bearer {new_token(ledger, plan, wanted, datetime.now(UTC))[0]}"}

    yield issued
    ledger.close()


def ending(client, who):
    (port,) = (listed for listed in client.get(f"/api/v1{PRODUCT}", headers=who).json()["ports"] if listed["name"] == "measurements_sql")
    return port["version"], port["ending"]


def test_readers_see_what_takes_the_place_of_a_port_and_owners_see_who_is_still_on_it(pages):
    page = text(pages.get(PRODUCT, headers=EVE).text)
    assert "This port ends on 2099-06-30. Until then it keeps its promises as version 1.1.0." in page and "still on it" not in page
    assert ending(pages, EVE)[1]["readers"] is None
    assert "still on it" in text(pages.get(PRODUCT, headers=OWNER).text)
    version, told = ending(pages, OWNER)
    assert (version, told["replacement"], "summary" in [each["name"] for each in told["readers"]]) == ("1.1.0", "measurements_file", True)


def test_a_reader_confirms_the_switch_and_speaks_for_nobody_else(pages):
    form = {"token": token(pages.get(f"{PRODUCT}/access", headers=EVE).text)}
    assert pages.post(PORT, data={**form, "consumer": "ann@example.com"}, headers=EVE).status_code in (400, 403)
    assert (
        pages.post(PORT, data={**form, "consumer": "eve@example.com"}, headers=EVE).headers["location"]
        == f"{PRODUCT}#port-measurements_sql"
    )
    assert [each["consumer"] for each in ending(pages, OWNER)[1]["moved"]] == ["eve@example.com"]
    assert "Moved: eve@example.com." in text(pages.get(PRODUCT, headers=OWNER).text)


def test_a_program_confirms_the_switch_by_json(pages, issue):
    acts = issue("act")
    answer = pages.post(f"/api/v1{PORT}", json={}, headers=acts)
    assert (answer.status_code, answer.json()["consumer"], answer.json()["by"]) == (201, "ann@example.com", "ann@example.com")
    assert pages.post(f"/api/v1{PORT}", json={"consumer": "team:lab"}, headers=acts).json()["consumer"] == "team:lab"
    assert {moved["consumer"]: moved["by"] for moved in ending(pages, OWNER)[1]["moved"]}.items() >= {
        ("ann@example.com", "ann@example.com"),
        ("team:lab", "ann@example.com"),
    }


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        (PORT, {"consumer": "eve@example.com"}, 422, "you may say it of ann@example.com, team:lab; not of “eve@example.com”"),
        (
            PORT.replace("_sql", "_file"),
            {},
            422,
            "readings has no output port measurements_file that ends; those that do: measurements_sql",
        ),
        (PORT.replace("/readings/", "/reading/"), {}, 404, "reading"),
        (PORT, {"reader": "ann@example.com"}, 400, "What was sent is not written as it should be."),
    ],
)
def test_a_switch_that_cannot_be_says_why(pages, issue, path, body, status, said):
    answer = pages.post(f"/api/v1{path}", json=body, headers=issue("act"))
    assert (answer.status_code, said in answer.text) == (status, True), answer.text


def test_a_token_to_read_says_nothing_of_switches(pages, issue):
    answer = pages.post(f"/api/v1{PORT}", json={}, headers=issue("metadata", "data"))
    assert answer.status_code == 403 and "not for act" in answer.text


def test_a_port_whose_end_has_come_keeps_no_promises_any_more(shop, pages):
    edited(shop, FILE, "end_date: 2099-06-30", "end_date: 2026-01-31")
    with browser(shop, auth_settings(SETTINGS)) as client:
        page = text(client.get(PRODUCT, headers=EVE).text)
    assert "This port came to its end on 2026-01-31, and may be taken away. It kept its promises as version 1.1.0." in page
    assert "Until then" not in page


def test_a_product_whose_port_is_gone_is_not_called_unknown(shop, pages):
    edited(shop, product_file("office", "summary"), "readings.measurements_sql", "readings.measurements_gone")
    with browser(shop, auth_settings(SETTINGS)) as client:
        answer = client.get("/api/v1/products/summary", headers=OWNER)
        nowhere = client.get("/api/v1/products/summery", headers=OWNER)
    assert (answer.status_code, answer.json()["error"]) == (404, "summary is not loaded: its documents have problems.")
    assert nowhere.json()["error"] == "There is no product “summery” in this mesh."
