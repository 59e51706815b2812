"""OpenAPI says what comes: every real answer is held against its description, in which nothing is left open."""

import copy

import jsonschema
import pytest

pytestmark = pytest.mark.slow
# By the path of OpenAPI, what is asked; answers of files are no JSON.
ASKED = {
    "/api/v1/products": ["/api/v1/products"],
    "/api/v1/search": ["/api/v1/search", "/api/v1/search?q=temprature", "/api/v1/search?q=sensor&domain=plant&certified=no"],
    "/api/v1/compare": ["/api/v1/compare?p=readings&p=summary"],
    "/api/v1/candidates": ["/api/v1/candidates"],
    "/api/v1/products/{name}": ["/api/v1/products/readings", "/api/v1/products/summary"],
    "/api/v1/products/{name}/versions": ["/api/v1/products/readings/versions"],
    "/api/v1/products/{name}/lineage": ["/api/v1/products/readings/lineage", "/api/v1/products/summary/lineage"],
    "/api/v1/products/{name}/columns/{column}": ["/api/v1/products/summary/columns/warmest"],
    "/api/v1/products/{name}/similar": ["/api/v1/products/readings/similar"],
    "/api/v1/products/{name}/reviews": ["/api/v1/products/readings/reviews"],
    "/api/v1/products/{name}/profiles/{data_set}": ["/api/v1/products/readings/profiles/measurements"],
    "/api/v1/products/{name}/score": ["/api/v1/products/readings/score"],
    "/api/v1/ports/{domain}/{name}/{port}/changes": ["/api/v1/ports/plant/readings/measurements_file/changes?limit=2"],
    "/api/v1/domains": ["/api/v1/domains"],
    "/api/v1/domains/{name}": ["/api/v1/domains/plant"],
    "/api/v1/home": ["/api/v1/home"],
    "/api/v1/map": ["/api/v1/map"],
    "/api/v1/hooks": ["/api/v1/hooks"],
    "/api/v1/inbox": ["/api/v1/inbox"],
    "/api/v1/lab": ["/api/v1/lab", "/api/v1/lab?of=readings"],
    "/api/v1/products/{name}/access": ["/api/v1/products/readings/access", "/api/v1/products/summary/access"],
    "/api/v1/incidents": ["/api/v1/incidents", "/api/v1/incidents?live=false"],
    "/api/v1/incidents/{cause}/{number}": ["/api/v1/incidents/readings/1"],
}
REFUSED = (
    "/api/v1/products/nothing",
    "/api/v1/products/summary/columns/nothing",
    "/api/v1/products/summary/score",
    "/api/v1/incidents/readings/99",
    "/api/v1/domains/nothing",
    "/api/v1/search?first=x",
)


@pytest.fixture(scope="module")
def document(client):
    """With every object closed: what is not described must not come."""
    return closed(client.get("/api/v1/openapi.json").json())


def closed(schema):
    match schema:
        case dict():
            inner = {name: closed(value) for name, value in schema.items()}
            return {**inner, "additionalProperties": False} if "properties" in schema and schema.get("type") == "object" else inner
        case list():
            return [closed(value) for value in schema]
        case _:
            return schema


def complaints(document, path, status, data):
    schema = document["paths"][path]["get"]["responses"][status]["content"]["application/json"]["schema"]
    validator = jsonschema.Draft202012Validator({**schema, "components": document["components"]})
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in validator.iter_errors(data)]


@pytest.mark.parametrize("path", ASKED)
def test_every_answer_is_as_it_is_described(client, document, path):
    for address in ASKED[path]:
        answer = client.get(address)
        assert answer.status_code == 200
        assert complaints(document, path, "200", answer.json()) == []


# No JSON, but what a format of its own is.
OF_A_FORMAT = {"/api/v1/products/{name}/exports/{form}", "/api/v1/metrics", "/api/v1/ports/{domain}/{name}/{port}/records"}


def test_no_answer_is_left_undescribed(document):
    files = "/api/v1/products/{name}/ports/{port}"
    given = {path for path, methods in document["paths"].items() if "get" in methods}
    assert given - set(ASKED) == {f"{files}/file", f"{files}/versions/{{version}}/files/{{file_name}}", *OF_A_FORMAT}
    for path in ASKED:
        schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert "$ref" in schema or "$ref" in schema["items"], path


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_refused_is_described_too(client, document, path):
    answer = client.get(path)
    assert 400 <= answer.status_code < 500
    assert complaints(document, "/api/v1/products/{name}", "4XX", answer.json()) == []


def test_a_field_more_less_or_of_another_kind_is_noticed(client, document):
    path = "/api/v1/products/{name}"
    right = client.get("/api/v1/products/readings").json()
    for change in (
        lambda data: data["trust"].pop("reads"),
        lambda data: data["health"].update(status="splendid"),
        lambda data: data["over_time"][0]["slices"][0].update(start=5),
        lambda data: data["ports"][0].update(secret="x"),
    ):
        wrong = copy.deepcopy(right)
        change(wrong)
        assert complaints(document, path, "200", wrong), change
