"""Verdicts of dbt tests in a refresh: each is that of its own test, and what only warns closes no gate."""

import pytest

from tests.meshes import component, model_file, product_file, product_yaml, write_mesh
from tests.refresh.running import running

TESTS = product_yaml(
    "crm",
    "shop",
    component("customer", "data-set", "columns: [{name: address_id, type: bigint, tests: [{unique: {severity: warn}}]}]"),
    component("customer_address", "data-set", "columns: [{name: id, type: bigint, tests: [{unique: {config: {severity: warn}}}]}]"),
    component(
        "people",
        "data-set",
        """
columns:
  - {name: name, type: varchar, tests: [{accepted_values: {values: ["O'Brien", "D\\"Arc", ""]}}]}
  - {name: age, type: integer, tests: [{not_null: {config: {error_if: ">5"}}}], nullable: true}
""",
    ),
    component("out", "output-port", "interface: sql\ndata_set: customer"),
)
FILES = {
    product_file("shop", "crm"): TESTS,
    model_file("shop", "crm", "customer"): "select 7::bigint as address_id union all select 7",
    # Ends last: the other test of this name would show its result.
    model_file("shop", "crm", "customer_address"): "select range as id from range(500000)",
    model_file("shop", "crm", "people"): "select * from (values ('O''Brien', 1), ('', null)) as t (name, age)",
}


CHECKS = [
    ("customer", "unique_customer_address_id"),
    ("customer_address", "unique_customer_address_id"),
    ("people", "accepted_values_people_name"),
    ("people", "not_null_people_age"),
]


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory):
    with running(write_mesh(tmp_path_factory.mktemp("crm"), FILES)) as mesh:
        (refreshed,) = mesh.refresh("crm")
        checks = [mesh.check("crm", (model,), name) for model, name in CHECKS]
        yield refreshed, [(check.passed, check.severity.value) for check in checks]


def test_two_tests_of_one_name_have_each_its_own_verdict(refreshed):
    assert [passed for passed, _ in refreshed[1][:2]] == [False, True]


def test_what_only_warns_publishes_with_a_warning(refreshed):
    result, checks = refreshed
    assert result.outcome == "published"
    assert checks[0] == (False, "WARN")


def test_an_apostrophe_is_an_accepted_value(refreshed):
    assert refreshed[1][2][0] is True


def test_a_test_below_its_threshold_for_errors_is_a_warning(refreshed):
    assert refreshed[1][3] == (False, "WARN")
