"""Which columns a query's columns are made from, for every form of SQL that models are written in."""

import pytest

from platform_resources.lineage.query_scope import Unresolvable
from platform_resources.lineage.sql_columns import ReadTable, model_columns

ORDERS = ReadTable("inputs/orders", "inputs", "orders", ("id", "customer", "amount", "state", "Paid At", "items"))
PEOPLE = ReadTable("people", "internal", "people", ("id", "name", "city"))
LETTERS = {"=": "passed on", "+": "computed", "?": "conditional", "#": "row-level"}


def uses(text, rows=False):
    """`=o.id +o.amount ?p.city`: how, of which table, which column."""
    found = {}
    for word in text.split():
        table, _, column = word[1:].partition(".")
        found[{"o": "inputs/orders", "p": "people"}[table], column.replace("_", " ") if column == "Paid_At" else column] = LETTERS[word[0]]
    return found


def said(uses):
    return {(ref.place, ref.column): kind for ref, kind in uses.items()}


def read(sql, columns, **more):
    return model_columns(sql, "duckdb", "shop", [ORDERS, PEOPLE], columns, **more)


CASES = {
    "renamed": ("select id as order_id from shop.inputs.orders", {"order_id": "=o.id"}, ""),
    "cast": ("select cast(amount as decimal(18, 2)) as amount from inputs.orders", {"amount": "=o.amount"}, ""),
    "computed": ("select amount * 2 + id as n from inputs.orders", {"n": "+o.amount +o.id"}, ""),
    "a constant": ("select 1 as one, current_date as today from inputs.orders", {"one": "", "today": ""}, ""),
    "where": ("select id from inputs.orders where state = 'paid'", {"id": "=o.id"}, "#o.state"),
    "case": (
        "select case when state = 'paid' then amount else 0 end as paid from inputs.orders",
        {"paid": "+o.amount ?o.state"},
        "",
    ),
    "case of a value": ("select case state when 'a' then id end as n from inputs.orders", {"n": "+o.id ?o.state"}, ""),
    "if": ("select if(state = 'a', id, amount) as n from inputs.orders", {"n": "+o.id +o.amount ?o.state"}, ""),
    "coalesce": ("select coalesce(amount, id) as n from inputs.orders", {"n": "+o.amount +o.id"}, ""),
    "nullif": ("select nullif(amount, id) as n from inputs.orders", {"n": "+o.amount ?o.id"}, ""),
    "aggregates": (
        "select customer, sum(amount) as total, count(*) as orders from inputs.orders group by customer having max(id) > 3",
        {"customer": "=o.customer", "total": "+o.amount", "orders": ""},
        "#o.customer #o.id",
    ),
    "group by a position": ("select state, max(id) as n from inputs.orders group by 1", {"state": "=o.state", "n": "+o.id"}, "#o.state"),
    "group by all": ("select state, max(id) as n from inputs.orders group by all", {"state": "=o.state", "n": "+o.id"}, "#o.state"),
    "filtered aggregate": ("select sum(amount) filter (where state = 'a') as n from inputs.orders", {"n": "+o.amount ?o.state"}, ""),
    "ordered aggregate": ("select array_agg(id order by amount) as n from inputs.orders", {"n": "+o.id ?o.amount"}, ""),
    "arg_max": ("select arg_max(id, amount) as n from inputs.orders", {"n": "+o.id ?o.amount"}, ""),
    "window": (
        "select sum(amount) over (partition by customer order by id) as n from inputs.orders",
        {"n": "+o.amount ?o.customer ?o.id"},
        "",
    ),
    "named window": ("select row_number() over w as n from inputs.orders window w as (order by amount)", {"n": "?o.amount"}, ""),
    "qualify": (
        "select id from inputs.orders qualify row_number() over (partition by customer order by amount) = 1",
        {"id": "=o.id"},
        "#o.customer #o.amount",
    ),
    "join": (
        "select o.id, p.city from inputs.orders o left join internal.people p on o.customer = p.id",
        {"id": "=o.id", "city": "=p.city"},
        "#o.customer #p.id",
    ),
    "join using, star": (
        "select * from (select id, amount from inputs.orders) join internal.people using (id)",
        {"id": "+o.id +p.id", "amount": "=o.amount", "name": "=p.name", "city": "=p.city"},
        "#o.id #p.id",
    ),
    "semi join": ("select o.id from inputs.orders o semi join internal.people p on o.customer = p.id", {"id": "=o.id"}, "#o.customer #p.id"),
    "exclude and replace": (
        "select * exclude (id) replace (upper(name) as name) from internal.people",
        {"name": "+p.name", "city": "=p.city"},
        "",
    ),
    "from first": ("from internal.people", {"id": "=p.id", "name": "=p.name", "city": "=p.city"}, ""),
    "with": (
        "with a as (select id as x, amount from inputs.orders where state = 'a'), b as (select x, sum(amount) as t from a group by x) select * from b",
        {"x": "=o.id", "t": "+o.amount"},
        "#o.state #o.id",
    ),
    "with that hides a table": ("with people as (select id as city from inputs.orders) select city from people", {"city": "=o.id"}, ""),
    "recursive with": (
        "with recursive up as (select id, customer from inputs.orders union all select p.id, up.id from up join internal.people p on p.id = up.customer) select * from up",
        {"id": "=o.id =p.id", "customer": "=o.customer =o.id =p.id"},
        "#p.id #o.customer #o.id",
    ),
    "union all": ("select id from inputs.orders union all select id from internal.people", {"id": "=o.id =p.id"}, ""),
    "union": ("select id from inputs.orders union select id from internal.people", {"id": "=o.id =p.id"}, "#o.id #p.id"),
    "union by name": (
        "select id, state from inputs.orders union all by name select city as state, id from internal.people",
        {"id": "=o.id =p.id", "state": "=o.state =p.city"},
        "",
    ),
    "except": ("select id from inputs.orders except select id from internal.people", {"id": "=o.id"}, "#o.id #p.id"),
    "distinct": ("select distinct state from inputs.orders", {"state": "=o.state"}, "#o.state"),
    "distinct on": (
        "select distinct on (customer) customer, id from inputs.orders order by amount",
        {"customer": "=o.customer", "id": "=o.id"},
        "#o.customer #o.amount",
    ),
    "order without limit": ("select id from inputs.orders order by amount", {"id": "=o.id"}, ""),
    "order with limit": ("select id from inputs.orders order by amount limit 3", {"id": "=o.id"}, "#o.amount"),
    "a query as a value": (
        "select id, (select max(city) from internal.people p where p.id = o.customer) as city from inputs.orders o",
        {"id": "=o.id", "city": "+p.city ?p.id ?o.customer"},
        "",
    ),
    "a query in where": (
        "select id from inputs.orders where customer in (select id from internal.people where city = 'Bonn')",
        {"id": "=o.id"},
        "#o.customer #p.id #p.city",
    ),
    "exists": (
        "select id from inputs.orders o where exists (select 1 from internal.people p where p.id = o.customer)",
        {"id": "=o.id"},
        "#p.id #o.customer",
    ),
    "lateral query": (
        "select o.id, x.city from inputs.orders o, lateral (select city from internal.people p where p.id = o.customer) x",
        {"id": "=o.id", "city": "=p.city"},
        "#p.id #o.customer",
    ),
    "unnest as a value": ("select id, unnest(items) as item from inputs.orders", {"id": "=o.id", "item": "+o.items"}, ""),
    "unnest as a table": ("select o.id, u.item from inputs.orders o, unnest(o.items) u(item)", {"id": "=o.id", "item": "+o.items"}, "#o.items"),
    "struct, lambda, list": (
        "select items.first as f, list_transform(items, x -> x + amount) as t, {'a': id}.a as a from inputs.orders",
        {"f": "+o.items", "t": "+o.items +o.amount", "a": "+o.id"},
        "",
    ),
    "pivot in from": (
        "select * from (select customer, state, amount from inputs.orders) pivot (sum(amount) for state in ('a', 'b'))",
        {"customer": "=o.customer", "a": "+o.amount ?o.state", "b": "+o.amount ?o.state"},
        "#o.customer #o.state #o.amount",
    ),
    "quoted and mixed case": ('select "Paid At" as "Paid_At", ID as "Id" from INPUTS.Orders', {"Paid_At": "=o.Paid_At", "Id": "=o.id"}, ""),
    "an alias used again": ("select amount + 1 as a, a * id as b from inputs.orders", {"a": "+o.amount", "b": "+o.amount +o.id"}, ""),
    "values and series": ("select p, i from (values (1)) v(p), range(3) r(i)", {"p": "", "i": ""}, ""),
    "nested parentheses": ("(select id from inputs.orders) union all ((select id from internal.people))", {"id": "=o.id =p.id"}, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_columns_are_traced_through(case):
    sql, columns, rows = CASES[case]
    found = read(sql, list(columns))
    assert {name: said(made) for name, made in found.columns.items()} == {name: uses(text) for name, text in columns.items()}
    assert said(found.rows) == uses(rows)


UNRESOLVABLE = {
    "select columns('i|n') from internal.people": ("id", "name"),
    "select * from elsewhere.orders": ("id",),
    "select * from other.inputs.orders": ORDERS.columns,
    "select q from read_csv('orders.csv')": ("q",),
    "select id from internal.people where id > (select max(id) from internal.unknown)": ("id",),
    "select #1 from internal.people": ("id",),
    "pivot inputs.orders on state using sum(amount)": ("id", "a"),
    "select id, id from internal.people": ("id", "id_1"),
    "select id from internal.people; select name from internal.people": ("id",),
    "select id frm internal.people where": ("id",),
    "select max(id) from internal.people where rowid = 1": ("max(id)",),
}


@pytest.mark.parametrize("sql", UNRESOLVABLE)
def test_what_is_not_known_for_sure_says_so(sql):
    with pytest.raises(Unresolvable):
        read(sql, UNRESOLVABLE[sql])


def test_a_table_with_other_columns_than_its_sql_is_not_believed():
    with pytest.raises(Unresolvable, match="differ in the columns town"):
        read("select id from internal.people", ["id", "town"])


def test_an_incremental_table_may_have_columns_that_its_sql_has_no_more():
    found = read("select id from internal.people", ["id", "town"], keeps_rows=True)
    assert list(found.columns) == ["id"]


def test_columns_without_a_name_are_known_by_their_position():
    found = read("select id, max(name) from internal.people group by id", ["id", "max(name)"])
    assert said(found.columns["max(name)"]) == uses("+p.name")


def test_the_order_of_a_table_with_a_contract_may_be_another():
    found = read("select id, name as city from internal.people", ["city", "id"])
    assert (said(found.columns["id"]), said(found.columns["city"])) == (uses("=p.id"), uses("=p.name"))


def test_two_columns_of_one_name_are_told_apart_by_position_and_not_by_name():
    found = read("select id, name from internal.people union all select p.id, p.id from internal.people p", ["id", "name"])
    assert said(found.columns["name"]) == uses("=p.name =p.id")
    with pytest.raises(Unresolvable, match="two columns are called id"):
        read("select q.id from (select o.id, p.id from inputs.orders o, internal.people p) q", ["id"])
