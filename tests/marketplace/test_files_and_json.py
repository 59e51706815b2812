"""Reading by machines: files of published ports, whole and in parts, and everything that pages show as JSON."""

import subprocess
from datetime import timedelta

import pytest
import yaml
from fastapi.routing import APIRoute

from platform_resources.ledger.queries.reads import reads_of_products
from platform_resources.marketplace.application import application
from platform_resources.marketplace.kept_view import opened_market
from platform_resources.publications.published_versions import shelf
from platform_resources.services.showing.seen_mesh import WITHHELD
from tests.marketplace.shop_mesh import NOW, opened_ledger
from tests.marketplace.test_people import token

pytestmark = pytest.mark.slow
PORT = "/api/v1/products/readings/ports/measurements_file"
ADDRESSES = (
    "products",
    "products/readings",
    "products/readings/versions",
    "products/readings/lineage",
    "products/readings/columns/degrees",
    "products/readings/profiles/measurements",
    "search?q=temperature",
    "compare?p=readings&p=summary",
    "products/readings/similar",
    "domains",
    "incidents",
    "incidents/readings/1",
)


# Of each page, where its content is as JSON.
AS_JSON = {
    "/": "home",
    "/search": "search",
    "/products/{name}": "products/{name}",
    "/products/{name}/columns/{column:path}": "products/{name}/columns/{column}",
    "/products/{name}/access": "products/{name}/access",
    "/compare": "compare",
    "/map": "map",
    "/map/{name}": "map",
    "/candidates": "candidates",
    "/domains": "domains",
    "/domains/{name}": "domains/{name}",
    "/incidents": "incidents",
    "/incidents/{cause}/{number}": "incidents/{cause}/{number}",
    "/products/{name}/expect": "products/{name}/access",
    "/inbox": "inbox",
    "/lab": "lab",
    "/lab/result.{form}": "query",
}
NO_JSON = {
    "/products/{name}/product.yaml": "it is a document for programs itself",
    "/expectations/{name}/patch": "it is a patch for programs itself",
    "/tokens": "a token must not tell of its person's other tokens",
    "/new": "a form; what it leads to is a patch",
    "/new/{draft}": "a form; what it leads to is a patch",
    "/sign-in": "a token takes its place",
    "/api": "openapi.json says the same",
    "/health/live": "for whoever starts servers",
    "/health/ready": "for whoever starts servers",
}


@pytest.fixture
def published(shop):
    return shelf(shop, "plant", "readings")


def newest(client):
    return client.get(f"{PORT}/file").headers["location"]


def content(published, index=-1):
    version = published.published()[index]
    return published.path(version.port("measurements_file").files[0]).read_bytes()


def test_the_address_without_a_version_leads_to_the_newest(client, published):
    answer = client.get(f"{PORT}/file", follow_redirects=True)
    assert answer.status_code == 200
    assert answer.content == content(published)
    assert f"/versions/{published.latest().id}/" in str(answer.url)


def test_a_version_can_be_pinned(client, published):
    first = published.published()[0]
    answer = client.get(f"{PORT}/file?version={first.id}", follow_redirects=True)
    assert answer.content == content(published, 0) != content(published)
    assert client.get(f"{PORT}/file?version=20200101T000000.000000Z").status_code == 404


def test_a_download_that_broke_off_goes_on_with_the_same_version(client, published):
    whole = content(published)
    begun = client.get(newest(client), headers={"range": "bytes=0-99"})
    assert begun.status_code == 206 and begun.headers["content-range"] == f"bytes 0-99/{len(whole)}"
    rest = client.get(newest(client), headers={"range": "bytes=100-", "if-range": begun.headers["etag"]})
    assert rest.status_code == 206
    assert begun.content + rest.content == whole


def test_a_part_of_another_version_is_never_taken_for_one_of_this(client, published):
    other = client.get(f"{PORT}/file?version={published.published()[0].id}").headers["location"]
    tag = client.head(other).headers["etag"]
    answer = client.get(newest(client), headers={"range": "bytes=100-", "if-range": tag})
    assert answer.status_code == 200 and answer.content == content(published), "the whole file instead"


def test_a_part_of_no_named_version_is_refused_loudly(client):
    answer = client.get(f"{PORT}/file", headers={"range": "bytes=100-"})
    assert answer.status_code == 412
    assert "add ?version=" in answer.json()["error"]


