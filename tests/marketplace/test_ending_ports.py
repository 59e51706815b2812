"""An output port that ends: its page and JSON say so, and readers confirm that they have moved."""

import pytest

from platform_resources.marketplace.people.auth_settings import auth_settings
from tests.marketplace.test_people import as_, browser, token
from tests.marketplace.test_product_pages import text
from tests.meshes import edited, product_file

pytestmark = pytest.mark.slow
PRODUCT, PORT = "/products/readings", "/products/readings/ports/measurements_sql/switched"
EVE, OWNER = as_("eve@example.com"), as_("plant-lead@example.com")
FILE = product_file("plant", "readings")


@pytest.fixture(scope="module")
def pages(shop):
    ends = "interface: sql\n        data_set: measurements\n        version: 1.1.0\n        replacement: measurements_file\n        end_date: 2099-06-30"
    edited(shop, FILE, "interface: sql\n        data_set: measurements", ends)
    edited(shop, FILE, "version: 1.1.0\n        archetype", "version: 2.0.0\n        archetype")
    settings = {"MESH_AUTH": "proxy", "MESH_AUTH_PROXIES": "10.0.0.0/8", "MESH_URL": "https://market.example.com"}
    with browser(shop, auth_settings(settings)) as client:
        yield client


def ending(client, who):
    (port,) = (each for each in client.get(f"/api/v1{PRODUCT}", headers=who).json()["ports"] if each["name"] == "measurements_sql")
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
