"""Pages on which one finds and compares: search, domains, compare."""

import re

import httpx
import pytest

from tests.marketplace.shop_mesh import served
from tests.marketplace.test_product_pages import text
from tests.meshes import TINY_MESH, model_file, product_file, tiny_mesh, write_mesh

pytestmark = pytest.mark.slow


def hits(client, address):
    return re.findall(r'<h2><a href="/products/(\w+)">', client.get(address).text)


def test_a_typing_error_is_forgiven_and_said(client):
    page = client.get("/search?q=temprature").text
    assert "/products/readings" in page
    assert "Nothing has “temprature”, so temperature was looked for." in text(page).replace(" , so", ", so").replace("  ", " ")


def test_why_it_was_found_is_marked(client):
    assert "<mark>temperature</mark>" in client.get("/search?q=temperature").text.lower()


def test_facets_narrow_down_and_say_how_many_there_are(client):
    assert sorted(hits(client, "/search")) == ["readings", "summary"]
    assert hits(client, "/search?domain=office") == ["summary"]
    assert hits(client, "/search?health=use+with+care") == ["readings"]
    assert hits(client, "/search?domain=nowhere") == []
    assert "Show all again" in client.get("/search?domain=office").text


@pytest.mark.parametrize("query", ["<script>alert(1)</script>", '" onfocus="x', "'; drop table products", "%00", "a" * 5000, "(", '"', "*"])
def test_whatever_is_searched_for_is_only_text(client, query):
    answer = client.get("/search", params={"q": query})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text and 'onfocus="x"' not in answer.text


def test_nothing_found_says_what_to_do(client):
    page = text(client.get("/search?q=zzzzqqq").text)
    assert "Nothing is called or described like this." in page and "All products" in page


def test_compare_puts_what_differs_first(client):
    page = client.get("/compare?p=readings&p=summary").text
    labels = re.findall(r'<tr(?: class="same")?><th scope="row">([^<]+)<', page)
    assert labels.index("Health") < labels.index("Access") or "Access" not in labels
    assert "for both" in page
    assert labels[-1] in [label for label in labels if f'class="same"><th scope="row">{label}' in page]


def test_compare_has_columns_in_common_and_says_that_grades_are_not_computed_yet(client):
    page = text(client.get("/compare?p=readings&p=summary").text)
    assert re.search(r"Grade in six letters \d+ of 100, \w+ \(discoverable \d+, [^)]*\) not computed yet", page)
    assert "Columns in common sensor for both" in page


def test_compare_takes_four_and_names_what_there_is_not(client):
    assert client.get("/compare?p=readings&p=readings").status_code == 200
    assert client.get("/compare?p=nothing").status_code == 404
    assert client.get("/compare").status_code == 200


def test_domains_are_shown_with_their_promises_and_the_digest_that_would_be_sent(client):
    assert "Plant" in client.get("/domains").text
    page = text(client.get("/domains/plant").text)
    assert "Plant: 0 of 1 product healthy" in page
    assert "None is sent." in page
    assert client.get("/domains/nowhere").status_code == 404


def test_the_map_leads_from_domains_to_their_products_and_on_to_those_around(client):
    whole = client.get("/map").text
    assert 'href="/map/plant"' in whole and 'href="/map/office"' in whole
    assert "Plant 0 of 1 healthy no other domain Office" in text(whole)
    near = client.get("/map/office").text
    assert 'href="/products/summary"' in near and 'href="/map/plant"' in near
    assert "around them Plant." in near and "Sensor summary Healthy Sensor readings no product" in text(near)
    assert client.get("/map/nowhere").status_code == 404


EVERY_PAGE = ("/", "/search", "/compare", "/domains", "/map", "/incidents", "/candidates", "/api", "/api/v1/products")


def test_a_mesh_in_which_nothing_has_happened_yet_says_so_on_every_page(tmp_path):
    with served(tiny_mesh(tmp_path)) as address, httpx.Client(base_url=address, timeout=300) as client:
        for path in (*EVERY_PAGE, "/products/readings", "/products/summary", "/domains/plant", "/compare?p=readings&p=summary"):
            assert client.get(path).status_code == 200, path
        page = text(client.get("/products/readings").text)
        assert "Nothing was published yet." in page
        assert "No version yet." in page and "There is nothing to read yet" in page
        assert client.get("/api/v1/products/readings/ports/measurements_file/file").status_code == 404
        assert "Nothing is published yet." in text(client.get("/").text)


def test_a_mesh_without_a_product_says_how_one_begins(tmp_path):
    with served(write_mesh(tmp_path, {})) as address, httpx.Client(base_url=address, timeout=300) as client:
        for path in EVERY_PAGE:
            assert client.get(path).status_code == 200, path
        assert "No product yet." in text(client.get("/").text)


def test_a_product_whose_versions_are_damaged_is_shown_all_the_same(tmp_path):
    tiny_mesh(tmp_path)
    damaged = tmp_path / "ports/plant/readings/latest.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{")
    with served(tmp_path) as address, httpx.Client(base_url=address, timeout=300) as client:
        page = client.get("/products/readings")
        assert page.status_code == 200
        assert "Unreadable: nobody can tell which version is published." in text(page.text)
        assert client.get("/").status_code == 200
        for path in ("versions", "ports/measurements_file/file"):
            assert client.get(f"/api/v1/products/readings/{path}").status_code == 503


def test_a_large_mesh_is_a_square_for_each_product_and_only_trouble_is_listed(tmp_path):
    for number in range(30):
        name = f"part_{number:02}"
        document = TINY_MESH[product_file("plant", "readings")].replace("name: readings", f"name: {name}")
        texts = {
            product_file("plant", name): document.replace(
                "primary_key: [reading_id]", f"model: {name}_rows\n        primary_key: [reading_id]"
            ),
            f"dataproducts/plant/{name}/README.md": "# Part\n",
            model_file("plant", name, f"{name}_rows"): TINY_MESH[model_file("plant", "readings", "measurements")].replace(
                "source('readings'", f"source('{name}'"
            ),
        }
        write_mesh(tmp_path, texts)
    with served(tmp_path) as address, httpx.Client(base_url=address, timeout=300) as client:
        home = client.get("/").text
    assert "The whole mesh" in home and "An arrow means" not in home
    assert home.count('aria-label="Sensor readings: Not published"') == 30
    assert home.count('<th scope="row"><a href="/products/part_') == 12
    assert "18 more are not healthy" in home


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/products/readings", 200), ("/search?q=sensor", 200), ("/products/nothing", 404)]
)
def test_whether_a_page_is_there_can_be_asked_without_reading_it(client, path, status):
    asked = client.head(path)
    assert (asked.status_code, asked.headers["content-type"]) == (status, client.get(path).headers["content-type"])
