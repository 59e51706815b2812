"""Every feature of dbt that real projects use, in one product: what a refresh shows is what plain `dbt build` does of the same project."""

import json
import shutil
import subprocess
import sys

import dagster as dg
import pytest
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from platform_resources.orchestration.asset_specs import SpecMinter, asset_key
from platform_resources.warehouses.duckdb.product_database import opened
from tests.meshes import component, edited, model_file, product_file, product_yaml, write_mesh
from tests.refresh.running import environment, running

DBT = [sys.executable, "-c", "from dbt.cli.main import cli; cli()"]
FOLDER = "shop/kitchen"
PRODUCT = product_yaml(
    "kitchen",
    "shop",
    component("orders", "input-port", "interface: file\npath: orders.csv"),
    component("meals", "data-set", "columns: [{name: meal, type: varchar}, {name: sold, type: bigint, tests: [not_null]}]"),
    component("seen", "data-set", "columns: [{name: meal, type: varchar}]"),
    component("out", "output-port", "interface: sql\ndata_set: meals"),
)
OWN_YAML = """
version: 2
sources:
  - name: elsewhere
    config: {enabled: false}
    tables: [{name: nothing}]
models:
  - name: priced
    description: "{{ doc('priced') }}"
    config: {tags: [money]}
    columns:
      - name: meal
        data_tests:
          - unique
          - not_null: {name: a meal has a name, config: {severity: warn}}
          - accepted_values: {arguments: {values: [soup, stew]}, config: {where: "price > 0", warn_if: ">0", error_if: ">5"}}
          - relationships: {arguments: {to: ref('prices'), field: meal}}
      - {name: price, description: What a meal costs., data_tests: [positive]}
  - name: board
    latest_version: 2
    versions: [{v: 1}, {v: 2}]
seeds:
  - {name: prices, columns: [{name: meal, data_tests: [unique]}]}
snapshots:
  - name: prices_over_time
    relation: ref('prices')
    config: {unique_key: meal, strategy: check, check_cols: all, schema: internal}
unit_tests:
  - name: a meal costs what its price says
    model: dear
    given: [{input: ref('prices'), rows: [{meal: soup, price: 3}, {meal: stew, price: 5}]}]
    expect: {rows: [{meal: stew}]}
exposures:
  - name: menu
    label: Menu on the wall
    type: dashboard
    url: https://menu.example.com
    owner: {name: Cook, email: cook@example.com}
    depends_on: [ref('priced')]
""".replace("a meal has a name", "a_meal_has_a_name").replace("a meal costs what its price says", "a_meal_costs_what_its_price_says")
MODELS = {
    "bites": "{{ config(materialized='ephemeral') }} select meal from {{ deliveries() }}",
    "dear": "select meal from {{ ref('prices') }} where price > 4",
    "priced": "{{ config(materialized='view') }} select distinct b.meal, p.price from {{ ref('bites') }} b join {{ ref('prices') }} p using (meal)",
    "meals": "{{ config(alias='sold_meals', post_hook='select 1') }}\nselect meal, cast(count(*) as bigint) as sold from {{ ref('bites') }} group by meal",
    "seen": "{{ config(materialized='incremental', unique_key='meal', incremental_strategy='delete+insert', on_schema_change='fail') }}\n"
    "select cast(meal as varchar) as meal from {{ ref('bites') }} {% if is_incremental() %} where true {% endif %} group by 1",
    "board_v1": "select 1 as one",
    "board_v2": "{% if target.name == 'nowhere' %}{{ ref('not_there') }}{% endif %}select meal from {{ ref('priced') }} where price > {{ var('least') }}",
    "looped": "{% for n in [1, 2] %}select {{ n }} as n from {{ ref('board', v=2) }}{% if not loop.last %} union all {% endif %}{% endfor %}",
    "columns_of": "-- depends_on: {{ ref('meals') }}\n{% if execute %}{% set names = run_query('select 1 as a').columns[0].values() %}{% endif %}select {{ (names or [0])[0] }} as n",
    "switched_off": "{{ config(enabled=false) }} select 1 as one",
}
FILES = {
    product_file("shop", "kitchen"): PRODUCT,
    "dataproducts/shop/kitchen/orders.csv": "meal\nsoup\nsoup\nstew\ntart\n",
    f"dbt_project/models/{FOLDER}/own.yml": OWN_YAML,
    f"dbt_project/models/{FOLDER}/about.md": "{% docs priced %}Meals with what they cost.{% enddocs %}",
    f"dbt_project/models/{FOLDER}/sums.py": "def model(dbt, session):\n    dbt.config(materialized='table')\n    return dbt.ref('meals')\n",
    f"dbt_project/seeds/{FOLDER}/prices.csv": "meal,price\nsoup,3\nstew,5\ntart,4\n",
    f"dbt_project/tests/{FOLDER}/nothing_is_free.sql": "{{ config(severity='warn') }} select * from {{ ref('priced') }} where price > 4",
    "dbt_project/tests/generic/positive.sql": "{% test positive(model, column_name) %}select * from {{ model }} where {{ column_name }} <= 0{% endtest %}",
    "dbt_project/macros/deliveries.sql": "{% macro deliveries() %}{{ source('kitchen', 'orders') }}{% endmacro %}",
    **{model_file("shop", "kitchen", name): sql for name, sql in MODELS.items()},
}


