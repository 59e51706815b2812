"""A product as documents for other tools: what is written is reviewed as golden files, and read by those who know the format."""

import json
import operator
from datetime import UTC, datetime

import duckdb
import pytest
import rdflib
import yaml
from rdflib import DCAT, RDF

from platform_resources.capabilities.protocols import AgreedRole, ColumnSource, Exported, ExportEvidence, NothingToTell, ObjectiveResult
from platform_resources.capabilities.registry import installed_registry
from tests.golden_files import assert_golden
from tests.interchange.products import product_of
from tests.meshes import REPOSITORY, document

GOLDEN = REPOSITORY / "tests/golden/exports"
EXPORTS = installed_registry().exports()
DPROD = rdflib.Namespace("https://ekgf.github.io/dprod/")
ORDERS = document(
    "- {name: sales, type: domain}",
    """
- name: orders
  type: data-product
  properties:
    title: Orders
    description: Every order, "as it was" at the till.
    purpose: Planning.
    version: 1.2.0
    lifecycle: production
    archetype: source-aligned
    owners: {business: ann@example.com, technical: "team:sales-data"}
    tags: [sales]
""",
    "- {name: tills, type: input-port, properties: {interface: external}}",
    "- {name: stores, type: input-port, properties: {interface: data-product, associated_output_port: stores.stores_sql, version: ^1}}",
    """
- name: orders
  type: data-set
  properties:
    description: One row per order.
    model: all_orders
    primary_key: [order_id]
    updated_at: ordered_at
    columns:
      - {name: order_id, type: bigint, classification: internal, description: The order., tests: [unique]}
      - {name: ordered_at, type: timestamptz, classification: internal}
      - {name: net, type: "decimal(18,2)", unit: USD, nullable: true, classification: personal, tags: [money]}
      - {name: labels, type: "varchar[]", nullable: true}
""",
    "- {name: orders_sql, type: output-port, properties: {interface: sql, data_set: orders}}",
    "- {name: orders_file, type: output-port, properties: {interface: file, format: csv, data_set: orders}}",
    "- {name: Orders are fresh, type: service-level-asset, properties: {dimension: freshness, data_set: orders, max_age: 36h}}",
    "- {name: One row per order, type: service-level-asset, properties: {dimension: uniqueness, data_set: orders, severity: error}}",
    "- {name: Enough orders, type: service-level-asset, properties: {dimension: volume, data_set: orders, at_least: 3, at_most: 9}}",
    "- {name: Net is there, type: service-level-asset, properties: {dimension: completeness, data_set: orders, columns: [net], at_least: 60}}",
    "- {name: Net is low, type: service-level-asset, properties: {dimension: validity, data_set: orders, column: net, min: 0, max: 10}}",
    "- {name: No refunds, type: service-level-asset, properties: {dimension: custom-sql, data_set: orders, failing_rows: net < 0}}",
    """
- name: Fresh over 20 days
  type: service-level-indicator
  properties: {service_level_name: Orders are fresh, interval: 90s, window: 30m, target: 99.9, description: Promised to planning.}
""",
    """
- name: Fresh in the month
  type: service-level-indicator
  properties: {service_level_name: Orders are fresh, window: month, target: 95, method: ratio-timeslices, timezone: Europe/Berlin}
""",
    "- {name: Only watched, type: service-level-indicator, properties: {service_level_name: One row per order}}",
    "- {name: Daily report, type: consumer, properties: {kind: report, uses: [orders_sql, orders_file]}}",
    "- {name: Forecast, type: consumer, properties: {kind: model, uses: [orders_file], owner: bob@example.com}}",
)


NOTHING = ExportEvidence()
AT = datetime(2026, 1, 2, tzinfo=UTC)
SEEN = ExportEvidence(
    (ColumnSource("orders", "net", "stores", "stores", "price"),),
    {
        "One row per order": ObjectiveResult("missed", AT, "2 of 3 rows", "error", 66.7, "%", 100.0, None, 2),
        "Enough orders": ObjectiveResult("unknown", AT),
        "Orders are fresh": ObjectiveResult("met", AT.replace(hour=5), "", "error", 60.0, "s", None, 129600.0),
        "Net is there": ObjectiveResult("missed", AT, "told to others", "warning"),
    },
    (
        AgreedRole("g1", "analyst", "eve@example.com", "Planning.", until=AT),
        AgreedRole("orders.1", "analyst", "product:stores", "Reporting.", "stores", AT),
        AgreedRole("g2", "auditor", "team:audit", "Audit."),
    ),
)