def test_who_has_a_version_already_is_not_sent_it_again(client):
    tag = client.head(newest(client)).headers["etag"]
    answer = client.get(newest(client), headers={"if-none-match": tag})
    assert answer.status_code == 304 and not answer.content


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("bytes=999999999-", 416),
        ("bytes=abc", 400),
        (f"bytes={','.join(f'{n}-{n}' for n in range(0, 400, 2))}", 200),
        ("bytes=5-2", 400),
        ("bytes=-10", 206),
    ],
)
def test_senseless_parts_cost_nothing(client, published, asked, status):
    answer = client.get(newest(client), headers={"range": asked})
    assert answer.status_code == status
    assert len(answer.content) <= len(content(published))


@pytest.mark.parametrize(
    "path",
    [
        "versions/{version}/files/latest.json",
        "versions/{version}/files/..%2f..%2f..%2flatest.json",
        "versions/{version}/files/%2fetc%2fpasswd",
        "versions/..%2f..%2fversions/files/measurements.parquet",
        "versions/../../files/measurements.parquet",
    ],
)
def test_nothing_but_files_of_the_port_can_be_had(client, published, path):
    answer = client.get(f"{PORT}/{path.format(version=published.latest().id)}")
    assert answer.status_code == 404
    assert b"PAR1" not in answer.content and b"published" not in answer.content


def test_a_file_is_never_compressed_on_its_way(client):
    assert "content-encoding" not in client.get(newest(client), headers={"accept-encoding": "gzip"}).headers
    assert client.get("/", headers={"accept-encoding": "gzip"}).headers["content-encoding"] == "gzip"


def test_downloads_are_counted_once_for_each_that_begins(client, shop):
    ledger = opened_ledger(shop)

    def downloads():
        with ledger.reading() as connection:
            found = reads_of_products(connection, {"readings"}, NOW - timedelta(days=1), NOW + timedelta(days=1), {})["readings"]
            return found.by_port["measurements_file"].count, found.readers

    client.get(newest(client))
    before, readers = downloads()
    client.get(newest(client))
    assert downloads()[0] == before + 1
    client.get(newest(client), headers={"range": "bytes=50-"})
    client.head(newest(client))
    client.get(newest(client), headers={"if-none-match": client.head(newest(client)).headers["etag"]})
    assert downloads()[0] == before + 1
    assert len(readers) == 1, "the person at this computer"
    ledger.close()


def test_the_text_to_copy_for_curl_loads_the_file(client, published, tmp_path):
    access = client.get("/api/v1/products/readings").json()["ports"]
    (text,) = [each["text"] for port in access if port["name"] == "measurements_file" for each in port["access"] if each["kind"] == "curl"]
    subprocess.run(text, shell=True, cwd=tmp_path, check=True, capture_output=True, timeout=300)
    assert (tmp_path / "measurements.parquet").read_bytes() == content(published)


@pytest.mark.parametrize("what", ADDRESSES)
def test_what_pages_show_is_there_as_json(client, what):
    answer = client.get(f"/api/v1/{what}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()
    assert "Ada" not in answer.text, "values of personal columns are not told"


def test_every_page_has_its_content_as_json_or_a_reason_why_not(shop):
    """A new page that is in neither list fails here."""
    app = application(opened_market(shop), watch=False)
    routers = [router.original_router.routes if hasattr(router, "original_router") else [router] for router in app.routes]
    routes = [route for some in routers for route in some if isinstance(route, APIRoute) and "GET" in route.methods]
    assert {route.path for route in routes if not route.include_in_schema} == AS_JSON.keys() | NO_JSON.keys()
    assert not AS_JSON.keys() & NO_JSON.keys()
    assert {f"/api/v1/{path}" for path in AS_JSON.values()} <= app.openapi()["paths"].keys()


def test_requests_and_saved_queries_are_told_as_json_as_the_pages_show_them(client):
    form = token(client.get("/lab").text)
    saved = {"token": form, "title": "How many", "sql": "select count(*) from readings.measurements"}
    client.post("/lab/saved", data=saved)
    lab = client.get("/api/v1/lab?of=readings").json()
    assert [(each["title"], each["reads"]) for each in lab["saved"]] == [("How many", ["readings"])]
    assert {each["product"] for each in lab["tables"]} == {"readings"} and "from readings.measurements" in lab["tables"][0]["query"]
    roles = client.get("/api/v1/products/readings/access").json()["roles"]
    analyst = next(role for role in roles if role["role"] == "analyst")
    assert "degrees" in analyst["clear"] and "operator" not in analyst["clear"]
    client.post("/products/readings/access", data={"token": form, "role": "analyst", "purpose": "Is it warm?"})
    inbox = client.get("/api/v1/inbox").json()
    assert [(each["product"], each["role"], each["purpose"]) for each in inbox["asked_for"]] == [("readings", "analyst", "Is it warm?")]
    assert inbox["open_incidents"] == ["readings#1"]


def test_a_product_is_a_document_of_another_standard_and_its_page_leads_there(client):
    answer = client.get("/api/v1/products/readings/exports/odcs?version=3.1.0")
    assert (answer.status_code, answer.headers["content-disposition"]) == (200, 'attachment; filename="readings.odcs.yaml"')
    assert answer.text.startswith("apiVersion: v3.1.0\nkind: DataContract\n")
    assert 'href="/api/v1/products/readings/exports/odcs"' in client.get("/products/readings").text


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("readings/exports/odcs?version=2", 400, "odcs does not take these settings"),
        ("readings/exports/odc", 404, "There is no format"),
        ("reading/exports/odcs", 404, "There is no product"),
    ],
)
def test_a_document_that_there_is_not_is_told(client, path, status, told):
    answer = client.get(f"/api/v1/products/{path}")
    assert (answer.status_code, told in answer.json()["error"]) == (status, True)


