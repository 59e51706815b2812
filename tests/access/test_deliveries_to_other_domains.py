"""What `mesh validate` says of inputs from other domains whose products have no agreement."""

import pytest

from platform_resources.plan.validation.access_validation import inputs_are_delivered
from platform_resources.repository.mesh_repository import read_mesh
from tests.meshes import component, product_file, product_yaml, write_mesh

ROWS = "columns: [{name: id, type: bigint, classification: public}, {name: email, type: varchar%s}]"


def warnings(folder, rows, domain="finance"):
    """What is said of a product of the domain that reads one of the domain crm."""
    parts = (component("rows", "data-set", rows), component("rows_sql", "output-port"))
    taken = component("customers", "input-port", "associated_output_port: customers.rows_sql")
    files = {
        product_file("crm", "customers"): product_yaml("customers", "crm", *parts),
        product_file(domain, "revenue"): product_yaml("revenue", domain, taken, *parts),
    }
    mesh = read_mesh(write_mesh(folder, files))
    return [problem.message for problem in inputs_are_delivered(mesh, mesh.by_name["revenue"])]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (ROWS % ", classification: internal", []),
        (ROWS % "", ["customers has no agreement, so domain finance does not get email (unclassified)"]),
        (ROWS % ", classification: personal", ["customers has no agreement, so domain finance does not get email (personal)"]),
        ("", ["customers has no agreement, so domain finance gets nothing of a data set that names no columns"]),
    ],
)
def test_what_another_domain_does_not_get_is_warned_of(tmp_path, rows, told):
    assert warnings(tmp_path, rows) == told


def test_its_own_domain_gets_everything(tmp_path):
    assert warnings(tmp_path, ROWS % "", domain="crm") == []
