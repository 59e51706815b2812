"""Every feature of dbt that real projects use, in one product: what a refresh shows is what plain `dbt build` does of the same project."""

import io
import json
import shutil
import sys

import dagster as dg
import httpx
import pytest
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from rich.console import Console
from rich.tree import Tree

from platform_resources.cli.finding.describing import introduce
from platform_resources.dbt.planning import read_plan
from platform_resources.orchestration.asset_specs import SpecMinter, asset_key
from platform_resources.spec.problems import problems_text
from platform_resources.warehouses.duckdb.product_database import opened
from tests.forked_commands import forked
from tests.golden_files import assert_golden
from tests.marketplace.shop_mesh import served
from tests.meshes import REPOSITORY, component, edited, model_file, product_file, product_yaml, write_mesh
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
          - accepted_values: {arguments: {values: [soup, stew]}, config: {where: "price > 0", warn_if: ">0", error_if: ">5", limit: 9, store_failures: true}}
          - relationships: {arguments: {to: ref('prices'), field: meal}}
      - {name: price, description: What a meal costs., data_tests: [positive]}
  - name: dear
    config: {group: cooks, access: private}
    data_tests: [{as_many_rows: {arguments: {other: ref('meals')}, config: {severity: warn}}}, {tidy.fewer_than: {arguments: {most: 9}}}]
  - name: keyed
    data_tests:
      - dbt_utils.unique_combination_of_columns: {arguments: {combination_of_columns: [meal, price]}}
      - dbt_utils.expression_is_true: {arguments: {expression: "price > 3"}, config: {severity: warn}}
    columns: [{name: meal, data_tests: [{dbt_utils.expression_is_true: {arguments: {expression: "<> ''"}}}]}]
  - {name: cheap, config: {group: cooks, contract: {enforced: true}}, columns: [{name: meal, data_type: varchar, constraints: [{type: not_null}]}]}
  - name: days
    time_spine: {standard_granularity_column: date_day}
    columns: [{name: date_day, granularity: day}]
  - name: board
    latest_version: 2
    versions: [{v: 1}, {v: 2}]
groups:
  - {name: cooks, owner: {name: Kitchen}}
semantic_models:
  - name: servings
    model: ref('served')
    defaults: {agg_time_dimension: sold_on}
    entities: [{name: meal, type: primary}]
    dimensions: [{name: sold_on, type: time, expr: sold_on, type_params: {time_granularity: day}}]
    measures: [{name: portions, agg: sum, expr: "1"}]