def exported(name: str, text: str = ORDERS, seen: ExportEvidence = NOTHING) -> str:
    export = EXPORTS[name]
    return export.text(export.config(), Exported(product_of(text), lambda: seen))


@pytest.mark.parametrize("name", EXPORTS)
def test_each_export_is_as_it_was_reviewed(name):
    assert_golden(exported(name, seen=SEEN), GOLDEN / f"orders{EXPORTS[name].ending}")


def test_linked_data_are_read_and_every_port_leads_to_its_data_set():
    graph = rdflib.Graph().parse(data=exported("dprod"), format="json-ld")
    (product,) = graph.subjects(RDF.type, DPROD.DataProduct)
    assert product == rdflib.URIRef("urn:data-product:orders")
    ports = set(graph.objects(product, DPROD.outputPort))
    assert len(ports) == 2
    for port in ports:
        assert (port, RDF.type, DCAT.DataService) in graph
        (distribution,) = graph.objects(port, DPROD.isAccessServiceOf)
        assert list(graph.objects(distribution, DPROD.isDistributionOf)) == list(graph.objects(product, DPROD.outputDataset))
    assert rdflib.URIRef("urn:data-product:stores:port:stores_sql") in set(graph.objects(product, DPROD.inputPort))
    for owner in graph.objects(product, DPROD.dataProductOwner):
        assert (owner, RDF.type, rdflib.PROV.Agent) in graph


def test_exposures_are_what_dbt_reads_and_lead_to_the_models():
    from dbt.cli import main  # noqa: F401  # dbt's modules import each other in a circle that begins here
    from dbt.contracts.graph.unparsed import UnparsedExposure

    exposures = yaml.safe_load(exported("dbt-exposures"))["exposures"]
    for exposure in exposures:
        UnparsedExposure.validate(exposure)
    assert [(each["name"], each["type"], each["owner"], each["depends_on"]) for each in exposures] == [
        ("orders_daily_report", "analysis", {"email": "ann@example.com"}, ["ref('all_orders')"]),
        ("orders_forecast", "ml", {"email": "bob@example.com"}, ["ref('all_orders')"]),
    ]


def test_slos_promise_what_the_indicators_do():
    service, rolling, calendar = yaml.safe_load_all(exported("openslo"))
    assert (service["kind"], service["metadata"]["name"]) == ("Service", "orders")
    assert (rolling["spec"]["timeWindow"], rolling["spec"]["objectives"][0]["target"]) == ([{"duration": "30m", "isRolling": True}], 0.999)
    assert rolling["spec"]["objectives"][0]["timeSliceWindow"] == "2m", "there are no seconds, so a slice is longer, never shorter"
    assert calendar["spec"]["budgetingMethod"] == "RatioTimeslices"
    assert calendar["spec"]["timeWindow"][0]["calendar"]["timeZone"] == "Europe/Berlin"


def test_proposals_for_datahub_name_every_column_once():
    proposals = json.loads(exported("datahub"))
    (schema,) = [each["aspect"]["json"] for each in proposals if each["aspectName"] == "schemaMetadata"]
    assert [field["fieldPath"] for field in schema["fields"]] == ["order_id", "ordered_at", "net", "labels"]
    assert schema["primaryKeys"] == ["order_id"]
    urns = {each["entityUrn"] for each in proposals}
    assert {urn for urn in urns if not urn.startswith("urn:li:assertion:")} == {
        "urn:li:domain:sales",
        "urn:li:dataProduct:orders",
        "urn:li:dataset:(urn:li:dataPlatform:mesh,orders.orders,PROD)",
        "urn:li:dataContract:orders.orders",
    }
    (contract,) = [each["aspect"]["json"] for each in proposals if each["aspectName"] == "dataContractProperties"]
    assert {each["assertion"] for each in contract["dataQuality"]} == {urn for urn in urns if urn.startswith("urn:li:assertion:")}


def test_results_have_what_their_draft_requires_and_what_nobody_judged_does_not_pass():
    document = yaml.safe_load(exported("oors", seen=SEEN))
    assert {"apiVersion", "kind", "id", "observedAt", "source", "results"} == set(document) and document["source"]["process"]
    assert datetime.fromisoformat(document["observedAt"]) == AT.replace(hour=5), "when the newest of them was judged"
    assert all({"id", "type", "name", "status"} <= set(result) for result in document["results"])
    assert {result["name"]: result["status"] for result in document["results"]} == {
        "Orders are fresh": "pass",
        "One row per order": "fail",
        "Enough orders": "unknown",
        "Net is there": "warn",
        "Net is low": "unknown",
        "No refunds": "unknown",
    }
    with pytest.raises(NothingToTell, match="none of its objectives has been judged yet"):
        exported("oors")


