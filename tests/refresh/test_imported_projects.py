"""`mesh import-dbt-project`: a dbt project becomes a product that builds what plain dbt builds of it."""

import json
from pathlib import Path

import pytest

from platform_resources.capabilities.support.sql_text import relation_sql
from platform_resources.dbt.outside_project import CannotRead, OutsideProject, OutsideSeed, OutsideTable
from platform_resources.services.migrating.carried_ports import carried_ports, carry_ports
from platform_resources.services.migrating.carrying import Carried
from platform_resources.services.migrating.dbt_migration import Destination, WouldOverwrite, import_project
from platform_resources.services.migrating.written_product import product_text
from platform_resources.spec.problems import errors
from platform_resources.warehouses.duckdb.product_database import opened
from tests.golden_files import assert_golden
from tests.meshes import write_mesh
from tests.refresh.running import running

CAFE = {
    "dbt_project.yml": """
name: cafe
version: "1.0"
profile: cafe
vars: {least: 1, cafe: {most: 90}}
on-run-start: ["select 1"]
models:
  cafe:
    staging: {+materialized: view}
    marts: {+materialized: table, +database: elsewhere}
seeds:
  cafe:
    till: {+schema: raw, +enabled: "{{ var('load_till', false) }}"}
""",
    "packages.yml": "packages: [{local: parts/tidy}]\n",
    "parts/tidy/dbt_project.yml": "name: tidy\nversion: '1.0'\n",
    "parts/tidy/macros/doubled.sql": "{% macro doubled(column) %}2 * {{ column }}{% endmacro %}",
    "parts/tidy/models/calendar.sql": "select 1 as day",
    "macros/generate_schema_name.sql": "{% macro generate_schema_name(name, node) %}{{ name or target.schema }}{% endmacro %}",
    "macros/rounded.sql": "{% macro rounded(column) %}cast({{ column }} as decimal(9, 2)){% endmacro %}",
    "seeds/prices.csv": "meal,price\nsoup,3.5\nstew,5\n",
    "seeds/till/orders.csv": "id,meal,paid_at\n7,soup,2026-01-01\n8,stew,2026-01-02\n9,soup,2026-01-02\n",
    "models/staging/sources.yml": """
sources:
  - name: till  # The old one.
    schema: raw
    tables:
      - name: orders
        columns: [{name: id, data_tests: [unique]}]
      - name: refunds
""",
    "models/staging/stg_orders.sql": "select id as order_id, meal, paid_at from {{ source('till', 'orders') }}",
    "models/marts/sales.sql": (
        "select o.order_id, o.meal, {{ rounded(tidy.doubled('p.price')) }} as paid, o.paid_at\n"
        "from {{ ref('stg_orders') }} o join {{ ref('prices') }} p using (meal)\n"
        "where p.price between {{ var('least') }} and {{ var('most') }}"
    ),
    "models/marts/meals.sql": "select meal, count(*) as sold, [1, 2] as parts from {{ ref('sales') }} group by meal",
    "models/marts/schema.yml": """
models:
  - name: sales
    description: One row per order.
    columns:
      - {name: order_id, description: Its number., data_tests: [unique, not_null]}
      - {name: meal, data_tests: [{accepted_values: {arguments: {values: [soup, stew]}}}]}
exposures:
  - {name: board, type: dashboard, owner: {name: Cook}, depends_on: [ref('sales')]}
""",
    "snapshots/sales_over_time.sql": (
        "{% snapshot sales_over_time %}{{ config(unique_key='order_id', strategy='check', check_cols='all') }}"
        "select * from {{ ref('sales') }}{% endsnapshot %}"
    ),
    "tests/nothing_is_free.sql": "select * from {{ ref('sales') }} where paid <= 0",
}
GOLDEN = Path(__file__).parents[1] / "golden"
RELATIONS = ("prices", "stg_orders", "sales", "meals", "sales_over_time", "calendar")


@pytest.fixture(scope="module")
def cafe(tmp_path_factory):
    """The project as somebody has it, with its package installed."""
    folder = tmp_path_factory.mktemp("cafe")
    for path, text in CAFE.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    (folder / "dbt_packages").mkdir()
    (folder / "dbt_packages/tidy").symlink_to(folder / "parts/tidy")
    return folder


