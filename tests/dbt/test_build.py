"""dbt in this process: what a build gives back, and what it says when it cannot."""

import shutil
import subprocess
import sys

import pytest

from platform_resources.dbt.build import BuildFailed, build, parsed
from platform_resources.dbt.planning import read_plan
from platform_resources.repository.generated_files import write_generated_files
from platform_resources.spec.problems import problems_text
from platform_resources.warehouses.duckdb.product_database import opened
from tests.meshes import edited, model_file, product_file

pytestmark = pytest.mark.slow
MODEL = model_file("plant", "readings", "measurements")
SPEC = product_file("plant", "readings")
LOADED = """
create or replace table inputs.deliveries as
select * from (values (1, 'north', 20.5, '2024-06-01 06:00:00', 'Ada'), (2, '{sensor}', null, '2024-06-01 06:00:00', 'Ben'))
    as delivered (reading_id, sensor, degrees, measured_at, operator)
"""


def built(root, sensor="south"):
    """Build the product readings on two rows; gives the results by name and the lines reported meanwhile."""
    product = read_plan(root)[0].product("readings")
    write_generated_files(root, product.files)
    with opened(root / "warehouse/plant/readings.duckdb") as database:
        database.connection.execute(LOADED.format(sensor=sensor))
    lines = []
    nodes = build(parsed(root, root, product, "duckdb"), lines.append)
    return {node.name: node for node in nodes}, lines


def test_a_build_gives_every_model_and_test_with_its_sql(tiny):
    nodes, lines = built(tiny)
    assert {(node.name, node.kind, node.status) for node in nodes.values()} == {
        ("measurements", "model", "success"),
        ("unique_measurements_reading_id", "test", "pass"),
        ("accepted_values_measurements_sensor", "test", "pass"),
    }
    assert "inputs" in nodes["measurements"].sql
    assert nodes["unique_measurements_reading_id"].reads == {"measurements"}
    assert len(lines) == 3


def test_a_description_that_looks_like_a_template_is_none(tiny):
    edited(tiny, SPEC, "description: Which sensor.", 'description: "{{ 1/0 }} {% endraw %} {#"')
    edited(tiny, SPEC, "description: One row per reading of a sensor.", 'description: "{{ 1/0 }}"')
    edited(tiny, SPEC, "description: The loggers' daily file.", 'description: "{% if %}"')
    nodes, _ = built(tiny)
    assert nodes["measurements"].status == "success"


def nodes_of(root, name):
    product = read_plan(root)[0].product(name)
    write_generated_files(root, product.files)
    found = parsed(root, root, product, "duckdb").manifest
    nodes = {key: node.to_dict() for key, node in (*found.nodes.items(), *found.sources.items())}
    return {key: {name: value for name, value in node.items() if name != "created_at"} for key, node in nodes.items()}, set(found.macros)


def test_a_parse_that_begins_with_shared_macros_gives_what_one_from_nothing_gives(tiny):
    target = tiny / "dbt_project/target"
    (tiny / "dbt_project/macros/warm.sql").write_text("{% macro warm() %}10{% endmacro %}")
    edited(tiny, MODEL, "cast(sensor as", "{{ warm() }} as warmth, cast(sensor as")
    shared = [nodes_of(tiny, name) for name in ("readings", "summary")]
    assert len(list(target.glob("*.duckdb.partial_parse.msgpack"))) == 1
    shutil.rmtree(target)
    target.mkdir()
    for name, found in zip(("readings", "summary"), shared, strict=True):
        # Something that is no parse at all stands where the shared macros would: dbt begins from nothing.
        for file in target.glob("*.msgpack"):
            file.write_bytes(b"")
        assert nodes_of(tiny, name) == found


CHANGES = {
    "dbt_project.yml": ("name: mesh", "name: mesh # A remark."),
    "profiles.yml": ("threads: 2", "threads: 2\n      attach: [{path: ':memory:', alias: other}]"),
}


@pytest.mark.parametrize("file", CHANGES)
def test_after_a_change_of_the_whole_project_no_product_parses_the_macros_again(tiny, file):
    read_plan(tiny)
    edited(tiny, f"dbt_project/{file}", *CHANGES[file])
    read_plan(tiny)
    for product in ("plant/readings", "office/summary"):
        assert "Unable to do partial parsing" not in (tiny / f"dbt_project/target/{product}/logs/dbt.log").read_text()


def test_a_copy_of_a_mesh_builds_its_own_models(tiny, tmp_path_factory):
    """Whatever copied it may have copied files where there were links."""
    built(tiny)
    copy = tmp_path_factory.mktemp("copy") / "mesh"
    shutil.copytree(tiny, copy)
    edited(copy, MODEL, "cast(sensor as", "'copied' as sensor_of, cast(sensor as")
    nodes, _ = built(copy)
    assert "copied" in nodes["measurements"].sql