def test_each_role_is_an_agreement_on_each_port_with_what_the_draft_requires():
    agreements = list(yaml.safe_load_all(exported("odaa", seen=SEEN)))
    assert len({agreement["id"] for agreement in agreements}) == len(agreements) == 6
    for agreement in agreements:
        assert {"apiVersion", "kind", "id", "status", "description", "provider", "consumer"} <= set(agreement)
        assert agreement["status"] == "approved" and agreement["description"]["purpose"]
        assert {"teamId", "dataProductId", "outputPortId"} <= set(agreement["provider"])
        assert agreement["provider"]["dataContractId"] == yaml.safe_load(exported("odcs"))["id"]
    assert [agreement["consumer"] for agreement in agreements[::2]] == [
        {"userId": "eve@example.com"},
        {"teamId": "stores", "dataProductId": "stores"},
        {"teamId": "audit"},
    ]
    for agreed, words in ((None, "told to its owners"), ((), "nobody has a role")):
        with pytest.raises(NothingToTell, match=words):
            exported("odaa", seen=ExportEvidence(agreed=agreed))


@pytest.mark.slow
def test_proposals_are_what_datahub_itself_reads(tmp_path, monkeypatch):
    monkeypatch.setenv("DATAHUB_TELEMETRY_ENABLED", "false")
    from datahub.ingestion.source.file import read_metadata_file

    file = tmp_path / "orders.json"
    file.write_text(exported("datahub", seen=SEEN))
    aspects = [each["aspectName"] for each in json.loads(file.read_text())]
    assert (aspects.count("assertionRunEvent"), aspects.count("upstreamLineage"), aspects.count("assertionInfo")) == (3, 1, 6)
    proposals = list(read_metadata_file(file))
    assert len(proposals) == len(json.loads(file.read_text()))
    assert all(proposal.aspect is not None and proposal.validate() for proposal in proposals)
    file.write_text(exported("datahub").replace('"fieldPath"', '"fieldWay"'))
    with pytest.raises((ValueError, TypeError, KeyError)):
        list(read_metadata_file(file))


def test_monitors_of_monte_carlo_alert_on_broken_data_and_on_no_other():
    monitors = yaml.safe_load(exported("monte-carlo"))["montecarlo"]["custom_sql"]
    good = "(1, 5.0), (2, 6.0), (3, 7.0), (4, null)"
    broken = {
        "orders_one_row_per_order": "(1, 5.0), (1, 6.0), (3, 7.0)",
        "orders_enough_orders": "(1, 5.0)",
        "orders_net_is_there": "(1, null), (2, null), (3, 5.0)",
        "orders_net_is_low": "(1, 5.0), (2, 6.0), (3, 11.0)",
        "orders_no_refunds": "(1, 5.0), (2, 6.0), (3, -1.0)",
    }
    assert {monitor["name"] for monitor in monitors} == set(broken)
    for monitor in monitors:
        assert (alerts(monitor, good), alerts(monitor, broken[monitor["name"]])) == (False, True), monitor["name"]


@pytest.mark.parametrize(
    ("old", "new", "gone"),
    [
        ("columns: [net], at_least: 60", "columns: [net], learned: true", {"orders_net_is_there"}),
        ("nullable: true, classification: personal", "missing: [-1]", {"orders_net_is_there", "orders_net_is_low", "orders_enough_orders"}),
    ],
)
def test_a_monitor_that_would_say_something_else_is_not_written(old, new, gone):
    monitors = yaml.safe_load(exported("monte-carlo", ORDERS.replace(old, new)))["montecarlo"]["custom_sql"]
    assert old in ORDERS
    assert {monitor["name"] for monitor in monitors}.isdisjoint(gone)


def alerts(monitor, rows: str) -> bool:
    """Whether the monitor would alert on a port with these rows."""
    compare = {"GT": operator.gt, "LT": operator.lt}
    with duckdb.connect() as database:
        database.execute("attach ':memory:' as orders; create schema orders.ports")
        database.execute(f"create table orders.ports.orders_sql as select * from (values {rows}) as t(order_id, net)")
        ((value,),) = database.execute(monitor["sql"]).fetchall()
    return any(compare[each["operator"]](value, each["threshold_value"]) for each in monitor["alert_conditions"])


@pytest.mark.parametrize("name", [name for name in EXPORTS if name not in ("odcs", "odps", "openslo")])
def test_what_is_only_written_is_not_read(name):
    assert EXPORTS[name].imported("kind: SLO", "x.yaml", "", "") is None
