"""Only what dbt has built in this refresh is audited and published; what is left of an earlier build never is."""

import dagster as dg
import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.orchestration.definitions import definitions
from platform_resources.plan import conventions
from platform_resources.spec.problems import errors, problems_text
from platform_resources.warehouses.duckdb.product_database import opened
from tests.meshes import component, edited, model_file, product_file, product_yaml, write_mesh
from tests.refresh.running import publish, running

pytestmark = pytest.mark.slow
RAW, SPEC = "dataproducts/shop/sales/raw.csv", product_file("shop", "sales")
SALES, PLACES = model_file("shop", "sales", "sales"), model_file("shop", "sales", "places")
PROJECT, PROFILES = "dbt_project/dbt_project.yml", "dbt_project/profiles.yml"
TAKEN = "select id, place from {{ source('sales', 'raw') }}"
MESH = {
    SPEC: product_yaml(
        "sales",
        "shop",
        component("raw", "input-port", "interface: file\npath: raw.csv"),
        component("sales", "data-set", "columns: [{name: id, type: bigint}, {name: place, type: varchar}]"),
        component("places", "data-set", "columns: [{name: place, type: varchar}]"),
        component("sales_sql", "output-port", "interface: sql\ndata_set: sales"),
        component("places_sql", "output-port", "interface: sql\ndata_set: places"),
        component(
            "Every place is known",
            "service-level-asset",
            "dimension: referential-consistency\ndata_set: sales\ncolumns: [place]\n"
            "references: {data_set: places, columns: [place]}\ngate: true",
        ),
    ),
    RAW: "id,place\n1,old\n",
    SALES: TAKEN,
    PLACES: "select distinct place from {{ source('sales', 'raw') }}",
}


@pytest.fixture
def shop(refreshed_copy, tmp_path):
    """A product of two data sets that has published `old`, and whose input holds `new` now."""
    with running(refreshed_copy("shop", lambda folder: write_mesh(folder, MESH), publish("sales"), tmp_path)) as mesh:
        (mesh.root / RAW).write_text("id,place\n1,new\n2,new\n")
        yield mesh


def configured(mesh, model: str, config: str) -> None:
    text = (mesh.root / model).read_text()
    (mesh.root / model).write_text(f"{{{{ config({config}) }}}}\n{text}")


def refused(mesh) -> str:
    """What a refresh says that must publish nothing, or the plan of a product that cannot be refreshed."""
    plan, problems = read_plan(mesh.root)
    if not plan.products:
        return problems_text(errors(problems))
    before = mesh.latest("sales")
    (done,) = mesh.refresh("sales")
    assert (done.outcome, mesh.latest("sales")) == ("failed", before)
    (reason,) = done.reasons
    assert "Traceback" not in reason
    return reason


def published(mesh) -> list[tuple[str, str]]:
    (done,) = mesh.refresh("sales")
    assert (done.outcome, done.reasons) == ("published", ())
    return mesh.rows("sales", "select distinct s.place, p.place from sales s, places p")


def tables(mesh) -> set[str]:
    with opened(mesh.root / "warehouse/shop/sales.duckdb") as database:
        names = database.rows("select table_schema || '.' || table_name as name from information_schema.tables")
    return {row["name"] for row in names if not row["name"].startswith("main.")}


@pytest.mark.parametrize(
    ("config", "there"),
    [
        pytest.param("alias='other'", "internal.other", id="another name"),
        pytest.param("schema='elsewhere'", "elsewhere.places", id="another schema"),
        pytest.param("alias='Other', schema='Elsewhere', materialized='view'", "Elsewhere.Other", id="a view with capitals"),
    ],
)
def test_a_data_set_is_audited_and_published_from_where_dbt_has_written_it(shop, config, there):
    configured(shop, PLACES, config)
    assert published(shop) == [("new", "new")]
    assert {"inputs.raw", "internal.sales", there} == tables(shop)


def test_two_data_sets_that_change_names_are_not_mixed_up(shop):
    configured(shop, PLACES, "alias='sales'")
    configured(shop, SALES, "alias='places'")
    assert published(shop) == [("new", "new")]
    assert shop.rows("sales", "select count(*) from sales") == [(2,)]


def test_configuration_of_the_whole_project_counts_too(shop):
    edited(shop.root, PROJECT, "+schema: internal", "+schema: elsewhere")
    assert published(shop) == [("new", "new")]
    assert {"elsewhere.sales", "elsewhere.places", "inputs.raw"} == tables(shop)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        pytest.param("enabled=false", "model places is not built: it is disabled (enabled: false in its config()", id="disabled"),
        pytest.param("materialized='ephemeral'", "model places is not built: it is ephemeral", id="ephemeral"),
        pytest.param("schema='inputs', alias='raw'", "model places would overwrite inputs.raw", id="over an input"),
        pytest.param("schema='main', alias='mesh_memory'", "model places would overwrite main.mesh_memory", id="over the memory"),
        pytest.param("alias='sales'", "identical database representation", id="the name of another model"),
        pytest.param("database='other'", "model places is written to the database other (database: other in its config()", id="database"),
    ],
)
def test_a_data_set_that_is_not_built_in_the_products_database_stops_the_refresh(shop, config, told):
    edited(shop.root, PROFILES, "threads: 2", "threads: 2\n      attach: [{path: ':memory:', alias: other}]")
    configured(shop, PLACES, config)
    assert told in refused(shop)