def test_settings_of_a_folder_in_dbt_project_yml_hold_for_the_products_in_it(tiny):
    edited(tiny, "dbt_project/dbt_project.yml", "    +materialized: table", "    plant: {+materialized: view}\n    +materialized: table")
    kinds = {
        key: node["config"]["materialized"]
        for name in ("readings", "summary")
        for key, node in nodes_of(tiny, name)[0].items()
        if "model." in key
    }
    assert kinds == {"model.mesh.measurements": "view", "model.mesh.sensors": "table", "model.mesh.sensor_readings": "view"}


def test_a_build_prints_nothing(tiny, capfd):
    built(tiny, sensor="west")
    edited(tiny, MODEL, "cast(sensor as", "cast(nowhere as")
    built(tiny)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("column", ["sensor", "nowhere"])
def test_a_database_is_free_for_other_processes_after_a_build(tiny, column):
    edited(tiny, MODEL, "cast(sensor as", f"cast({column} as")
    built(tiny)
    opens = f"import duckdb; duckdb.connect({str(tiny / 'warehouse/plant/readings.duckdb')!r})"
    assert subprocess.run([sys.executable, "-c", opens], check=False).returncode == 0


def test_a_failing_test_says_how_many_rows_fail(tiny):
    nodes, _ = built(tiny, sensor="west")
    failed = nodes["accepted_values_measurements_sensor"]
    assert (failed.status, failed.failures, nodes["measurements"].status) == ("fail", 1, "success")


def test_a_failing_test_of_severity_warn_is_a_warning(tiny):
    edited(tiny, SPEC, "{values: [north, south]}", "{values: [north, south], severity: warn}")
    nodes, _ = built(tiny, sensor="west")
    assert nodes["accepted_values_measurements_sensor"].status == "warn"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param("cast(sensor as varchar)", "cast(nowhere as varchar)", ["nowhere", "not found"], id="unknown column"),
        pytest.param("select\n", "selekt\n", ["syntax error"], id="syntax"),
        pytest.param("decimal(6, 2)) as degrees", "integer) as degrees", ["degrees is integer, decimal(6,2) was promised"], id="type"),
        pytest.param("as operator,", "as worker,", ["operator is missing, varchar was promised"], id="column missing"),
        pytest.param(
            "cast(operator as varchar)",
            "1 as more, cast(operator as varchar)",
            ["more (integer) is not among the data set's columns"],
            id="column more",
        ),
        pytest.param("cast(sensor as varchar)", "cast(null as varchar)", ["NOT NULL constraint failed", "sensor"], id="null"),
    ],
)
def test_a_model_that_fails_says_what_is_wrong_in_one_line(tiny, old, new, told):
    edited(tiny, MODEL, old, new)
    nodes, _ = built(tiny)
    failed = nodes["measurements"]
    assert failed.status == "error"
    assert [word for word in told if word not in failed.message] == []
    assert "\n" not in failed.message
    assert "Traceback" not in failed.message
    assert nodes["unique_measurements_reading_id"].status == "skipped"


def test_a_project_that_cannot_be_parsed_says_where(tiny):
    product = read_plan(tiny)[0].product("readings")
    edited(tiny, MODEL, "select\n", "{{ no_such_macro( }}\nselect\n")
    with pytest.raises(BuildFailed, match=r"(?s)measurements.*measurements\.sql"):
        parsed(tiny, tiny, product, "duckdb")
    plan, problems = read_plan(tiny)
    assert [product.name for product in plan.products] == ["summary"]
    assert problems_text(problems) == (
        "dbt_project/models/plant/readings/measurements.sql:2\n  dbt cannot read the product: unexpected '}', expected ')' line 2 {{ no_such_macro( }}"
    )


def test_a_build_after_one_that_failed_is_clean(tiny):
    edited(tiny, MODEL, "cast(sensor as", "cast(nowhere as")
    built(tiny)
    edited(tiny, MODEL, "cast(nowhere as", "cast(sensor as")
    nodes, _ = built(tiny)
    assert {node.status for node in nodes.values()} == {"success", "pass"}


def test_a_model_that_reads_through_a_macro_is_built_with_its_lineage(tiny):
    (tiny / "dbt_project/macros/hidden.sql").write_text("{% macro hidden() %}{{ source('readings', 'deliveries') }}{% endmacro %}")
    edited(tiny, MODEL, "{{ source('readings', 'deliveries') }}", "{{ hidden() }}")
    (model,) = read_plan(tiny)[0].product("readings").models
    assert model.dependencies == (("readings", "inputs", "deliveries"),)
    nodes, _ = built(tiny)
    assert nodes["measurements"].status == "success"
