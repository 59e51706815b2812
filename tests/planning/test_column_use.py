"""Which columns of an input its models read."""

import pytest

from platform_resources.planning.column_use import used_columns
from platform_resources.planning.mesh import ModelText

COLUMNS = ("order_id", "Net_Sales", "quantity")
SOURCE = "{{ source('inputs', 'orders') }}"
ALL = COLUMNS

CASES = [
    (f"select order_id, net_sales from {SOURCE}", ("order_id", "Net_Sales")),
    (f"select o.order_id from {SOURCE} as o -- quantity is not needed", ("order_id",)),
    (f"select 1 as x /* net_sales */ from {SOURCE}", ()),
    (f"select * from {SOURCE}", ALL),
    (f"select distinct * exclude (quantity) from {SOURCE} where true", ALL),
    (f"select order_id, * from other join {SOURCE} using (order_id)", ALL),
    (f"select o.* from {SOURCE} o", ALL),
    (f"select o.* from {SOURCE} as o join x using (order_id)", ALL),
    (f"with o as (select order_id from {SOURCE}) select * from o", ("order_id",)),
    (f"with o as (select order_id from {SOURCE}) select o.* from o", ("order_id",)),
    (f"select count(*) as orders from {SOURCE}", ()),
    (f"select order_id, 2 * quantity as twice from {SOURCE}", ("order_id", "quantity")),
    ("select * from {{ source('inputs', 'products') }}", ()),
    ("{% for c in columns %} {{ c }} {% endfor %} from x", ALL),
    ("{% set day = '2026-01-01' %}\nselect order_id from x", ("order_id",)),
]


@pytest.mark.parametrize(("sql", "expected"), CASES, ids=[sql[:60] for sql, _ in CASES])
def test_the_columns_that_models_name_or_take_with_a_star_are_read(sql, expected):
    assert used_columns([ModelText("m", "m.sql", sql)], "orders", COLUMNS) == expected


def test_one_model_is_enough():
    models = [ModelText("a", "a.sql", f"select order_id from {SOURCE}"), ModelText("b", "b.sql", "select quantity from {{ ref('a') }}")]
    assert used_columns(models, "orders", COLUMNS) == ("order_id", "quantity")


NAMES = ("order date", "Umsatz (€)", "größe", "a -- b", "select", "c")
NAMED = [
    (f'select "order date", "UMSATZ (€)" from {SOURCE}', ("order date", "Umsatz (€)", "select")),
    (f"select Größe from {SOURCE}", ("größe", "select")),
    (f'select "a -- b", c from {SOURCE}', ("a -- b", "select", "c")),
    (f"select '--', c from {SOURCE}", ("select", "c")),
    (f'select 1 -- it\'s a "order date"\n, c from {SOURCE}', ("select", "c")),
    (f'select "Umsatz (€)", * from {SOURCE}', NAMES),
    (f'select "my orders".* from {SOURCE} as "my orders"', NAMES),
    (f"select '* from', c from {SOURCE}", ("select", "c")),
]


@pytest.mark.parametrize(("sql", "expected"), NAMED, ids=[sql[:40] for sql, _ in NAMED])
def test_names_in_quotes_are_found_as_they_are(sql, expected):
    assert used_columns([ModelText("m", "m.sql", sql)], "orders", NAMES) == expected