metrics:
  - {name: portions_served, label: Portions served, description: Plates., type: simple, type_params: {measure: portions}}
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
# Written as dbt_utils writes it: macros and tests that adapter.dispatch finds, SQL that asks the database while it is compiled.
DBT_UTILS = {
    "dbt_project.yml": "name: dbt_utils\nversion: '1.0'\n",
    "macros/generate_surrogate_key.sql": """
{% macro generate_surrogate_key(fields) %}{{ return(adapter.dispatch('generate_surrogate_key', 'dbt_utils')(fields)) }}{% endmacro %}
{% macro default__generate_surrogate_key(fields) %}
{%- set texts = [] -%}
{%- for field in fields -%}{%- do texts.append("coalesce(cast(" ~ field ~ " as " ~ dbt.type_string() ~ "), '_')") -%}{%- endfor -%}
{{ dbt.hash(dbt.concat(texts)) }}
{% endmacro %}""",
    "macros/star.sql": """
{% macro star(from) %}{{ return(adapter.dispatch('star', 'dbt_utils')(from)) }}{% endmacro %}
{% macro default__star(from) %}{% if not execute %}{{ return('*') }}{% endif %}
{{- adapter.get_columns_in_relation(from) | map(attribute='quoted') | join(', ') }}{% endmacro %}""",
    "macros/get_column_values.sql": """
{% macro get_column_values(table, column) %}{{ return(adapter.dispatch('get_column_values', 'dbt_utils')(table, column)) }}{% endmacro %}
{% macro default__get_column_values(table, column) %}
{% if not execute or not load_relation(table) %}{{ return([]) }}{% endif %}
{% call statement('values', fetch_result=true) %}select distinct {{ column }} from {{ table }} order by 1{% endcall %}
{{ return(load_result('values')['data'] | map(attribute=0) | list) }}{% endmacro %}""",
    "macros/expression_is_true.sql": """
{% test expression_is_true(model, expression, column_name=none) %}
{{ return(adapter.dispatch('test_expression_is_true', 'dbt_utils')(model, expression, column_name)) }}{% endtest %}
{% macro default__test_expression_is_true(model, expression, column_name) %}
select {{ '*' if should_store_failures() else '1' }} from {{ model }} where not({{ column_name or '' }} {{ expression }}){% endmacro %}""",
    "macros/unique_combination_of_columns.sql": """
{% test unique_combination_of_columns(model, combination_of_columns) %}
{{ return(adapter.dispatch('test_unique_combination_of_columns', 'dbt_utils')(model, combination_of_columns)) }}{% endtest %}
{% macro default__test_unique_combination_of_columns(model, combination_of_columns) %}
{%- set columns = combination_of_columns | join(', ') %}
select {{ columns }} from {{ model }} group by {{ columns }} having count(*) > 1{% endmacro %}""",
}
MODELS = {
    "keyed": "select {{ dbt_utils.generate_surrogate_key(['meal', 'price']) }} as meal_key, {{ dbt_utils.star(ref('prices')) }} from {{ ref('prices') }}",
    "in_columns": "select {% for meal in dbt_utils.get_column_values(ref('prices'), 'meal') %}max(price) filter (where meal = '{{ meal }}') as {{ meal }}, {% endfor %}"
    "count(*) as meals from {{ ref('prices') }}",
    "bites": "{{ config(materialized='ephemeral') }} select meal from {{ deliveries() }}",
    "dear": "select meal from {{ ref('prices') }} where price > 4",
    "priced": "{{ config(materialized='view') }} select distinct b.meal, p.price from {{ ref('bites') }} b join {{ ref('prices') }} p using (meal)",
    "meals": "{{ config(alias='sold_meals', post_hook='select 1') }}\nselect meal, cast(count(*) as bigint) as sold from {{ ref('bites') }} group by meal",
    "seen": "{{ config(materialized='incremental', unique_key='meal', incremental_strategy='delete+insert', on_schema_change='fail') }}\n"
    "select cast(meal as varchar) as meal from {{ ref('bites') }} {% if is_incremental() %} where true {% endif %} group by 1",
    "board_v1": "select 1 as one",
    "board_v2": "{% if target.name == 'nowhere' %}{{ ref('not_there') }}{% endif %}select meal from {{ ref('priced') }} where price > {{ var('least') }}",
    "cheap": "select meal from {{ ref('prices') }} where meal not in (select meal from {{ ref('dear') }})",
    "doubled": "select {{ tidy.doubled('price') }} as price, '{{ env_var('KITCHEN', 'home') }}' as place from {{ ref('prices') }} join {{ ref('calendar') }} on true",
    "days": "select cast('2026-01-01' as date) as date_day",
    "served": "select meal, cast('2026-01-01' as date) as sold_on from {{ ref('bites') }}",
    "replaced": "{{ config(materialized='incremental', incremental_strategy='merge', unique_key='meal') }} select distinct meal from {{ ref('bites') }}",
    "batched": "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='sold_on', begin='2026-01-01', batch_size='year') }}"
    "select meal, sold_on from {{ ref('served') }}",
    "added": "{{ config(materialized='incremental', incremental_strategy='append') }} select meal from {{ ref('bites') }}",
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
    f"dbt_project/snapshots/{FOLDER}/meals_over_time.sql": "{% snapshot meals_over_time %}{{ config(unique_key='meal', strategy='check', check_cols=['sold'], schema='internal') }}select * from {{ ref('meals') }}{% endsnapshot %}",
    "dbt_project/dbt_packages/tidy/dbt_project.yml": "name: tidy\nversion: '1.0'\n",
    "dbt_project/dbt_packages/tidy/macros/doubled.sql": "{% macro doubled(column) %}2 * {{ column }}{% endmacro %}",
    "dbt_project/dbt_packages/tidy/macros/fewer_than.sql": "{% test fewer_than(model, most) %}select count(*) from {{ model }} having count(*) > {{ most }}{% endtest %}",
    "dbt_project/dbt_packages/tidy/models/calendar.sql": "select 1 as day",
    "dbt_project/packages.yml": "packages: [{local: dbt_packages/tidy}, {local: dbt_packages/dbt_utils}]\n",
    **{f"dbt_project/dbt_packages/dbt_utils/{name}": text for name, text in DBT_UTILS.items()},
    "dbt_project/macros/concealed.sql": "{% macro default__generate_surrogate_key(fields) %}'kitchen ' || {{ dbt_utils.default__generate_surrogate_key(fields) }}{% endmacro %}",
    "dbt_project/tests/generic/as_many_rows.sql": "{% test as_many_rows(model, other) %}select 1 where (select count(*) from {{ model }}) <> (select count(*) from {{ other }}){% endtest %}",
    f"dbt_project/tests/{FOLDER}/nothing_is_free.sql": "{{ config(severity='warn') }} select * from {{ ref('priced') }} where price > 4",
    "dbt_project/tests/generic/positive.sql": "{% test positive(model, column_name) %}select * from {{ model }} where {{ column_name }} <= 0{% endtest %}",
    "dbt_project/macros/deliveries.sql": "{% macro deliveries() %}{{ source('kitchen', 'orders') }}{% endmacro %}",
    **{model_file("shop", "kitchen", name): sql for name, sql in MODELS.items()},
}