def write_kitchen(folder):
    root = write_mesh(folder, FILES)
    edited(root, "dbt_project/dbt_project.yml", "seed-paths: []", "seed-paths: [seeds]\nvars: {least: 0}\nseeds: {+schema: internal}")
    return edited(root, "dbt_project/dbt_project.yml", "snapshot-paths: []", "snapshot-paths: [snapshots]")


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    with running(write_kitchen(tmp_path_factory.mktemp("kitchen"))) as mesh:
        (refreshed,) = mesh.refresh("kitchen")
        yield mesh, mesh.product("kitchen"), refreshed


@pytest.fixture(scope="module")
def plain(kitchen, tmp_path_factory):
    """What plain dbt says of the whole project in a copy of the database: the status of each node by its unique id."""
    mesh, _, _ = kitchen
    folder = tmp_path_factory.mktemp("plain") / "kitchen.duckdb"
    shutil.copy(mesh.root / "warehouse/shop/kitchen.duckdb", folder)
    project = mesh.root / "dbt_project"
    more = [
        "--project-dir",
        str(project),
        "--profiles-dir",
        str(project),
        "--target",
        "duckdb",
        "--target-path",
        str(folder.parent / "target"),
        "--log-path",
        str(folder.parent),
        "--log-format-file",
        "json",
        "--log-level-file",
        "info",
    ]
    done = subprocess.run(
        [*DBT, "build", *more], env=environment(MESH_DUCKDB=str(folder)), capture_output=True, text=True, check=False, timeout=300
    )
    results = json.loads((folder.parent / "target/run_results.json").read_text(encoding="utf-8"))["results"]
    assert results, done.stdout
    return folder, {result["unique_id"]: result["status"] for result in results}


def test_it_is_published(kitchen):
    _, _, refreshed = kitchen
    assert refreshed.outcome == "published"


def test_the_plan_has_what_dbt_builds(kitchen, plain):
    _, product, _ = kitchen
    planned = {(model.kind, model.name) for model in product.models if model.materialized != "ephemeral"}
    built = {(uid.split(".")[0], "_".join(uid.split(".")[2:])) for uid in plain[1] if uid.split(".")[0] in ("model", "seed", "snapshot")}
    assert planned == built
    assert {test.dbt_id for model in product.models for test in model.tests} == {uid for uid in plain[1] if "test." in uid}


def test_every_check_says_what_plain_dbt_says(kitchen, plain):
    mesh, product, _ = kitchen
    words = {(True, "ERROR"): "pass", (True, "WARN"): "pass", (False, "WARN"): "warn", (False, "ERROR"): "fail"}
    said = {}
    for model in product.models:
        for test in model.tests:
            check = mesh.check("kitchen", (model.name,), test.name)
            said[test.dbt_id] = words[check.passed, check.severity.value]
    assert said == {uid: status for uid, status in plain[1].items() if "test." in uid}
    assert "warn" in said.values()


@pytest.fixture(scope="module")
def by_dagster_dbt(plain):
    """What dagster-dbt makes of plain dbt's own events, by dbt's ids."""
    folder = plain[0].parent
    manifest = json.loads((folder / "target/manifest.json").read_text(encoding="utf-8"))
    lines = (json.loads(line) for line in (folder / "dbt.log").read_text(encoding="utf-8").splitlines() if line.startswith("{"))
    messages = (DbtCoreCliEventMessage(raw_event=line, event_history_metadata={}) for line in lines)
    events = (event for message in messages for event in message.to_default_asset_events(manifest))
    return {event.metadata["unique_id"].value: event for event in events}


def values(event) -> dict:
    return {key: value.value for key, value in event.metadata.items()}


def test_dagster_is_told_of_every_model_what_dagster_dbt_tells_and_more(kitchen, by_dagster_dbt):
    mesh, product, _ = kitchen
    events = (mesh.instance.get_latest_materialization_event(asset_key(model.key)) for model in product.models)
    ours = {(told := values(event.asset_materialization))["unique_id"]: told for event in events if event is not None}
    theirs = {uid: values(event) for uid, event in by_dagster_dbt.items() if isinstance(event, dg.AssetMaterialization)}
    assert len(theirs) > 4 and theirs.keys() <= ours.keys()
    for uid, told in theirs.items():
        assert told.keys() - ours[uid].keys() == {"invocation_id"}
        assert told["status"] == ours[uid]["status"]
        assert ours[uid].keys() >= {"sql", "dagster/column_schema"}


