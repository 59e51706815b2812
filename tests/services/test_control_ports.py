"""Control ports: products register themselves at a real server that fails, hangs and comes back, and in files."""

import json
import shutil
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import attr
import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test
from openlineage.client.event_v2 import RunEvent
from openlineage.client.facet_v2 import column_lineage_dataset, schema_dataset

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.people.control_deliveries import ControlDelivery, note_delivery
from platform_resources.ledger.records import Run
from platform_resources.ledger.writing import write
from platform_resources.orchestration.delivery_sensor import _begun
from platform_resources.services.control_ports.declared_ports import control_port_states
from platform_resources.services.control_ports.registering import register
from platform_resources.services.standards.exported_products import export
from platform_resources.spec.problems import problems_text
from platform_resources.spec.reading import read_product
from tests.marketplace.shop_mesh import NOW, opened_ledger, shop_mesh
from tests.meshes import component, document, edited, product_file

pytestmark = pytest.mark.slow
READINGS = product_file("plant", "readings")
FIRST = "    - name: Warmest first"
SECRET = {"CATALOG_TOKEN": "s3cret-of-the-catalog"}
CATALOG = """\
    - name: Company catalog
      type: control-port
      properties:
        {kind: catalog, format: dprod, url: "URL/products", within: 1s, headers: {Authorization: "Bearer ${CATALOG_TOKEN}"}}
"""
FILES = """\
    - {name: Promises, type: control-port, properties: {kind: slo-registry, file: told/readings.openslo.yaml}}
    - {name: Lineage, type: control-port, properties: {kind: event-sink, file: told/events.jsonl}}
"""


class Catalog(ThreadingHTTPServer):
    """Takes what it is sent, unless its `mood` is another."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Asked)
        self.mood, self.got, self.hung = "well", [], threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Asked(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        if self.server.mood == "hangs":
            self.server.hung.wait(20)
            return
        self.server.got.append((self.server.mood, dict(self.headers), body))
        self.send_response({"well": 201, "fails": 503, "moved": 302}[self.server.mood])
        if self.server.mood == "moved":
            self.send_header("location", f"{self.server.url}/elsewhere")
        self.end_headers()
        if self.server.mood == "fails":
            self.wfile.write(f"cannot take {self.headers['Authorization']}".encode())

    def log_message(self, *_):
        """Nothing on the terminal."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return shop_mesh(tmp_path_factory.mktemp("registered") / "mesh", NOW)


@pytest.fixture
def mesh(made, tmp_path):
    return shutil.copytree(made, tmp_path / "mesh", symlinks=True)


@pytest.fixture
def catalog():
    server = Catalog()
    yield server
    server.hung.set()
    server.shutdown()
    server.server_close()


def with_ports(mesh, ports, url=""):
    edited(mesh, READINGS, FIRST, ports.replace("URL", url) + FIRST)


def registered(mesh, after, environment=SECRET):
    plan, problems = read_plan(mesh)
    assert not plan.rejected, problems
    ledger = opened_ledger(mesh)
    try:
        return register(ledger, mesh, mesh, plan, plan.products, NOW + timedelta(minutes=after), environment)
    finally:
        ledger.close()


def states(mesh):
    ledger = opened_ledger(mesh)
    try:
        with ledger.reading() as connection:
            return {each.title: each for each in control_port_states(connection, read_plan(mesh)[0].product("readings"))}
    finally:
        ledger.close()


