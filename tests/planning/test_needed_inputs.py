"""Which inputs a data set is made from, and where a publication alone tells how old it is."""

from datetime import timedelta

import pytest

from platform_resources.planning.needed_inputs import needed_inputs
from platform_resources.repository import read_plan
from tests.meshes import component, model_file, product_file, product_yaml, write_mesh

INPUTS = [component(name, "input-port", f"interface: file\npath: {name}.csv") for name in ("orders", "rates")]
DESCRIBED = component("mainframe", "input-port", "interface: external\nurl: https://host/table")
SOURCE = "select * from {{ source('inputs', '%s') }}\n"


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
        ({"sold": SOURCE % "orders" + "join {{ source('inputs', 'rates') }} using (day)\n"}, ("orders", "rates")),
        ({"sold": SOURCE % "orders", "other": SOURCE % "rates"}, ("orders",)),
        ({"sold": "select 1 as id\n"}, ("orders", "rates")),
    ],
    ids=["one", "by way of another model", "both", "what another model reads is not needed", "none that is named: any may be"],
)
def test_a_data_set_needs_the_inputs_that_its_models_read(tmp_path, models, expected):
    product = shop(tmp_path, models, INPUTS)
    assert needed_inputs(product, product.data_sets[0]) == expected


@pytest.mark.parametrize(
    ("inputs", "data_set", "fresh_for"),
    [
        ([], "", timedelta(days=1)),
        ([DESCRIBED], "", timedelta(days=1)),
        (INPUTS, "", None),
        ([], "updated_at: changed\ncolumns: [{name: changed, type: timestamp}]", None),
    ],
    ids=["made from nothing", "what is only described is not read", "made from inputs", "its rows tell"],
)
def test_only_where_nothing_else_tells_the_age_a_publication_alone_is_fresh(tmp_path, inputs, data_set, fresh_for):
    product = shop(tmp_path, {"sold": "select 1 as id\n"}, inputs, data_set)
    assert product.outputs[0].fresh_for == fresh_for