def test_dagster_is_told_of_every_test_what_dagster_dbt_tells_and_of_those_that_it_leaves_out(kitchen, by_dagster_dbt):
    """dagster-dbt has no check for a unit test, and none for a test that reads several models. A test that passes has no severity there."""
    mesh, product, _ = kitchen
    ours = {test.dbt_id: mesh.check("kitchen", (model.name,), test.name) for model in product.models for test in model.tests}
    theirs = {uid: event for uid, event in by_dagster_dbt.items() if isinstance(event, dg.AssetCheckEvaluation)}
    assert len(theirs) > 4
    for uid, event in theirs.items():
        our = ours[uid]
        assert event.passed == our.passed and (event.passed or event.severity == our.severity), uid
        assert values(event).keys() - values(our).keys() == {"invocation_id"}
        same = {"status", "dagster_dbt/failed_row_count"} & values(event).keys()
        assert {key: values(event)[key] for key in same} == {key: values(our)[key] for key in same}
        assert values(our).keys() >= {"verdict", "reason", "measured_at", "sql"}
    assert {uid.split(".")[0] for uid in ours.keys() - by_dagster_dbt.keys()} == {"unit_test"}


def test_columns_of_internal_models_have_the_types_that_they_really_have(kitchen):
    mesh, _, _ = kitchen
    event = mesh.instance.get_latest_materialization_event(asset_key(("kitchen", "priced")))
    columns = event.asset_materialization.metadata["dagster/column_schema"].value.columns
    with opened(mesh.root / "warehouse/shop/kitchen.duckdb") as database:
        relation = mesh.product("kitchen").model("priced").relation
        assert {column.name: column.type for column in columns} == database.columns(relation)
    assert any(column.description for column in columns)


def test_every_relation_has_the_rows_that_plain_dbt_makes(kitchen, plain):
    mesh, product, _ = kitchen
    counted = []
    for file in (mesh.root / "warehouse/shop/kitchen.duckdb", plain[0]):
        with opened(file) as database:
            made = [model for model in product.models if model.materialized != "ephemeral"]
            counted.append({model.name: database.count(model.relation) for model in made})
    assert counted[0] == counted[1]
    assert counted[0]["prices"] == 3


def test_seeds_snapshots_and_python_models_are_assets_that_are_materialised(kitchen):
    mesh, _, _ = kitchen
    for name in ("prices", "prices_over_time", "sums", "board_v2", "seen"):
        assert mesh.instance.get_latest_materialization_event(asset_key(("kitchen", name))) is not None, name


def test_lineage_through_macros_and_versions_is_shown(kitchen):
    _, product, _ = kitchen
    reads = {model.name: {key[-1] for key in model.dependencies} for model in product.models}
    assert reads["bites"] == {"orders"}
    assert reads["looped"] == {"board_v2"}
    assert reads["prices_over_time"] == {"prices"}
    assert reads["board_v2"] == {"priced"}


def test_an_exposure_is_a_known_consumer(kitchen):
    _, product, _ = kitchen
    (menu,) = product.consumers
    assert (menu.title, menu.kind, menu.url, menu.owner) == (
        "Menu on the wall",
        "dashboard",
        "https://menu.example.com",
        "cook@example.com",
    )
    assert menu.dependencies == (("kitchen", "priced"),)


def test_descriptions_come_from_dbts_yaml_and_doc_blocks(kitchen):
    _, product, _ = kitchen
    assert product.model("priced").description == "Meals with what they cost."


def test_dagster_shows_the_raw_sql_tags_and_described_columns_of_internal_models(kitchen):
    mesh, product, _ = kitchen
    spec = SpecMinter(mesh.root, product).model(product.model("priced"))
    assert "select distinct b.meal" in spec.metadata["raw_sql"].value
    assert spec.tags["money"] == ""
    assert [column.name for column in spec.metadata["dagster/column_schema"].columns] == ["meal", "price"]
    assert "seed" in SpecMinter(mesh.root, product).model(product.model("prices")).kinds


def test_rows_of_every_table_are_counted(kitchen):
    mesh, _, _ = kitchen
    for name, rows in {"prices": 3, "board_v1": 1, "meals": 3}.items():
        event = mesh.instance.get_latest_materialization_event(asset_key(("kitchen", name)))
        assert event.asset_materialization.metadata["dagster/row_count"].value == rows, name
