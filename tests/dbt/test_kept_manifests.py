"""What dbt says of a product is kept until something that it reads changes; a change of what makes a model is one of the product."""

import gc
import json
import subprocess
import sys

import pytest

from platform_resources.dbt.kept_manifests import Manifests
from platform_resources.dbt.planning import read_plan
from platform_resources.plan.plan_text import fingerprint
from platform_resources.spec.problems import errors, problems_text
from tests.meshes import REPOSITORY, edited, model_file, product_file, write_mesh

pytestmark = pytest.mark.slow
MODEL, SPEC = model_file("plant", "readings", "measurements"), product_file("plant", "readings")
PROJECT, MACROS = "dbt_project/dbt_project.yml", "dbt_project/macros"
ASKED = """
import sys
from pathlib import Path
from platform_resources.orchestration.definitions import mesh_definitions
specs = mesh_definitions(Path(sys.argv[1])).resolve_all_asset_specs()
print(*(spec.description for spec in specs if spec.key.path == ["summary", "sensor_readings"]))
print(sorted({"dbt", "dagster_dbt", "jinja2"} & set(sys.modules) - {"jinja2"}))
"""


def prints(root):
    return {product.name: fingerprint(product) for product in read_plan(root)[0].products}


TRANSLATOR = """
from dagster_dbt import DagsterDbtTranslator


class Translator(DagsterDbtTranslator):
    def get_description(self, dbt_resource_props):
        return "Said by the mesh's own translator."
"""


