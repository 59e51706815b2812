"""What `mesh validate` says of inputs from other domains whose products have no agreement."""

import pytest

from platform_resources.plan.from_products.mesh_plan import mesh_plan
from platform_resources.plan.plan_text import kept_back_text
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


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (ROWS % ", classification: internal", ""),
        (ROWS % ", classification: personal", ""),
        (ROWS % "", "without an agreement other domains do not get email until they have a class; "),
        (
            ROWS.replace(", classification: public", "") % "",
            "without an agreement other domains get nothing of it until its columns have a class; ",
        ),
    ],
)
def test_the_plan_of_a_new_product_says_what_others_do_not_get_and_what_to_do(tmp_path, rows, told):
    parts = (component("rows", "data-set", rows), component("rows_sql", "output-port"))
    mesh = read_mesh(
        write_mesh(tmp_path, {product_file("crm", "customers"): product_yaml("customers", "crm", *parts, lifecycle="proposed")})
    )
    todo = "write classification: internal at the data set in dataproducts/crm/customers/product.yaml, or an agreement"
    assert kept_back_text(mesh_plan(mesh)[0].product("customers")) == (told and told + todo)