@pytest.fixture(scope="module")
def imported(cafe, tmp_path_factory):
    """The mesh, what the import has said, and what came of a refresh."""
    root = write_mesh(tmp_path_factory.mktemp("mesh"), {})
    before = {path: path.read_bytes() for path in sorted(cafe.rglob("*")) if path.is_file()}
    done = import_project(root, cafe, Destination("food", "cafe"))
    assert {path: path.read_bytes() for path in sorted(cafe.rglob("*")) if path.is_file()} == before
    with running(root) as mesh:
        (refreshed,) = mesh.refresh("cafe")
        yield mesh, done, refreshed


@pytest.fixture(scope="module")
def plain(cafe, tmp_path_factory):
    """What plain dbt makes of the project as it is: its database, and the status of each test by name."""
    from dbt.cli.main import dbtRunner

    work = tmp_path_factory.mktemp("plain")
    output = {"type": "duckdb", "path": str(work / "cafe.duckdb"), "schema": "main"}
    (work / "profiles.yml").write_text(json.dumps({"cafe": {"target": "dev", "outputs": {"dev": output}}}), encoding="utf-8")
    folders = ["--project-dir", str(cafe), "--profiles-dir", str(work), "--target-path", str(work), "--log-path", str(work), "--quiet"]
    assert dbtRunner().invoke(["seed", "--vars", "{load_till: true}", *folders]).success
    # The database that folders of marts name is nobody's.
    (cafe / "dbt_project.yml").write_text(CAFE["dbt_project.yml"].replace(", +database: elsewhere", ""), encoding="utf-8")
    results = dbtRunner().invoke(["build", *folders]).result.results
    (cafe / "dbt_project.yml").write_text(CAFE["dbt_project.yml"], encoding="utf-8")
    return work / "cafe.duckdb", {each.node.name: str(each.status) for each in results if each.node.resource_type == "test"}


def test_the_product_is_valid_and_published(imported):
    _, done, refreshed = imported
    assert errors(done.problems) == () and done.trial == ()
    assert refreshed.outcome == "published"


def test_product_yaml_has_ports_data_sets_and_columns_with_the_types_that_are_built(imported):
    mesh, _, _ = imported
    assert_golden((mesh.root / "dataproducts/food/cafe/product.yaml").read_text(encoding="utf-8"), GOLDEN / "imported_product.yaml")


def test_every_relation_has_the_rows_that_plain_dbt_makes(imported, plain):
    mesh, _, _ = imported
    product, rows = mesh.product("cafe"), {}
    for name in RELATIONS:
        with opened(mesh.root / "warehouse/food/cafe.duckdb") as database:
            ours = database.rows(f"select * from {relation_sql(product.model(name).relation)}")
        with opened(plain[0]) as database:
            theirs = database.rows(f"select * from main.{name}")
        shown = [
            sorted(str({key: value for key, value in row.items() if not key.startswith("dbt_")}) for row in each) for each in (ours, theirs)
        ]
        assert shown[0] == shown[1], name
        rows[name] = len(ours)
    assert rows == {"prices": 2, "stg_orders": 3, "sales": 3, "meals": 2, "sales_over_time": 3, "calendar": 1}


def test_every_test_of_the_project_is_a_check_with_plain_dbts_verdict(imported, plain):
    mesh, _, _ = imported
    product = mesh.product("cafe")
    said = {test.dbt_id.split(".")[2]: (model.name, test.name) for model in product.models for test in model.tests}
    assert said.keys() == plain[1].keys()
    assert set(plain[1].values()) == {"pass"}
    assert all(mesh.check("cafe", (model,), name).passed for model, name in said.values())


def test_sql_tests_macros_and_packages_are_as_they_were(imported):
    mesh, _, _ = imported
    project = mesh.root / "dbt_project"
    for path in ("models/staging/stg_orders.sql", "models/marts/sales.sql", "models/marts/schema.yml", "tests/nothing_is_free.sql"):
        kind, _, inside = path.partition("/")
        assert (project / kind / "food/cafe" / inside).read_text(encoding="utf-8") == CAFE[path]
    assert (project / "dbt_packages/tidy/macros/doubled.sql").read_text(encoding="utf-8") == CAFE["parts/tidy/macros/doubled.sql"]
    assert (project / "packages.yml").read_text(encoding="utf-8") == "packages:\n- local: local_packages/tidy\n"