def test_definitions_of_an_unchanged_mesh_are_loaded_without_dbt(tiny):
    (tiny / "dbt_project/translator.py").write_text(TRANSLATOR)
    read_plan(tiny)
    done = subprocess.run([sys.executable, "-c", ASKED, str(tiny)], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    assert done.stdout.splitlines() == ["Said by the mesh's own translator.", "[]"]


def test_dbt_is_asked_again_only_about_a_product_that_has_changed(tiny):
    read_plan(tiny)
    kept = {name: tiny / f"dbt_project/target/{name}/said_by_dbt.json" for name in ("plant/readings", "office/summary")}
    before = {name: file.stat().st_mtime_ns for name, file in kept.items()}
    assert read_plan(tiny)[1] == ()
    assert {name: file.stat().st_mtime_ns for name, file in kept.items()} == before
    edited(tiny, MODEL, "-- Every", "-- Each and every")
    read_plan(tiny)
    assert [name for name, file in kept.items() if file.stat().st_mtime_ns != before[name]] == ["plant/readings"]


@pytest.fixture(scope="module")
def with_macro(tmp_path_factory):
    """A mesh whose product readings uses a macro, by way of another one, and variables of dbt and of the environment."""
    from tests.meshes import TINY_MESH

    root = write_mesh(tmp_path_factory.mktemp("macros"), TINY_MESH)
    (root / MACROS / "own.sql").write_text("{% macro outer() %}{{ inner() }}{% endmacro %}{% macro unused() %}1{% endmacro %}")
    (root / MACROS / "inner.sql").write_text("{% macro inner() %}3{% endmacro %}")
    edited(root, PROJECT, "models:\n", "vars: {least: 1}\nmodels:\n")
    edited(root, MODEL, "from {{", "-- {{ outer() }} {{ var('least') }} {{ env_var('MESH_TEST_LEAST', '0') }}\nfrom {{")
    return root


def test_what_a_model_is_made_by_is_part_of_its_fingerprint(with_macro, monkeypatch):
    before, found = prints(with_macro), {}
    monkeypatch.setenv("MESH_TEST_LEAST", "5")
    found["a variable of the environment"] = prints(with_macro)
    monkeypatch.delenv("MESH_TEST_LEAST")
    assert prints(with_macro) == before
    edited(with_macro, f"{MACROS}/inner.sql", "3", "4")
    found["a macro of a macro"] = prints(with_macro)
    edited(with_macro, f"{MACROS}/inner.sql", "4", "3")
    edited(with_macro, PROJECT, "+materialized: table", "+materialized: table\n    plant: {+pre-hook: select 1}")
    found["a folder's settings"] = prints(with_macro)
    edited(with_macro, PROJECT, "\n    plant: {+pre-hook: select 1}", "")
    assert {what: changed["readings"] != before["readings"] for what, changed in found.items()} == dict.fromkeys(found, True)
    assert {what: changed["summary"] == before["summary"] for what, changed in found.items()} == dict.fromkeys(found, True)


def test_what_no_model_uses_is_no_change(with_macro):
    before = prints(with_macro)
    edited(with_macro, f"{MACROS}/own.sql", "unused() %}1", "unused() %}2")
    (with_macro / MACROS / "more.sql").write_text("{% macro more() %}2{% endmacro %}")
    edited(with_macro, PROJECT, "name: mesh", "# A remark.\nname: mesh")
    assert prints(with_macro) == before


def test_a_variable_of_all_nodes_is_a_change(with_macro):
    before = prints(with_macro)
    edited(with_macro, PROJECT, "least: 1", "least: 2")
    assert prints(with_macro)["readings"] != before["readings"]


def test_macros_that_are_no_jinja_are_named_and_stop_nobody_else(tiny):
    (tiny / MACROS / "office").mkdir()
    (tiny / MACROS / "office/bad.sql").write_text("{% macro fine() %}1{% endmacro %}\n{% macro bad() %}{{ 1 + }}{% endmacro %}\n")
    plan, problems = read_plan(tiny)
    assert sorted(product.name for product in plan.products) == ["readings", "summary"]
    assert problems_text(problems) == (
        "dbt_project/macros/office/bad.sql:2\n"
        "  dbt cannot read these macros: unexpected 'end of print statement'\n"
        "  products are built without this file, and those that use its macros fail"
    )


def test_another_teams_broken_model_stops_only_its_own_product(tiny):
    edited(tiny, model_file("office", "summary", "sensors"), "group by", "{{ group( }}")
    plan, problems = read_plan(tiny)
    assert [product.name for product in plan.products] == ["readings"]
    assert {problem.file for problem in errors(problems)} == {model_file("office", "summary", "sensors")}


SETTINGS = {
    "alias": ("{{ config(alias='elsewhere') }}\n-- Every", ("internal", "elsewhere")),
    "schema": ("{{ config(schema='marts') }}\n-- Every", ("marts", "measurements")),
}


@pytest.mark.parametrize(("written", "relation"), SETTINGS.values(), ids=SETTINGS)
def test_the_plan_knows_where_dbt_writes_a_model(tiny, written, relation):
    edited(tiny, MODEL, "-- Every", written)
    product = read_plan(tiny)[0].product("readings")
    assert (product.data_sets[0].relation.schema, product.data_sets[0].relation.name) == relation


@pytest.mark.parametrize(
    ("setting", "told"),
    [("enabled=false", "model measurements is not built: it is disabled"), ("materialized='ephemeral'", "it is ephemeral")],
)
def test_a_data_set_that_dbt_would_not_build_is_refused(tiny, setting, told):
    edited(tiny, MODEL, "-- Every", f"{{{{ config({setting}) }}}}\n-- Every")
    _, problems = read_plan(tiny)
    assert told in problems_text(errors(problems))
    assert {problem.file for problem in errors(problems)} == {SPEC}


def test_a_secret_that_dbt_puts_into_settings_is_not_kept(tiny, monkeypatch):
    monkeypatch.setenv("PLANT_PASSWORD", "geheim-4711")
    edited(tiny, MODEL, "-- Every", "{{ config(meta={'login': env_var('PLANT_PASSWORD')}) }}\n-- Every")
    assert "geheim" not in str(read_plan(tiny)[0]), "who asks dbt sees no more than who reads what was kept"
    kept = (tiny / "dbt_project/target/plant/readings/said_by_dbt.json").read_text()
    assert "geheim" not in kept
    assert [name for name, digest in json.loads(kept)["variables"].items() if digest] == ["PLANT_PASSWORD"]


def test_a_secret_that_the_meshs_translator_tells_is_not_kept(tiny, monkeypatch):
    monkeypatch.setenv("PLANT_ACCOUNT", "geheim-4712")
    told = TRANSLATOR.replace('"Said by the mesh\'s own translator."', '"Of " + os.environ["PLANT_ACCOUNT"]')
    (tiny / "dbt_project/translator.py").write_text(f"import os\n{told}")
    assert "geheim" not in str(read_plan(tiny)[0])
    kept = (tiny / "dbt_project/target/plant/readings/said_by_dbt.json").read_text()
    assert "geheim" not in kept and '"description": "Of ' in kept


def test_who_lacks_the_password_that_builds_a_product_reads_what_dbt_said_with_it(tiny, monkeypatch):
    edited(tiny, MODEL, "-- Every", "-- {{ env_var('PLANT_PASSWORD') }}\n-- Every")
    _, problems = read_plan(tiny)
    assert "Env var required but not provided: 'PLANT_PASSWORD'" in problems_text(errors(problems))
    monkeypatch.setenv("PLANT_PASSWORD", "geheim-4711")
    before = prints(tiny)
    assert sorted(before) == ["readings", "summary"]
    monkeypatch.delenv("PLANT_PASSWORD")
    assert prints(tiny) == before
    edited(tiny, MODEL, "-- Every", "-- Each and every")
    assert list(prints(tiny)) == ["summary"]


def test_how_the_warehouse_is_reached_is_no_change_of_a_product(tiny, monkeypatch):
    before = prints(tiny)
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "geheim-4711")
    assert prints(tiny) == before


def test_a_manifest_that_is_no_json_is_made_anew(tiny):
    read_plan(tiny)
    kept = tiny / "dbt_project/target/plant/readings/said_by_dbt.json"
    kept.write_text("{")
    assert [model.name for model in read_plan(tiny)[0].product("readings").models] == ["measurements"]
    assert Manifests(tiny, tiny, "duckdb")._kept(read_plan(tiny)[0].product("readings")) is not None


def test_what_dbt_leaves_in_memory_is_freed_also_while_a_code_location_is_loaded(tiny):
    """There the collector rests, and each parsed product would leave 4 MB."""
    edited(tiny, MODEL, "-- Every", "-- Any and every")
    collections = []
    gc.disable()
    gc.callbacks.append(lambda phase, _: collections.append(phase))
    try:
        read_plan(tiny)
        assert not gc.isenabled()
    finally:
        gc.callbacks.pop()
        gc.enable()
    assert "stop" in collections
