"""What is said to be broken if a check fails."""

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.plan.conventions import check_text
from platform_resources.plan.faults import fault
from tests.meshes import tiny_mesh

FAULTS = [
    ("inputs/deliveries:arrived", "Input deliveries arrived", "Input deliveries did not arrive"),
    ("inputs/deliveries:fresh", "Input deliveries is fresh", "Input deliveries is not fresh"),
    ("inputs/deliveries:contract", "Input deliveries keeps its contract", "Input deliveries breaks its contract"),
    ("refresh", "Its refresh succeeds", "The refresh failed"),
    ("refresh:ends", "Its refresh ends", "The refresh does not end"),
    ("versions", "Its published versions can be read", "The published versions cannot be read"),
    ("orders:arrived", "Every order has arrived", "Every order has arrived"),
    ("inputs/deliveries:arrived", "inputs/deliveries:arrived", "inputs/deliveries:arrived"),
]


@pytest.mark.parametrize(("check", "title", "broken"), FAULTS)
def test_what_is_broken_reads_as_such_before_its_reason(check, title, broken):
    assert fault(check, title) == broken


def test_every_check_of_an_input_that_the_plan_makes_has_words_for_its_failure(tmp_path):
    plan, _ = read_plan(tiny_mesh(tmp_path))
    checks = [check for product in plan.products for port in product.inputs for check in port.checks]
    assert {check.name for check in checks} == {"arrived", "fresh", "contract"}
    unworded = [check.title for check in checks if fault(check_text(check.key, check.name), check.title) == check.title]
    assert not unworded, "its title would be told as what is broken"