def write_kitchen(folder):
    root = write_mesh(folder, FILES)
    edited(
        root,
        "dbt_project/dbt_project.yml",
        "seed-paths: []",
        "seed-paths: [seeds]\ndispatch: [{macro_namespace: dbt_utils, search_order: [mesh, dbt_utils]}]\nvars: {least: 0}\nseeds: {+schema: internal}\non-run-end: [select 1]",
    )
    return edited(root, "dbt_project/dbt_project.yml", "snapshot-paths: []", "snapshot-paths: [snapshots]")


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    with running(write_kitchen(tmp_path_factory.mktemp("kitchen"))) as mesh:
        (refreshed,) = mesh.refresh("kitchen")
        yield mesh, mesh.product("kitchen"), refreshed


def relations(database):
    """Schema and name of every table and view, but what the platform keeps for itself."""
    rows = database.rows("select table_schema, table_name from information_schema.tables where table_schema <> 'main'")
    return {(row["table_schema"], row["table_name"]) for row in rows}


@pytest.fixture(scope="module")
def plain(kitchen, tmp_path_factory):
    """What plain dbt says of the whole project in a copy of the database: the status of each node by its unique id."""
    mesh, _, _ = kitchen
    folder = tmp_path_factory.mktemp("plain") / "kitchen.duckdb"
    shutil.copy(mesh.root / "warehouse/shop/kitchen.duckdb", folder)
    with opened(folder) as database:
        for schema in {schema for schema, _ in relations(database)} - {"inputs"}:
            database.execute(f"drop schema {schema} cascade")
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
    done = forked([*DBT, "build", *more], environment(MESH_DUCKDB=str(folder)))
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


def test_the_database_has_the_same_relations_also_of_stored_failures(kitchen, plain):
    mesh, _, _ = kitchen
    made = []
    for file in (mesh.root / "warehouse/shop/kitchen.duckdb", plain[0]):
        with opened(file) as database:
            made.append(relations(database))
    assert made[0] == made[1]
    assert ("dbt_test__audit", "accepted_values_priced_meal__soup__stew") in made[0]


def test_what_a_macro_asks_while_it_is_compiled_is_answered_by_this_build(kitchen, plain):
    mesh, _, _ = kitchen
    rows = []
    for file in (mesh.root / "warehouse/shop/kitchen.duckdb", plain[0]):
        with opened(file) as database:
            rows.append([database.rows(f'from "internal".{name} order by all') for name in ("keyed", "in_columns")])
    assert rows[0] == rows[1]
    keyed, (in_columns,) = rows[0]
    assert in_columns == {"soup": 3, "stew": 5, "tart": 4, "meals": 3}
    assert all(row["meal_key"].startswith("kitchen ") for row in keyed)


def test_metrics_of_the_semantic_layer_are_shown_with_the_models_behind_them(kitchen):
    _, product, _ = kitchen
    (metric,) = product.metrics
    assert (metric.title, metric.kind, metric.description, metric.models) == ("Portions served", "simple", "Plates.", ("served",))


def test_a_semantic_model_is_shown_with_its_model_entities_dimensions_and_measures(kitchen):
    _, product, _ = kitchen
    (semantic,) = product.semantic_models
    assert (semantic.title, semantic.text) == ("servings", "of served: measures portions, by meal, sold_on")


