"""Which inputs a data set is made from, and where a publication alone tells how old it is."""

from datetime import timedelta

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.plan.needed_inputs import needed_inputs
from tests.meshes import component, model_file, product_file, product_yaml, write_mesh

pytestmark = pytest.mark.slow

INPUTS = [component(name, "input-port", f"interface: file\npath: {name}.csv") for name in ("orders", "rates")]
DESCRIBED = component("mainframe", "input-port", "interface: external\nurl: https://host/table")
SOURCE = "select * from {{ source('sales', '%s') }}\n"


def shop(folder, models, inputs, data_set=""):
    parts = [component("sold", "data-set", data_set), component("sold_sql", "output-port", "interface: sql")]
    parts.append(component("Fresh", "service-level-asset", "dimension: freshness\nmax_age: 24h"))
    files = {model_file("shop", "sales", name): sql for name, sql in models.items()}
    plan, problems = read_plan(write_mesh(folder, {product_file("shop", "sales"): product_yaml("sales", "shop", *inputs, *parts), **files}))
    assert not [problem for problem in problems if problem.severity == "error"], problems
    return plan.product("sales")


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ({"sold": SOURCE % "orders"}, ("orders",)),
        ({"sold": "select * from {{ ref('clean') }}\n", "clean": SOURCE % "rates"}, ("rates",)),
        ({"sold": SOURCE % "orders" + "join {{ source('sales', 'rates') }} using (day)\n"}, ("orders", "rates")),
        ({"sold": SOURCE % "orders", "other": SOURCE % "rates"}, ("orders",)),
        ({"sold": "select 1 as id\n"}, ("orders", "rates")),
    ],
    ids=["one", "by way of another model", "both", "what another model reads is not needed", "none that is named: any may be"],
)
def test_a_data_set_needs_the_inputs_that_its_models_read(tmp_path, models, expected):
    product = shop(tmp_path, models, INPUTS)
    found = needed_inputs(product.inputs, product.models, product.data_sets[0].model)
    assert tuple(port.name for port in found) == expected


@pytest.mark.parametrize(
    ("inputs", "data_set", "fresh_for"),
    [
        ([], "", timedelta(days=1)),
        ([DESCRIBED], "", timedelta(days=1)),
        (INPUTS, "", timedelta(days=1)),
        ([], "updated_at: changed\ncolumns: [{name: changed, type: timestamp}]", None),
    ],
    ids=["made from nothing", "what is only described is not read", "made from files", "its rows tell"],
)
def test_where_no_row_tells_the_age_a_version_is_promised_fresh_from_its_pulls_on(tmp_path, inputs, data_set, fresh_for):
    product = shop(tmp_path, {"sold": "select 1 as id\n"}, inputs, data_set)
    assert product.outputs[0].fresh_for == fresh_for


@pytest.mark.parametrize(
    ("read", "fresh_for"),
    [("orders", timedelta(days=1)), ("upstream", None), ("nothing that is named", None)],
    ids=["only the file is read", "another product tells the age", "it may read the other product"],
)
def test_what_is_made_from_another_product_is_as_old_as_that_one_says(tmp_path, read, fresh_for):
    write_mesh(
        tmp_path,
        {
            product_file("shop", "stock"): product_yaml(
                "stock", "shop", component("held", "data-set", ""), component("held_sql", "output-port", "interface: sql")
            ),
            model_file("shop", "stock", "held"): "select 1 as id\n",
        },
    )
    upstream = component("upstream", "input-port", "interface: data-product\nassociated_output_port: stock.held_sql\nversion: ^0.1.0")
    sql = "select 1 as id\n" if read.startswith("nothing") else SOURCE % read
    assert shop(tmp_path, {"sold": sql}, [INPUTS[0], upstream]).outputs[0].fresh_for == fresh_for