def test_a_catalog_that_fails_hangs_and_comes_back_gets_the_product_once(mesh, catalog):
    with_ports(mesh, CATALOG, catalog.url)
    catalog.mood = "fails"
    (told,) = registered(mesh, 0).failed
    assert (
        told.startswith("control port readings.company_catalog: it answers with status 503: cannot take")
        and SECRET["CATALOG_TOKEN"] not in told
    )
    assert "503" in states(mesh)["Company catalog"].last_error
    # Not before its time: then it hangs, and holds nobody up for longer than it may.
    assert registered(mesh, 0.5) == type(registered(mesh, 0.5))()
    catalog.mood = "hangs"
    assert registered(mesh, 2).failed == ("control port readings.company_catalog: it did not answer in time",)
    catalog.mood = "well"
    assert registered(mesh, 3).taken == 0, "two minutes after the second attempt"
    assert registered(mesh, 5).taken == 1
    assert registered(mesh, 600).taken == 0, "the same is not sent twice"
    refused, taken = catalog.got
    assert taken[2] == export(mesh, read_plan(mesh)[0].product("readings"), "dprod", {}).text == refused[2]
    assert taken[1]["Idempotency-Key"] == refused[1]["Idempotency-Key"]
    assert taken[1]["Authorization"] == f"Bearer {SECRET['CATALOG_TOKEN']}"
    state = states(mesh)["Company catalog"]
    assert (state.last_error, state.taken_at, state.waiting) == ("", NOW + timedelta(minutes=5), 0)


def test_a_contract_that_changes_is_told_at_once_and_no_redirection_gets_a_secret(mesh, catalog):
    with_ports(mesh, CATALOG, catalog.url)
    assert registered(mesh, 0).taken == 1
    edited(mesh, READINGS, "Every temperature that a sensor has sent.", "All that sensors have sent.")
    catalog.mood = "moved"
    assert "302" in registered(mesh, 1).failed[0]
    catalog.mood = "well"
    assert registered(mesh, 10).taken == 1
    assert "All that sensors have sent." in catalog.got[-1][2]
    assert len(catalog.got) == 3


def test_a_secret_that_is_not_set_is_named(mesh, catalog):
    with_ports(mesh, CATALOG, catalog.url)
    assert registered(mesh, 0, {}).failed == ("control port readings.company_catalog: CATALOG_TOKEN is not set in the environment",)
    assert catalog.got == []