@pytest.mark.parametrize(("setting", "told"), [("+enabled: false", "is disabled"), ("+materialized: ephemeral", "is ephemeral")])
def test_what_dbt_project_yml_says_of_all_models_stops_the_refresh_too(shop, setting, told):
    edited(shop.root, PROJECT, "+materialized: table", setting)
    reason = refused(shop)
    assert f"model sales is not built: it {told}" in reason and f"model places is not built: it {told}" in reason


@pytest.mark.parametrize("setting", ["+alias: other", "+schema: elsewhere", "+materialized: ephemeral", "+enabled: false"])
def test_what_dbt_project_yml_says_of_one_model_publishes_nothing_where_another_fails(shop, setting):
    (shop.root / SALES).write_text("select cast(place as bigint) as id, place from {{ source('sales', 'raw') }}")
    edited(shop.root, PROJECT, "+materialized: table", f"shop: {{sales: {{places: {{{setting}}}}}}}\n    +materialized: table")
    reason = refused(shop)
    assert "Could not convert string 'new'" in reason or "model places is not built" in reason
    (shop.root / SALES).write_text(TAKEN)
    if "alias" in setting or "schema" in setting:
        assert published(shop) == [("new", "new")]
    else:
        assert "model places is not built" in refused(shop)


@pytest.mark.parametrize("chosen", ["sales", "nothing_at_all"])
def test_a_model_that_dbt_leaves_out_stops_the_refresh(shop, chosen):
    selector = f"selectors:\n  - {{name: some, default: true, definition: {{method: fqn, value: {chosen}}}}}\n"
    (shop.root / "dbt_project/selectors.yml").write_text(selector)
    assert "dbt left model places out" in refused(shop)


def test_a_profile_that_leads_elsewhere_stops_the_refresh(shop):
    edited(shop.root, PROFILES, "env_var('MESH_DUCKDB', ':memory:')", "env_var('HOME')")
    edited(shop.root, PROFILES, "{{ env_var('HOME') }}", str(shop.root / "sales.duckdb"))
    with opened(shop.root / "sales.duckdb") as other:
        other.execute("create table inputs.raw as select 3 as id, 'wrong' as place")
    reason = refused(shop)
    assert "not to the product's own" in reason and "MESH_DUCKDB" in reason


def test_a_model_behind_one_that_failed_is_not_published(shop):
    (shop.root / PLACES).write_text("select distinct place from {{ ref('sales') }}")
    (shop.root / SALES).write_text("select cast('x' as bigint) as id, place from {{ source('sales', 'raw') }}")
    assert "Could not convert string 'x'" in refused(shop)


@pytest.mark.parametrize(
    "reader", ["select distinct place from internal.extra", "{{ config(materialized='view') }} select place from internal.extra"]
)
def test_no_sql_reads_what_is_left_of_a_model_that_is_gone(shop, reader):
    extra = model_file("shop", "sales", "extra")
    (shop.root / extra).write_text(TAKEN)
    assert published(shop) == [("new", "new")]
    (shop.root / extra).unlink()
    (shop.root / PLACES).write_text(reader)
    assert "internal.extra" in refused(shop) or "extra does not exist" in refused(shop)


def test_what_is_left_of_an_input_that_is_no_longer_loaded_is_not_read(shop):
    edited(shop.root, SPEC, "interface: file\n        path: raw.csv", "interface: external")
    assert "Table with name raw does not exist" in refused(shop)


def test_an_audit_alone_after_new_inputs_were_pulled_looks_at_nothing(shop):
    assert shop.materialised("sales", "pull").success
    job = definitions(shop.root, shop.plan).resolve_job_def(conventions.job_name("sales"))
    check = shop.product("sales").audited[0].check
    audit = {dg.AssetCheckKey(dg.AssetKey(list(check.key)), check.name)}
    job.get_subset(asset_selection=set(), asset_check_selection=audit).execute_in_process(instance=shop.instance, raise_on_error=False)
    found = shop.check("sales", ("sales",), "every_place_is_known")
    assert not found.passed
    assert found.metadata["verdict"].value == "unknown"
    assert found.metadata["reason"].value == "not audited: inputs were pulled and the models were not rebuilt since"


def test_a_database_of_an_earlier_platform_publishes_nothing_before_a_whole_refresh(shop):
    with opened(shop.root / "warehouse/shop/sales.duckdb") as database:
        database.execute("delete from main.mesh_memory where topic in ('built', 'built in')")
    before = shop.latest("sales")
    assert not shop.materialised("sales", "publish").success
    assert shop.latest("sales") == before
    assert published(shop) == [("new", "new")]