def test_readers_see_metrics_and_semantic_models_on_the_page_and_by_describe(kitchen):
    mesh, product, _ = kitchen
    said = io.StringIO()
    introduce(product, tree := Tree("kitchen"))
    Console(file=said, width=200).print(tree)
    assert "metric Portions served simple, of served" in said.getvalue()
    assert "semantic model servings of served: measures portions, by meal, sold_on" in said.getvalue()
    with served(mesh.root) as address:
        page = httpx.get(f"{address}/products/kitchen", timeout=300).text
    assert "Portions served" in page and "Of served: measures portions, by meal, sold_on." in page


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


def _shown(unique_id):
    """A node as the table's evidence names it: `model board_v2`, `test unique_prices_meal`, `unit_test a_meal_costs_what_its_price_says`."""
    kind, _, *names = unique_id.split(".")
    return f"{kind} {names[0] if kind == 'test' else names[-1] if kind == 'unit_test' else '_'.join(names)}"


# Each line of the table in docs/dbt.md, and what shows it: nodes that are the same here and in plain dbt, or tests elsewhere.
FEATURES = (
    (
        "seeds, snapshots in SQL and YAML",
        "assets of their own; a data set selects from them",
        ["seed prices", "snapshot prices_over_time", "snapshot meals_over_time"],
    ),
    (
        "incremental models in every strategy",
        "as in dbt; `mesh refresh --full-refresh` builds from scratch. With a contract dbt wants `on_schema_change: fail` or `append_new_columns`",
        ["model seen", "model added", "model replaced", "model batched", "tests/refresh/test_full_refresh.py"],
    ),
    ("views, ephemeral models", "as in dbt; a data set's model makes a table or a view", ["model priced", "model dear"]),
    ("Python models", "assets; a data set's model is in SQL, since dbt enforces no contract on Python", ["model sums"]),
    (
        "unit tests; singular, generic and custom tests; tests of sources, seeds and whole tables",
        "checks, also without a name of their own. One of a source is shown at the first model that reads it",
        [
            "unit_test a_meal_costs_what_its_price_says",
            "test nothing_is_free",
            "test relationships_priced_meal__meal__ref_prices_",
            "test positive_priced_price",
            "test unique_prices_meal",
            "test as_many_rows_dear_ref_meals_",
            "tests/refresh/test_imported_projects.py",
            "tests/refresh/test_own_dbt_yaml.py",
        ],
    ),
    (
        "`severity`, `where`, `limit`, `warn_if`, `error_if`, `store_failures`",
        "as in dbt, in every place where dbt reads them. What only warns closes no gate",
        ["test accepted_values_priced_meal__soup__stew", "test a_meal_has_a_name", "tests/refresh/test_dbt_tests.py"],
    ),
    (
        "packages: macros, models, tests with a prefix",
        "`dbt deps` installs them, also those of a folder (`local:`), as in any project. Their models are built in each product; `models: {<package>: {+enabled: false}}` leaves them out",
        ["model doubled", "model calendar", "test tidy_fewer_than_dear_9"],
    ),
    (
        "dbt_utils and packages like it: macros and tests behind `adapter.dispatch`, SQL that asks the database (`get_column_values`, `star`), `dispatch:` with macros of your own",
        "as in dbt: what a macro answers at compile time comes from what this build has made",
        [
            "model keyed",
            "model in_columns",
            "test dbt_utils_unique_combination_of_columns_keyed_meal__price",
            "test dbt_utils_expression_is_true_keyed_price_3",
            "test dbt_utils_expression_is_true_keyed_meal___",
        ],
    ),
    (
        "`alias`, `schema`",
        "the audit and the publication read the relation that dbt says",
        ["model meals", "tests/refresh/test_what_was_built.py"],
    ),
    ("`enabled: false`", "left out; a data set's model that is switched off is refused", ["refused switched_off"]),
    (
        "versions (`v=2`)",
        "assets `orders_v1`, `orders_v2`; a data set selects from one of them",
        ["model board_v1", "model board_v2", "model looped"],
    ),
    ("groups, access", "as in dbt: a private model is read within its group alone", ["model dear", "model cheap"]),
    ("contracts, constraints", "of data sets they are the platform's; of all other models as in dbt", ["model cheap", "model meals"]),
    (
        "macros with `ref` or `source`, loops, `run_query`, `-- depends_on`, branches by `target`",
        "their lineage is dbt's",
        ["model looped", "model columns_of", "model board_v2"],
    ),
    (
        "vars, `env_var`, hooks, doc blocks, tags",
        "as in dbt; descriptions and tags are shown in Dagster",
        ["model doubled", "model board_v2", "model meals", "model priced"],
    ),
    ("exposures", "known consumers of the product", ["tests/refresh/test_dbt_features.py"]),
    (
        "semantic models, metrics",
        "shown on the product's page, by `mesh describe` and `mesh plan PRODUCT`, with the models behind them",
        ["model served", "model days"],
    ),
    ("`database`", "refused for a data set: a product is built in its own database", ["refused elsewhere"]),
    (
        "sources",
        "input ports; a source of your own that lies elsewhere is refused",
        ["model meals", "refused taken", "tests/refresh/test_imported_projects.py"],
    ),
    (
        "an ephemeral, Python or versioned model behind a data set",
        "refused, with what to do",
        ["refused passing", "refused in_python", "refused two_v1"],
    ),
)
GOLDEN = REPOSITORY / "tests/golden"
TABLE = "\n".join(("| feature | in a mesh |", "|---|---|", *(f"| {feature} | {what} |" for feature, what, _ in FEATURES)))