def test_files_hold_the_newest_document_and_every_event_of_refreshes(mesh):
    with_ports(mesh, FILES)
    ledger = opened_ledger(mesh)
    because = "Conversion Error: Could not convert string 'Ada' to INT32"
    failed = Run("readings-bad", "readings", "refresh_readings", "failed", NOW, NOW + timedelta(seconds=9), "build", because, 1)
    with ledger.writing() as connection:
        write(connection, [failed])
    ledger.close()
    assert registered(mesh, 1).failed == ()
    product = read_plan(mesh)[0].product("readings")
    assert (mesh / "registered/told/readings.openslo.yaml").read_text() == export(mesh, product, "openslo", {}).text
    lines = (mesh / "registered/told/events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert registered(mesh, 2).taken == 0 and (mesh / "registered/told/events.jsonl").read_text().splitlines() == lines
    kinds = [event["eventType"] for event in events]
    assert kinds == ["START", "COMPLETE"] * (len(kinds) // 2 - 1) + ["START", "FAIL"] and len(kinds) >= 14
    said = events[-1]["run"]["facets"]["errorMessage"]["message"]
    assert said == "step build failed; why is told to those who see the whole product", "a catalog is read by others too"
    started, ended = events[-4:-2]
    assert started["run"]["runId"] == ended["run"]["runId"] and started["eventTime"] < ended["eventTime"]
    assert [each["name"] for each in ended["inputs"]] == ["readings.inputs.deliveries"]
    outputs = {each["name"]: each for each in ended["outputs"]}
    assert set(outputs) == {"readings.measurements_sql", "readings.measurements_file"}
    facets = outputs["readings.measurements_sql"]["facets"]
    assert {"name": "degrees", "type": "decimal(6,2)"}.items() <= facets["schema"]["fields"][2].items()
    (made_from,) = facets["columnLineage"]["fields"]["degrees"]["inputFields"]
    assert (made_from["namespace"], made_from["name"], made_from["field"]) == ("mesh", "readings.inputs.deliveries", "degrees")
    for event in events:
        assert_official(event)
    state = states(mesh)["Lineage"]
    assert (state.format, state.waiting, state.last_error) == ("openlineage", 0, "")


def test_a_file_called_like_one_of_the_platform_replaces_none(mesh):
    ours = "ports/plant/readings/latest.json"
    with_ports(mesh, FILES.replace("told/readings.openslo.yaml", ours))
    before = (mesh / ours).read_bytes()
    assert registered(mesh, 1).failed == ()
    assert (mesh / ours).read_bytes() == before and (mesh / "registered" / ours).exists()
    assert (mesh / "registered").stat().st_mode & 0o777 == 0o700


def test_what_a_sink_that_was_gone_for_long_never_took_is_not_told_for_ever(mesh):
    with_ports(mesh, FILES)
    ledger = opened_ledger(mesh)
    with ledger.writing() as connection:
        for days in (3, 40):
            tried = NOW - timedelta(days=days)
            lost = ControlDelivery("readings", "lineage", f"run-{days}:START", "x", "", tried, tried, 9, "it cannot be reached")
            note_delivery(connection, lost)
    ledger.close()
    assert registered(mesh, 1).failed == ()
    state = states(mesh)["Lineage"]
    assert (state.waiting, state.last_error) == (1, "it cannot be reached")


def assert_official(event):
    """No field but those of the official client, with which each is made again; its validators look at ids, times and addresses."""
    known = {field.name for field in attr.fields(RunEvent)}
    assert set(event) <= known and event["schemaURL"].endswith("RunEvent")
    for output in event["outputs"]:
        for name, facet in output["facets"].items():
            assert facet["_producer"] and facet["_schemaURL"].startswith("https://openlineage.io/spec/facets/"), name
        assert {key for each in output["facets"]["schema"]["fields"] for key in each} <= {
            field.name for field in attr.fields(schema_dataset.SchemaDatasetFacetFields)
        }
        for fields in output["facets"].get("columnLineage", {"fields": {}})["fields"].values():
            for each in fields["inputFields"]:
                column_lineage_dataset.InputField(**each)


BAD = {
    "kind: catalog\nurl: https://catalog.example.com": "catalog gets",
    "kind: catalog\nformat: dprdo\nurl: https://catalog.example.com": 'did you mean "dprod"?',
    "kind: catalog\nformat: dprod": "write either url",
    "kind: catalog\nformat: dprod\nfile: ../elsewhere": "below registered/ in the folder of the mesh's state",
    'kind: catalog\nformat: dprod\nfile: "a\\0b"': "below registered/ in the folder of the mesh's state",
    "kind: catalog\nformat: dprod\nurl: https://catalog/?api_key=hunter2": "the URL holds what looks like a secret in api_key=",
    "kind: catalog\nformat: dprod\nurl: https://catalog\nheaders: {X-Auth-Token: hunter2}": "X-Auth-Token would be a secret that everybody reads",
    "kind: catalog\nformat: dprod\nurl: ftp://catalog": "url begins with http",
    "kind: catalog\nformat: openlineage\nfile: a": "write kind: event-sink",
}


@pytest.mark.parametrize("said", BAD)
def test_a_control_port_that_is_not_complete_is_refused(said, registry):
    text = document(component("sales", "domain"), component("orders", "data-product"), component("Catalog", "control-port", said))
    assert BAD[said] in problems_text(read_product(text, "product.yaml", registry).problems)


def test_the_sensor_of_a_domain_sees_a_refresh_that_goes_on():
    with dg.DagsterInstance.ephemeral() as instance:
        create_run_for_test(instance, job_name="refresh_readings", tags={"product": "readings"}, status=dg.DagsterRunStatus.STARTED)
        now = datetime.now(UTC)
        assert _begun(instance, ["readings", "summary"], now) == {"readings"}
        assert (
            _begun(instance, ["summary"], now)
            == _begun(instance, [], now)
            == _begun(instance, ["readings"], now + timedelta(hours=1))
            == set()
        )
