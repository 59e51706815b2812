"""Documents to products: the ways to write one thing, the two examples, and names."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.capabilities.registry import installed_registry
from platform_resources.dbt.planning import read_plan
from platform_resources.plan.from_products.mesh_plan import mesh_plan
from platform_resources.repository.mesh_repository import read_mesh
from platform_resources.spec.document import read_document
from platform_resources.spec.problems import problems_text
from platform_resources.spec.reading import read_product
from tests.meshes import TINY_MESH, component, document, model_file, product_file, product_yaml, write_mesh

EXAMPLES = Path(__file__).parent / "examples"
ARTICLE = (EXAMPLES / "seed-article.product.yaml").read_text(encoding="utf-8")
CUSTOMERS = (EXAMPLES / "customer_360.product.yaml").read_text(encoding="utf-8")
DOMAIN = component("sales", "domain")


def read(text):
    return read_product(text, "product.yaml", installed_registry())


def product(text):
    reading = read(text)
    assert problems_text(reading.problems) == ""
    return reading.product


def info(properties):
    return product(document(DOMAIN, component("orders", "data-product", properties))).info


EQUAL = [
    ("description: Text", "description: {value: Text}"),
    ("description: Text", "definition: Text"),
    ("owners: {business: a@b.de}", "data_product_owner: {value: a@b.de}"),
    ("archetype: source-aligned", "data_product_type: Source Oriented"),
    ("archetype: consumer-aligned", "archetype: Consumer_Aligned"),
    ("class: building-block", "class: Building Block"),
    ("certified: true", "certified: 'Yes'"),
    ("certified: false", "certified: {value: ' no '}"),
    ("tags: [a, b]", "tags: {value: [a, b]}"),
    ("refresh: {cron: '0 5 * * *'}", "refresh: {value: {cron: '0 5 * * *', timezone: UTC}}"),
    ("keep_versions: 3", "keep_versions: '3'"),
    ("title: null", "purpose: ''"),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_two_ways_to_write_a_property_mean_the_same(one, other):
    assert info(one) == info(other)


def wrapped(text):
    data = read_document(text, "product.yaml").data
    for written in data["spec"]["components"]:
        written["properties"] = {name: {"value": value} for name, value in (written.get("properties") or {}).items()}
    return yaml.safe_dump(data)


@pytest.mark.parametrize("text", [CUSTOMERS, *(text for path, text in TINY_MESH.items() if path.endswith("product.yaml"))])
def test_a_document_with_every_property_wrapped_is_the_same_product(text):
    plain, other = product(text), product(wrapped(text))
    groups = ("data_sets", "input_ports", "output_ports", "objectives", "indicators", "agreements", "sample_queries", "consumers")
    assert plain.info == other.info
    for group in groups:
        pairs = zip(getattr(plain, group), getattr(other, group), strict=True)
        assert all((a.name, a.config, a.variant, a.settings) == (b.name, b.config, b.variant, b.settings) for a, b in pairs)


def test_a_wrapped_value_keeps_its_own_line():
    text = document(DOMAIN, component("orders", "data-product", "version:\n  value: one"))
    assert [(p.line, p.path) for p in read(text).problems] == [(11, "components[1].properties.version.value")]


def test_the_customer_example_has_no_problem():
    found = product(CUSTOMERS)
    assert (found.name, found.domain, found.info.owners.technical) == ("customer_360", "customer", "team:customer-data")
    assert [port.variant for port in found.input_ports] == ["data-product", "python"]
    assert [objective.variant for objective in found.objectives] == ["freshness", "volume", "completeness", "custom-sql"]
    assert found.input_ports[0].config.max_staleness == timedelta(hours=36)


def test_the_article_gives_the_product_inventory_levels():
    found = product(ARTICLE)
    assert (found.name, found.domain, found.info.archetype, found.info.certified) == ("inventory_levels", "supply", "source-aligned", False)
    assert found.info.owners.business == "supply-data@example.com"
    assert found.data_sets[0].config.model == "stock_on_hand"
    assert [(port.name, port.variant) for port in found.input_ports] == [
        ("input_from_erp_stock", "external"),
        ("input_from_dp_product_catalog", "data-product"),
    ]
    assert [(port.title, port.variant) for port in found.output_ports] == [("JDBC-Port of DP inventory_levels", "sql")]


ARTICLE_MESH = {product_file("supply", "inventory_levels"): ARTICLE}
CATALOG = product_yaml(
    "product_catalog", "sales", component("products", "data-set"), component("JDBC-Port of DP product_catalog", "output-port")
)


def test_the_article_alone_loads_with_a_warning_only(tmp_path):
    plan, problems = read_plan(write_mesh(tmp_path, ARTICLE_MESH))
    assert [found.name for found in plan.products] == ["inventory_levels"]
    assert problems_text(problems) == (
        "dataproducts/supply/inventory_levels/product.yaml:37  components[5].properties.associated_output_port\n"
        '  warning: no output port "JDBC-Port of DP product_catalog" in the mesh; write <product>.<output port>'
    )


def test_the_article_finds_the_port_of_its_upstream_by_title(tmp_path):
    catalog = {product_file("sales", "product_catalog"): CATALOG, model_file("sales", "product_catalog", "products"): "select 1 as id"}
    plan, problems = read_plan(write_mesh(tmp_path, {**ARTICLE_MESH, **catalog}))
    assert problems_text(problems) == ""
    assert [found.name for found in plan.products] == ["product_catalog", "inventory_levels"]
    port = plan.product("inventory_levels").inputs[1]
    assert (port.upstream.product, port.upstream.port) == ("product_catalog", "jdbc_port_of_dp_product_catalog")
    assert port.dependencies == (("product_catalog", "outputs", "jdbc_port_of_dp_product_catalog"),)


def test_every_problem_of_a_document_is_reported_at_once():
    text = (
        CUSTOMERS.replace("interface: sql", "interface: sqll").replace("max_age: 24h", "max_age: 24").replace("target: 80", "target: 800")
    )
    assert [p.path for p in read(text).problems] == [
        "components[5].properties.interface",
        "components[7].properties.max_age",
        "components[8].properties.target",
    ]


def test_a_name_that_is_a_name_already_is_kept():
    text = document(DOMAIN, component("a__b_", "data-product"), component("Some Port", "input-port"))
    assert (product(text).name, product(text).input_ports[0].name) == ("a__b_", "some_port")


WORDS = ["orders", "24h", "sales", "freshness", "", "x y"]
KEYS = ["name", "type", "value", "columns", "x"]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "description",
    "columns",
    "primary_key",
    "refresh",
    "owners",
    "tags",
    "interface",
    "dimension",
    "max_age",
    "roles",
    "uses",
    "options",
]
components = st.fixed_dictionaries(
    {"name": st.just("c") | values, "type": st.sampled_from(sorted(installed_registry().component_types())) | values},
    optional={"properties": st.dictionaries(st.sampled_from(FIELDS), values, max_size=4) | values},
)


@given(st.lists(components | values, max_size=4))
def test_whatever_a_document_says_reading_and_planning_give_a_product_or_an_error_and_never_raise(written):
    head = [{"name": "d", "type": "domain"}, {"name": "p", "type": "data-product"}]
    spec = {"apiVersion": "core.oam.dev/v1beta1", "kind": "DataProduct", "spec": {"components": [*head, *written]}}
    reading = read_product(yaml.safe_dump(spec), "dataproducts/d/p/product.yaml", installed_registry())
    assert (reading.product is None) == any(problem.severity == "error" for problem in reading.problems)
    assert not [problem for problem in reading.problems if "input should" in problem.message.lower()]


def test_a_mesh_without_products_is_an_empty_plan(tmp_path):
    plan, problems = mesh_plan(read_mesh(write_mesh(tmp_path, {})))
    assert (plan.products, plan.rejected, problems) == ((), (), ())
