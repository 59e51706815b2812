"""A team's own dbt YAML describes a data set's model beside product.yaml: dbt is shown both as one, and the team's file says no less."""

import pytest
import yaml

from platform_resources.dbt.planning import read_plan
from tests.meshes import TINY_MESH, write_mesh
from tests.refresh.running import publish, running

pytestmark = pytest.mark.slow
FOLDER = "dbt_project/models/plant/readings"
OWN = f"{FOLDER}/schema.yml"
YAML = """
version: 2
models:
  - name: measurements
    description: What the loggers say.
    meta: {team: loggers}
    tests:
      - every_reading_is_young: {config: {severity: warn}}
    columns:
      - name: READING_ID
        description: Not shown, since product.yaml describes it.
        data_tests: [unique, not_null]
      - name: degrees
        meta: {from: logger}
        data_tests:
          - {name: degrees_are_warm, test_name: accepted_values, values: [20.5], quote: false, config: {severity: warn}}
          - accepted_values: {name: degrees_are_few, arguments: {values: [1, 2], quote: false}, config: {severity: warn}}
  - name: helper
    description: An internal model.
    columns: [{name: one, data_tests: [unique]}]
"""
MACRO = "{% test every_reading_is_young(model) %}select * from {{ model }} where measured_at < timestamp '1900-01-01'{% endtest %}"


def described(folder):
    return write_mesh(
        folder,
        {**TINY_MESH, OWN: YAML, f"{FOLDER}/helper.sql": "select 1 as one", "dbt_project/tests/generic/young.sql": MACRO},
    )


@pytest.fixture
def mesh(refreshed_copy, tmp_path):
    with running(refreshed_copy("described", described, publish("readings"), tmp_path)) as running_mesh:
        yield running_mesh


def merged(root):
    (model,) = yaml.safe_load((root / FOLDER / "_merged.yml").read_text())["models"]
    return model


def test_both_descriptions_reach_dbt_as_one(mesh):
    model = merged(mesh.root)
    columns = {column["name"]: column for column in model["columns"]}
    assert (model["meta"], model["config"]) == ({"team": "loggers"}, {"contract": {"enforced": True}})
    assert model["description"] == "One row per reading of a sensor."
    assert columns["reading_id"]["description"] == "Number of the reading."
    assert columns["degrees"]["meta"] == {"from": "logger"}
    assert [next(iter(test)) if isinstance(test, dict) else test for test in columns["reading_id"]["data_tests"]] == ["unique", "not_null"]


def test_the_tests_of_both_are_checks_and_run(mesh):
    (model,) = [model for model in mesh.product("readings").models if model.name == "measurements"]
    names = {check.name for check in model.tests}
    assert {"degrees_are_few", "degrees_are_warm", "not_null_measurements_reading_id", "every_reading_is_young_measurements_"} <= names
    assert {check.name: check.severity for check in model.tests}["degrees_are_few"] == "warning"
    (done,) = mesh.refresh("readings")
    assert done.outcome == "published"
    failed = [name for name in names if not mesh.check("readings", ("measurements",), name).passed]
    assert sorted(failed) == ["degrees_are_few", "degrees_are_warm"]


def test_the_teams_file_stays_as_it_is_and_its_other_models_too(mesh):
    assert (mesh.root / OWN).read_text() == YAML
    helper = next(model for model in mesh.product("readings").models if model.name == "helper")
    assert (helper.description, [check.name for check in helper.tests]) == ("An internal model.", ["unique_helper_one"])


def test_a_team_that_no_longer_describes_the_model_leaves_nothing_behind(mesh):
    assert (mesh.root / FOLDER / "_merged.yml").exists()
    text = yaml.safe_load(YAML)
    (mesh.root / OWN).write_text(yaml.safe_dump({**text, "models": text["models"][1:]}))
    plan, problems = read_plan(mesh.root)
    assert (problems, (mesh.root / FOLDER / "_merged.yml").exists()) == ((), False)
    (model,) = [model for model in plan.product("readings").models if model.name == "measurements"]
    assert "degrees_are_few" not in {check.name for check in model.tests}