def test_the_table_in_the_pages_is_the_one_that_these_tests_hold():
    page = REPOSITORY / "docs/dbt.md"
    before, found, after = page.read_text(encoding="utf-8").partition("| feature | in a mesh |")
    assert found
    assert_golden(f"{before}{TABLE}\n\n{after.partition(chr(10) * 2)[2]}", page)


def test_every_line_of_the_table_is_shown_by_what_plain_dbt_builds_too(kitchen, plain):
    _, product, _ = kitchen
    built = {_shown(uid) for uid, status in plain[1].items() if status in ("success", "pass", "warn")}
    planned = {f"{model.kind} {model.name}" for model in product.models} | {
        _shown(test.dbt_id) for model in product.models for test in model.tests
    }
    for feature, _, evidence in FEATURES:
        assert evidence, feature
        for shown in evidence:
            kind, _, name = shown.partition(" ")
            if kind == "refused":
                assert f"{name} " in (GOLDEN / "dbt_features_refused.txt").read_text(encoding="utf-8"), feature
            elif kind.startswith("tests/"):
                assert (REPOSITORY / kind).exists(), feature
            else:
                assert shown in built & planned, (feature, shown)


REFUSED = product_yaml(
    "odd",
    "shop",
    *(component(name, "data-set", f"model: {name}") for name in ("switched_off", "elsewhere", "passing", "in_python", "two_v1")),
)
ODD = {
    product_file("shop", "odd"): REFUSED,
    model_file("shop", "odd", "switched_off"): "{{ config(enabled=false) }} select 1 as one",
    model_file("shop", "odd", "elsewhere"): "{{ config(database='memory') }} select 1 as one",
    model_file("shop", "odd", "passing"): "{{ config(materialized='ephemeral') }} select 1 as one",
    "dbt_project/models/shop/odd/in_python.py": "def model(dbt, session):\n    return session.sql('select 1 as one')\n",
    model_file("shop", "odd", "two_v1"): "select 1 as one",
    "dbt_project/models/shop/odd/own.yml": """
models: [{name: two, latest_version: 1, versions: [{v: 1}]}]
sources: [{name: till, schema: raw, tables: [{name: orders}]}]
""",
    model_file("shop", "odd", "taken"): "select * from {{ source('till', 'orders') }}",
}


def test_what_cannot_be_a_data_set_is_refused_with_line_and_advice(tmp_path):
    _, problems = read_plan(write_mesh(tmp_path, ODD))
    assert_golden(problems_text(problems) + "\n", GOLDEN / "dbt_features_refused.txt")


def test_why_dbt_refuses_a_metric_is_told(tmp_path):
    metric = "metrics: [{name: sold, label: Sold, type: simple, type_params: {measure: nothing}}]\n"
    product = product_yaml("odd", "shop", component("one", "data-set"))
    files = {product_file("shop", "odd"): product, model_file("shop", "odd", "one"): "select 1 as one"}
    _, problems = read_plan(write_mesh(tmp_path, {**files, "dbt_project/models/shop/odd/own.yml": metric}))
    assert "nothing" in problems_text(problems)
