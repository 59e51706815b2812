"""The plan of a mesh: the same bytes in any order, one bad product rejected alone, what changes a fingerprint."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from platform_resources.access.views import DataSetViews
from platform_resources.dbt.planning import read_plan
from platform_resources.plan.from_products.dbt_files import escaped
from platform_resources.plan.from_products.mesh_plan import mesh_plan
from platform_resources.plan.from_products.product_order import cycles, ordered
from platform_resources.plan.plan_text import fingerprint, plan_json
from platform_resources.repository.mesh_repository import read_mesh
from platform_resources.spec.problems import problems_text
from tests.golden_files import assert_golden
from tests.meshes import MEASUREMENTS_SQL, REPOSITORY, component, edited, model_file, product_file, product_yaml, write_mesh

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[1] / "golden"
READINGS, SUMMARY = product_file("plant", "readings"), product_file("office", "summary")


def reads(upstream):
    return component(f"{upstream}_input", "input-port", f"associated_output_port: {upstream}.{upstream}_sql")


def mesh_files(graph):
    """A product per name, each of which reads those named; all in the domain `shop`."""
    files = {}
    for name, upstream in graph.items():
        own = (component(f"{name}_rows", "data-set"), component(f"{name}_sql", "output-port"))
        files[product_file("shop", name)] = product_yaml(name, "shop", *map(reads, upstream), *own)
        files[model_file("shop", name, f"{name}_rows")] = "select 1 as id\n"
    return files


def test_the_plan_of_the_tiny_mesh_is_golden(tiny):
    plan, problems = read_plan(tiny)
    assert problems_text(problems) == ""
    assert_golden(plan_json(plan) + "\n", GOLDEN / "tiny_mesh_plan.json")


@pytest.mark.parametrize("product", ["readings", "summary"])
def test_the_generated_dbt_yaml_is_golden(tiny, product):
    (file,) = read_plan(tiny)[0].product(product).files
    assert_golden(file.text, GOLDEN / f"{product}_generated.yml")


def test_the_generated_dbt_yaml_of_tests_nullable_columns_and_a_view_is_golden(tiny):
    edited(tiny, model_file("plant", "readings", "measurements"), "-- Every", "{{ config(materialized='view') }}\n-- Every")
    edited(tiny, READINGS, "tests: [unique]", "tests: [unique, {not_null: {severity: warn, where: 1 = 1}}, {dbt_utils.at_least_one: }]")
    (file,) = read_plan(tiny)[0].product("readings").files
    assert_golden(file.text, GOLDEN / "_generated.yml")


@pytest.fixture(scope="module")
def sample():
    mesh = read_mesh(REPOSITORY)
    return mesh, plan_json(mesh_plan(mesh)[0])


@settings(max_examples=15)
@given(st.data())
def test_the_plan_does_not_depend_on_the_order_of_files(sample, data):
    mesh, expected = sample
    shuffled = replace(mesh, products=tuple(data.draw(st.permutations(mesh.products))))
    assert (plan_json(mesh_plan(shuffled)[0]) == expected) is True  # the two texts are too long for pytest to compare


def test_reading_a_mesh_twice_gives_the_same_bytes(tiny):
    assert plan_json(read_plan(tiny)[0]) == plan_json(read_plan(tiny)[0])


def test_products_come_after_those_they_read_from():
    plan, _ = read_plan(REPOSITORY)
    place = {product.name: at for at, product in enumerate(plan.products)}
    read = [(port.upstream.product, product.name) for product in plan.products for port in product.inputs if port.upstream]
    assert read
    assert [pair for pair in read if place[pair[0]] >= place[pair[1]]] == []


names = st.sampled_from("abcdef")


@given(st.text(st.sampled_from("{}%# a'\"-")))
def test_a_description_comes_out_of_dbts_templates_as_it_was_written(text):
    assert Environment(keep_trailing_newline=True).from_string(escaped(text)).render() == text


def test_no_description_reaches_dbt_as_a_template(tiny):
    edited(tiny, READINGS, "description: Which sensor.", 'description: "{{ 1/0 }} {% endraw %} {#"')
    edited(tiny, READINGS, "description: One row per reading of a sensor.", 'description: "{{ 1/0 }}"')
    edited(tiny, READINGS, "description: The loggers' daily file.", 'description: "{{ 1/0 }}"')
    (file,) = read_plan(tiny)[0].product("readings").files
    written = yaml.safe_load(file.text)
    (table,), (model,) = written["sources"][0]["tables"], written["models"]
    assert table["description"] == model["description"] == "{{ '{' }}{ 1/0 }}"
    assert model["columns"][1]["description"] == "{{ '{' }}{ 1/0 }} {{ '{' }}% endraw %} {{ '{' }}#"


@given(st.dictionaries(names, st.lists(names, max_size=4)))
def test_an_order_exists_exactly_where_there_is_no_circle(graph):
    found = cycles(graph)
    for cycle in found:
        assert all(after in graph[before] for before, after in pairwise((*cycle, cycle[0])))
    if not found:
        order = ordered(graph)
        assert sorted(order) == sorted(graph)
        assert all(order.index(up) < order.index(name) for name, ups in graph.items() for up in ups if up in graph)


BROKEN = [
    (READINGS, "max_age: 26h", "max_age: 26", "cannot be read at all"),
    (READINGS, "data_set: measurements\n        max_age", "data_set: measurement\n        max_age", "names no data set"),
    (model_file("plant", "readings", "measurements"), "'deliveries'", "'delivery'", "has a model that reads nothing"),
    (READINGS, "kind: DataProduct", "kind: [", "is no YAML"),
]


@pytest.mark.parametrize(("file", "old", "new", "why"), BROKEN, ids=[case[-1] for case in BROKEN])
def test_a_product_with_an_error_is_rejected_alone_and_its_consumers_stay(tiny, file, old, new, why):
    plan, problems = read_plan(edited(tiny, file, old, new))
    assert [product.name for product in plan.products] == ["summary"]
    assert [(rejected.name, rejected.file) for rejected in plan.rejected] == [("readings", READINGS)]
    assert plan.rejected[0].problems == problems
    assert len(problems) == 1


def test_a_rejected_product_is_told_its_own_problems_only(tmp_path):
    files = mesh_files({"orders": []})
    twin = files[product_file("shop", "orders")].replace("name: shop", "name: sales")
    files |= {product_file("sales", "orders"): twin, model_file("sales", "orders", "orders_rows"): "select 1 as id"}
    plan, _ = read_plan(write_mesh(tmp_path, files))
    assert plan.products == ()
    assert [{problem.file for problem in rejected.problems} for rejected in plan.rejected] == [{r.file} for r in plan.rejected]


def test_products_in_a_circle_are_rejected_and_those_beside_it_stay(tmp_path):
    graph = {"a": ["c"], "b": ["a"], "c": ["b"], "d": ["a"], "e": []}
    plan, _ = read_plan(write_mesh(tmp_path, mesh_files(graph)))
    assert [product.name for product in plan.products] == ["e", "d"]
    assert [rejected.name for rejected in plan.rejected] == ["a", "b", "c"]


def test_only_the_products_asked_for_are_planned_with_their_lineage(tiny):
    plan, _ = read_plan(tiny, ["summary"])
    assert [product.name for product in plan.products] == ["summary"]
    assert plan.product("summary").inputs[0].upstream.product == "readings"


UNREADABLE = [
    ("max_age: 26h", "max_age: 26", True, "a typo beside the port"),
    ("lifecycle: production", "lifecycle: prodution", False, "a typo beside the version"),
    (
        "data_set: measurements\n    - name: measurements_file",
        "data_sett: measurements\n    - name: measurements_file",
        False,
        "a typo in the port",
    ),
    ("type: bigint, classification", "type: bigin, classification", False, "a typo in the promised columns"),
    ("kind: DataProduct", "kind: [", False, "no YAML"),
]


@pytest.mark.parametrize(("old", "new", "promised", "why"), UNREADABLE, ids=[case[-1] for case in UNREADABLE])
def test_a_consumer_of_an_unreadable_product_keeps_its_lineage_and_its_fingerprint(tiny, old, new, promised, why):
    before = read_plan(tiny)[0].product("summary")
    after = read_plan(edited(tiny, READINGS, old, new))[0].product("summary")
    (port,), (former,) = after.inputs, before.inputs
    unknown = {"columns": (), "offers": None, "views": DataSetViews(), "domain_access": False}
    assert replace(port.upstream, **unknown) == replace(former.upstream, **unknown)
    assert (port.upstream.offers is not None) == promised
    assert port.dependencies == former.dependencies
    assert bool(port.upstream.columns) == promised
    assert fingerprint(after) == fingerprint(before)


@pytest.mark.parametrize(
    ("old", "new", "known"),
    [
        ("lifecycle: production", "lifecycle: production", True),
        ("lifecycle: production", "lifecycle: production\n    domain_access: no", False),
        ("lifecycle: production", "lifecycle: prodution", False),
        ("masked: [personal]", "masked: [personal], columns: {operator: no-mask}", True),
    ],
)
def test_that_a_domain_sees_everything_is_known_where_the_product_could_be_read(tiny, old, new, known):
    upstream = read_plan(edited(tiny, READINGS, old, new))[0].product("summary").inputs[0].upstream
    assert upstream.domain_access == known


def test_a_port_named_by_its_title_is_found_in_an_unreadable_product(tiny):
    edited(tiny, READINGS, "name: measurements_sql", "name: All the measurements")
    edited(tiny, READINGS, "port: measurements_sql", "port: All the measurements")
    edited(tiny, READINGS, "lifecycle: production", "lifecycle: prodution")
    edited(tiny, SUMMARY, "readings.measurements_sql", "All the measurements")
    upstream = read_plan(tiny)[0].product("summary").inputs[0].upstream
    assert (upstream.domain, upstream.product, upstream.port) == ("plant", "readings", "all_the_measurements")


def test_an_upstream_above_the_range_is_warned_of_and_promises_nothing_of_the_versions_read(tiny):
    plan, problems = read_plan(edited(tiny, READINGS, "version: 1.1.0", "version: 2.0.0"))
    assert [problem.severity for problem in problems] == ["warning"]
    upstream = plan.product("summary").inputs[0].upstream
    assert (upstream.version, upstream.columns) == ("^1", ())


@pytest.mark.parametrize("versions", ["^2", "1.2.0", '">=2 <1"', "~1.2"])
def test_a_range_that_no_version_can_have_reached_rejects_the_consumer(tiny, versions):
    plan, problems = read_plan(edited(tiny, SUMMARY, "version: ^1", f"version: {versions}"))
    assert [rejected.name for rejected in plan.rejected] == ["summary"]
    assert problems[0].message.startswith("no version of readings satisfies")


SAME = [
    (READINGS, "apiVersion", "# a comment\n\napiVersion"),
    (READINGS, "max_age: 26h", "max_age: {value: 1560m}"),
    ("dataproducts/plant/readings/README.md", "Call", "Please call"),
    ("dataproducts/plant/readings/landing/readings.csv", "20.50", "20.75"),
    (SUMMARY, "Sensor summary", "Summary of the sensors"),
]
OTHER = [
    (READINGS, "max_age: 26h", "max_age: 27h"),
    (READINGS, "description: Which sensor.", "description: Which of the sensors."),
    (READINGS, "at_least: 3", "at_least: 4"),
    (model_file("plant", "readings", "measurements"), "decimal(6, 2)", "decimal(6,2)"),
    ("dataproducts/plant/readings/extract.py", "return 1", "return 2"),
    ("dbt_project/tests/plant/readings/sums.sql", "degrees > 60", "degrees > 50"),
]
BESIDE = {
    "dataproducts/plant/readings/extract.py": "def readings(extraction):\n    return 1\n",
    "dbt_project/tests/plant/readings/sums.sql": "select * from {{ ref('measurements') }} where degrees > 60\n",
}


def fingerprints(root, change):
    write_mesh(root, BESIDE)
    before = fingerprint(read_plan(root)[0].product("readings"))
    return before, fingerprint(read_plan(edited(root, *change))[0].product("readings"))


@pytest.mark.parametrize("change", SAME, ids=lambda change: change[2][:25])
def test_a_fingerprint_stays_when_nothing_of_the_product_changes(tiny, change):
    before, after = fingerprints(tiny, change)
    assert before == after


@pytest.mark.parametrize("change", OTHER, ids=lambda change: change[2][:25])
def test_a_fingerprint_changes_with_the_spec_the_sql_and_the_code(tiny, change):
    before, after = fingerprints(tiny, change)
    assert before != after


def test_a_model_in_a_subfolder_belongs_to_the_product(tiny):
    (tiny / model_file("plant", "readings", "measurements")).unlink()
    plan, problems = read_plan(write_mesh(tiny, {"dbt_project/models/plant/readings/staging/measurements.sql": MEASUREMENTS_SQL}))
    assert problems_text(problems) == ""
    assert [model.name for model in plan.product("readings").models] == ["measurements"]
