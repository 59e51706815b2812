"""Which columns are made from which, on the pages of products and columns and as JSON, followed from product to product."""

import json
import shutil

import httpx
import pytest

from tests.marketplace.shop_mesh import served
from tests.marketplace.test_product_pages import text

pytestmark = pytest.mark.slow
WARMEST = "/products/summary/columns/warmest?of=sensors"
DEGREES = "/products/readings/columns/degrees?of=measurements"


def row(page, column):
    """A column's row in the table of its product's page."""
    begin = page.index(f'id="column-{column}"')
    return page[begin : page.index("</tr>", begin)]


def test_each_column_says_where_it_comes_from_and_leads_there(client):
    warmest = row(client.get("/products/summary").text, "sensors-warmest")
    assert "From degrees of Sensor readings, computed." in text(warmest)
    assert f'href="{DEGREES}"' in warmest
    degrees = row(client.get("/products/readings").text, "measurements-degrees")
    assert "From degrees of source deliveries. Used in 1 column of Sensor summary." in text(degrees)


def test_which_rows_there_are_is_told_apart_from_what_is_in_them(client):
    summary = client.get("/products/summary").text
    assert "Which rows there are is decided by sensor of Sensor readings." in text(summary)
    page = client.get(WARMEST).text
    above = page[page.index('id="made-from"') : page.index('id="used"')]
    value, rows = text(above).split("Decides which rows there are")
    assert "degrees Sensor readings, measurements computed" in value and "sensor" not in value.split("Its value is made from")[1].split()
    assert "sensor Sensor readings, measurements row-level" in rows


def test_a_columns_page_says_whom_a_change_of_it_concerns(client):
    page = client.get(DEGREES).text
    used = text(page[page.index('id="used"') :])
    assert "warmest Sensor summary, sensors computed" in used
    assert "Plant dashboard reads Sensor summary, of office dashboard" in used
    assert f'href="{WARMEST}"' in page


def test_a_column_that_no_place_is_named_for_is_that_of_the_only_data_set(client):
    assert "A column of the data set sensors of" in text(client.get("/products/summary/columns/WARMEST").text)


def test_sources_and_input_ports_have_pages_too(client):
    assert "source deliveries, outside of the mesh" in client.get("/products/readings/columns/degrees?of=sources/deliveries").text
    assert "input port measurements" in client.get("/products/summary/columns/degrees?of=inputs/measurements").text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/products/summary/columns/warmst", "Did you mean"),
        ("/products/summary/columns/warmest?of=nothing", "Summary has no model, input or source nothing"),
        ("/products/summary/columns/degrees?of=sources/measurements", "has no model, input or source"),
    ],
)
def test_a_column_that_there_is_not_is_said_with_what_may_be_meant(client, path, words):
    answer = client.get(path)
    assert answer.status_code == 404
    assert words in answer.text


def test_the_same_is_there_as_json(client):
    found = client.get("/api/v1/products/summary/columns/warmest").json()
    above = {(each["product"], each["place"], each["column"]): each["how"] for each in found["upstream"]}
    assert above["readings", "measurements", "degrees"] == "computed"
    assert above["readings", "measurements", "sensor"] == "row-level"
    assert found["unknown"] == []
    columns = {each["column"]: each for each in client.get("/api/v1/products/summary/lineage").json()["columns"]}
    assert [(each["column"], each["how"]) for each in columns["warmest"]["made_from"]] == [("degrees", "computed"), ("sensor", "row-level")]


def test_what_is_not_known_is_said(made_shop, tmp_path):
    """Of the one product the lineage could not be read off its SQL; of the other no build has told anything."""
    mesh = shutil.copytree(made_shop, tmp_path / "mesh", symlinks=True)
    (mesh / "lineage/office/summary.json").unlink()
    file = mesh / "lineage/plant/readings.json"
    known = json.loads(file.read_text())
    known["models"]["measurements"]["unresolved"] = "it is made by Python"
    file.write_text(json.dumps(known))
    with served(mesh) as address, httpx.Client(base_url=address, timeout=300) as client:
        degrees = row(client.get("/products/readings").text, "measurements-degrees")
        assert "Not known what it is made from: it is made by Python." in text(degrees)
        page = text(client.get(DEGREES).text)
        assert "readings.measurements : it is made by Python" in page
        assert "summary : it has not been built yet" in page
        assert "degrees Sensor readings, source deliveries not known for sure" in page
        warmest = row(client.get("/products/summary").text, "sensors-warmest")
        assert "Not known what it is made from: it has not been built yet." in text(warmest)
        told = client.get("/api/v1/products/readings/columns/degrees").json()["unknown"]
        assert told == [
            {"place": "readings.measurements", "why": "it is made by Python"},
            {"place": "summary", "why": "it has not been built yet"},
        ]
