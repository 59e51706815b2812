"""dbt tests in product.yaml: every form that dbt has means what it means to dbt."""

import pytest
import yaml

from platform_resources.dbt.planning import read_plan
from tests.meshes import component, model_file, product_file, product_yaml, write_mesh

pytestmark = pytest.mark.slow

FORMS = {
    "a name": ("unique", {}, {}, "error"),
    "arguments": ("{accepted_values: {values: [a]}}", {"values": ["a"]}, {}, "error"),
    "severity beside arguments": ("{accepted_values: {values: [a], severity: warn}}", {"values": ["a"]}, {"severity": "warn"}, "warning"),
    "severity in config": (
        "{accepted_values: {values: [a], config: {severity: warn}}}",
        {"values": ["a"]},
        {"severity": "warn"},
        "warning",
    ),
    "the form of dbt 1.10": (
        "{accepted_values: {arguments: {values: [a]}, config: {severity: WARN, where: x = 1}}}",
        {"values": ["a"]},
        {"severity": "WARN", "where": "x = 1"},
        "warning",
    ),
}


def planned(folder, test):
    columns = f"columns: [{{name: grp, type: varchar, tests: [{test}]}}]"
    product = product_yaml("sevc", "shop", component("m", "data-set", columns), component("out", "output-port", "interface: sql"))
    root = write_mesh(folder, {product_file("shop", "sevc"): product, model_file("shop", "sevc", "m"): "select 'b' as grp"})
    plan, problems = read_plan(root)
    assert problems == ()
    (model,) = plan.product("sevc").models
    (written,) = yaml.safe_load(plan.product("sevc").files[0].text)["models"][0]["columns"][0]["data_tests"]
    return model.tests[0], next(iter(written.values()))


@pytest.mark.parametrize(("test", "arguments", "config", "severity"), FORMS.values(), ids=FORMS)
def test_every_form_of_a_test_says_the_same_to_dbt_and_to_the_plan(tmp_path, test, arguments, config, severity):
    check, written = planned(tmp_path, test)
    assert (written.get("arguments", {}), written.get("config", {})) == (arguments, config)
    assert (check.severity, check.blocking) == (severity, severity == "error")


@pytest.mark.parametrize(("value", "in_sql"), [("O'Brien", "O''Brien"), ("O''Brien", "O''Brien"), ("'a'", "''a''"), ('D"Arc', 'D"Arc')])
def test_an_apostrophe_in_an_accepted_value_is_written_for_sql_once(tmp_path, value, in_sql):
    text = '"' + value.replace('"', '\\"') + '"'
    _, written = planned(tmp_path, f"{{accepted_values: {{values: [{text}]}}}}")
    assert written["arguments"]["values"] == [in_sql]


def test_a_test_may_be_given_a_name_and_a_description(tmp_path):
    check, written = planned(tmp_path, "{unique: {name: Only one each, description: No group comes twice.}}")
    assert (check.name, check.description) == ("only_one_each", "No group comes twice.")
    assert (written["name"], written["description"]) == ("only_one_each", "No group comes twice.")