def test_openapi_has_every_address(client):
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    asked = {f"/api/v1/{address.partition('?')[0]}" for address in ADDRESSES}
    known = {path.replace("{name}", "readings").replace("{data_set}", "measurements").replace("{column}", "degrees") for path in paths}
    known = {path.replace("{cause}", "readings").replace("{number}", "1") for path in known}
    assert asked <= known
    assert not [path for path in paths if not path.startswith("/api/v1/")]
    listed = client.get("/api").text
    assert all(path in listed for path in paths)


def test_json_says_what_is_wrong_with_numbers_and_not_in_sentences_only(client):
    (readings,) = [each for each in client.get("/api/v1/products").json()["products"] if each["name"] == "readings"]
    assert readings["status"] == "use with care" and readings["columns_concerned"] == ["measurements.degrees"]
    missed = [each for each in client.get("/api/v1/products/readings").json()["promises"] if each["verdict"] == "missed"]
    assert [(each["value"], each["at_least"], each["unit"]) for each in missed] == [(50.0, 60.0, "%")]


def test_mistakes_in_addresses_are_told_as_json_too(client):
    assert client.get("/api/v1/products/reading").json() == {
        "error": "There is no product “reading” in this mesh.",
        "hint": 'did you mean "readings"?',
    }
    assert client.get("/api/v1/products/readings/profiles/nothing").status_code == 404
    assert client.get("/api/v1/incidents/readings/0").status_code == 404
    assert client.get("/api/v1/incidents/readings/x").status_code == 400
    assert client.get("/api/v1/compare").status_code == 400


def test_datahub_hears_what_was_promised_what_came_of_it_and_where_columns_come_from(client):
    proposals = client.get("/api/v1/products/readings/exports/datahub").json()
    runs = {each["entityUrn"]: each["aspect"]["json"]["result"] for each in proposals if each["aspectName"] == "assertionRunEvent"}
    assert runs["urn:li:assertion:readings.most_readings_have_a_temperature"]["type"] == "FAILURE"
    assert runs["urn:li:assertion:readings.readings_are_never_deleted"]["type"] == "SUCCESS"
    proposals = client.get("/api/v1/products/summary/exports/datahub").json()
    (lineage,) = [each["aspect"]["json"] for each in proposals if each["aspectName"] == "upstreamLineage"]
    upstream = "urn:li:dataset:(urn:li:dataPlatform:mesh,readings.measurements,PROD)"
    assert [each["dataset"] for each in lineage["upstreams"]] == [upstream]
    fields = {each["downstreams"][0].rpartition(",")[2]: each["upstreams"] for each in lineage["fineGrainedLineages"]}
    assert fields["warmest)"] == [f"urn:li:schemaField:({upstream},degrees)"]


def test_results_that_are_handed_on_tell_nothing_of_columns_that_may_be_hidden(client):
    document = yaml.safe_load(client.get("/api/v1/products/readings/exports/oors").text)
    results = {result["name"]: result for result in document["results"]}
    broken, grows = results["Most readings have a temperature"], results["Readings are never deleted"]
    assert (broken["status"], broken["message"]) == ("warn", WITHHELD)
    assert broken["measure"] == {"threshold": {"mustBeGreaterOrEqualTo": 60.0}, "unit": "percent"}
    assert (grows["status"], grows["measure"]["value"] > 4) == ("pass", True)
    runs = [
        each["aspect"]["json"]
        for each in client.get("/api/v1/products/readings/exports/datahub").json()
        if "RunEvent" in each["aspectName"]
    ]
    (told,) = [each["result"] for each in runs if each["assertionUrn"].endswith("most_readings_have_a_temperature")]
    assert told == {"type": "FAILURE", "nativeResults": {"reason": WITHHELD}}
