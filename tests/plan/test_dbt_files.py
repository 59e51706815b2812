"""The dbt YAML of columns with any names."""

import re

import pytest
import yaml

from platform_resources.dbt.node_messages import message_text
from platform_resources.dbt.planning import read_plan
from platform_resources.plan import conventions
from tests.meshes import edited, product_file

pytestmark = pytest.mark.slow


def columns(root, name):
    edited(root, product_file("plant", "readings"), "{name: operator,", f"{{name: {name}, tests: [not_null],")
    plan, _ = read_plan(root)
    (file,) = plan.product("readings").files
    return {column["name"]: column for column in yaml.safe_load(file.text)["models"][0]["columns"]}


@pytest.mark.parametrize("name", ["größe", "order date", "select", "1st"])
def test_a_name_that_sql_would_not_take_as_it_is_stands_in_quotes(tiny, name):
    found = columns(tiny, name)
    assert found[name]["quote"] is True
    assert "quote" not in found["sensor"], "what needs no quotes is as it was"


def test_a_name_that_looks_like_a_template_is_none(tiny):
    assert "{{ '{' }}{ x }}" in columns(tiny, '"{{ x }}"')


@pytest.mark.parametrize("name", ["größe", "gr_ße", "数量", "量数", "x" * 255, "50 %", "50 €"])
def test_a_test_of_any_column_has_a_name_for_a_check_and_a_file(name):
    found = conventions.dbt_test_name("not_null", "orders", name)
    assert re.fullmatch(r"not_null_orders_([a-z0-9_]+_)?[0-9a-f]{8}", found) and len(found) < 150


def test_tests_of_columns_that_only_ascii_confuses_have_different_names():
    names = ["größe", "gr_ße", "gr ße", "gr__e", "数量", "量数", "x" * 255, "x" * 254]
    assert len({conventions.dbt_test_name("not_null", "orders", name) for name in names}) == len(names)
    assert conventions.dbt_test_name("not_null", "orders", "order_id") == "not_null_orders_order_id"


def test_a_broken_contract_names_columns_with_bars():
    raw = "This model has an enforced contract that failed.\n| column_name | definition_type | contract_type | mismatch_reason |\n| ----------- | --- | --- | --- |\n| a | b | VARCHAR | BIGINT | data type mismatch |"
    assert message_text(raw) == "the model breaks its contract: a | b is varchar, bigint was promised"
