"""The marketplace as somebody sees it who does not see everything: pages, JSON and files have nothing that is hidden."""

import httpx
import pytest

from platform_resources.marketplace.display.rendering import size
from tests.marketplace.shop_mesh import served

# On duty in the published versions: a value of a personal column.
HIDDEN = "Ada"


def reading(shop, name):
    with served(shop, reader=name) as address, httpx.Client(base_url=address, timeout=300) as client:
        yield client


@pytest.fixture(scope="module")
def bob(shop, no_other_mesh):
    """Somebody without a grant."""
    yield from reading(shop, "bob")


@pytest.fixture(scope="module")
def summary(shop, no_other_mesh):
    """A product of another domain that has the role analyst."""
    yield from reading(shop, "product:summary")


def columns(client):
    found = client.get("/api/v1/products/readings/profiles/measurements").json()["columns"]
    return {column["name"]: column.keys() - {"name", "type", "rows", "sampled", "hidden"} for column in found}


def test_a_profile_tells_nothing_of_a_column_whose_mask_tells_less(summary):
    """Not even how many are null: from one version to the next that says it of the row which is new."""
    seen = columns(summary)
    assert {"minimum", "maximum", "histogram"} <= seen["degrees"]
    assert seen["operator"] == set()


def test_documents_for_other_tools_are_for_those_who_see_the_whole_product(bob, client):
    address = "/api/v1/products/readings/exports/odcs"
    assert (bob.get(address).status_code, client.get(address).status_code) == (403, 200)
    assert 'id="exports"' not in bob.get("/products/readings").text
    declared = "/products/readings/product.yaml"
    assert (bob.get(declared).status_code, client.get(declared).text.startswith("apiVersion")) == (403, True)
    assert [declared in who.get("/products/readings").text for who in (bob, client)] == [False, True]


def test_what_stages_require_and_lack_is_told_to_those_who_see_the_whole_product(bob, client):
    """Evidence may name people."""
    assert [len(who.get("/api/v1/products/readings").json()["stages"]) for who in (bob, client)] == [0, 2]
    assert ['id="stages"' in who.get("/products/readings").text for who in (bob, client)] == [False, True]


def test_without_a_grant_a_profile_tells_names_and_types(bob):
    assert set(map(frozenset, columns(bob).values())) == {frozenset()}
    page = bob.get("/products/readings").text
    assert "values hidden" in page and "different; values hidden" not in page


def test_a_download_has_the_view_of_the_reader(summary, client):
    address = "/api/v1/products/readings/ports/measurements_file/file"
    whole, seen = (who.get(address, follow_redirects=True) for who in (client, summary))
    assert HIDDEN.encode() in whole.content
    assert seen.status_code == 200 and HIDDEN.encode() not in seen.content
    assert whole.headers["etag"] != seen.headers["etag"]
    assert seen.headers["cache-control"] == "private, no-cache"
    sizes = [f"parquet, {size(len(answer.content))}" for answer in (whole, seen)]
    assert sizes[0] != sizes[1]
    for who, told, other in ((client, *sizes), (summary, *reversed(sizes))):
        page = who.get("/products/readings").text
        assert told in page and other not in page


def test_a_download_without_a_grant_says_what_to_ask_whom(bob):
    answer = bob.get("/api/v1/products/readings/ports/measurements_file/file")
    assert answer.status_code == 403
    assert answer.json()["hint"].startswith("bob has no grant for a role of readings; ask for one: mesh access request readings")
    direct = bob.get(f"/api/v1/products/readings/ports/measurements_file/versions/{newest(bob)}/files/measurements.parquet")
    assert direct.status_code == 403


def newest(client):
    return client.get("/api/v1/products/readings/versions").json()[0]["id"]


def test_versions_have_the_ports_of_the_view_and_no_file_of_another(bob, summary, client):
    ports = [who.get("/api/v1/products/readings/versions").json()[0]["ports"] for who in (bob, summary, client)]
    assert ports[0] == []
    assert ports[1][0]["files"] != ports[2][0]["files"]
    assert ports[1][0]["views"] == {} and ports[2][0]["views"]


def test_reasons_that_may_quote_a_value_are_told_to_those_who_see_the_column(bob, summary, client):
    told = [who.get("/api/v1/products/readings").json()["health"] for who in (bob, summary, client)]
    assert [each["status"] for each in told] == [told[2]["status"]] * 3
    assert "told to those who see the whole product" in told[0]["reason"]
    assert told[1]["reason"] == told[2]["reason"]


def test_an_incident_tells_what_fails_and_not_by_which_numbers(bob, client):
    (one,) = client.get("/api/v1/incidents").json()
    path = f"/api/v1/incidents/{one['name'].replace('#', '/')}"
    told, withheld = (who.get(path).json() for who in (client, bob))
    assert told["failures"][0]["value"] and not withheld["failures"][0]["value"]
    assert withheld["failures"][0]["fault"] == told["failures"][0]["fault"]
    assert withheld["title"] == withheld["failures"][0]["fault"]
    assert withheld["failures"][0]["reason"] in bob.get(path.removeprefix("/api/v1")).text


def test_a_page_that_was_made_for_one_reader_is_not_sent_to_another(bob, client):
    whole = client.get("/products/readings").text
    assert bob.get("/products/readings").text != whole
    assert client.get("/products/readings").text == whole


def test_what_a_reader_may_copy_reads_the_view(bob, client):
    def texts(who):
        return {each["kind"]: each["text"] for port in who.get("/api/v1/products/readings").json()["ports"] for each in port["access"]}

    assert texts(bob).keys() == {"mesh", "curl"}
    assert '-H "Authorization: Bearer $MESH_TOKEN"' in texts(bob)["curl"], "without it a server here gives the file of its own user"
    assert "python" in texts(client) and "MESH_TOKEN" not in texts(client)["curl"]


def test_all_of_another_product_is_seen_as_before(summary, client):
    for path in ("/products/summary", "/api/v1/products/summary/versions"):
        assert summary.get(path).status_code == client.get(path).status_code == 200
    assert summary.get("/api/v1/products/summary/versions").json() == client.get("/api/v1/products/summary/versions").json()