def test_what_dbt_yaml_says_of_sources_leads_to_the_input_ports_and_all_else_stays(imported):
    mesh, _, _ = imported
    text = (mesh.root / "dbt_project/models/food/cafe/staging/sources.yml").read_text(encoding="utf-8")
    assert text == CAFE["models/staging/sources.yml"].replace(
        "schema: raw", "schema: '{{ ''cafe__inputs'' if target.name == ''analyst'' else ''inputs'' }}'"
    )
    assert mesh.product("cafe").model("stg_orders").dependencies == (("cafe", "inputs", "orders"),)


def test_an_exposure_is_a_known_consumer_of_the_product(imported):
    mesh, _, _ = imported
    assert [(consumer.title, consumer.dependencies) for consumer in mesh.product("cafe").consumers] == [("board", (("cafe", "sales"),))]


def test_what_is_not_carried_over_is_listed_with_what_to_do(imported):
    _, done, _ = imported
    assert_golden("".join(f"{left.file}: {left.what}\n  {left.do}\n" for left in done.left), GOLDEN / "imported_left_out.txt")


def test_a_second_import_writes_nothing(imported, cafe):
    mesh, _, _ = imported
    written = {path: path.stat().st_mtime_ns for path in (mesh.root / "dataproducts").rglob("*")}
    with pytest.raises(WouldOverwrite, match=r"these files are there already: dataproducts/food/cafe/orders\.csv"):
        import_project(mesh.root, cafe, Destination("food", "cafe"))
    assert {path: path.stat().st_mtime_ns for path in (mesh.root / "dataproducts").rglob("*")} == written


def test_a_folder_without_a_dbt_project_is_refused(tmp_path):
    root = write_mesh(tmp_path / "mesh", {})
    with pytest.raises(CannotRead, match=r"dbt_project\.yml is missing; name the folder of a dbt project"):
        import_project(root, tmp_path, Destination("food", "cafe"))


def outside(**parts):
    told = {"models": (), "seeds": (), "tables": (), "macros": {}, "packages": {}, "names": frozenset()}
    return OutsideProject(name="cafe", folder=Path("cafe"), settings={}, **(told | parts))


def table(name, source="till", **said):
    told = {"place": ("raw", name), "description": "", "file": "models/s.yml", "read": True, "aged": False, "elsewhere": ""}
    return OutsideTable(source, name, **(told | said))


def test_tables_of_one_name_become_ports_of_two_names():
    carried = Carried()
    ports = carried_ports(outside(tables=(table("orders", "shop"), table("orders"), table("meals")), names=frozenset({"meals"})), carried)
    assert [port.name for port in ports] == ["shop_orders", "till_orders", "till_meals"]


def test_a_source_without_data_is_told_with_the_file_that_its_port_waits_for(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/s.yml").write_text("sources: []", encoding="utf-8")
    project, carried = outside(tables=(table("orders", aged=True),)), Carried()
    object.__setattr__(project, "folder", tmp_path)
    carry_ports(carried_ports(project, carried), project, Destination("food", "cafe"), carried)
    assert [left.what for left in carried.left] == [
        "till.orders has no data in the project: the input port reads dataproducts/food/cafe/orders.csv",
        "how old till.orders may be is no promise of the input port yet",
    ]


def test_types_that_dbt_sets_for_a_seed_are_promised_by_the_port():
    seed = OutsideSeed("orders", "seeds/orders.csv", ("raw", "orders"), False, False, ";", {"id": "VARCHAR", "at": "strange"})
    carried = Carried()
    project = outside(tables=(table("orders"),), seeds=(seed,))
    text = product_text(project, Destination("food", "cafe"), carried_ports(project, carried), (), {}, carried)
    assert "path: orders.csv\n        options:\n          delim: ;\n          types:\n            id: varchar" in text
    assert [left.do for left in carried.left] == ["say the type of at under options of the input port"]
