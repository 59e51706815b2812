"""Columns with any names that DuckDB and Snowflake take in quotes, from product.yaml to a consumer's query."""

import pytest

from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.orchestration.definitions import definitions
from tests.meshes import component, model_file, product_file, product_yaml, write_mesh
from tests.refresh.running import mesh, mesh_json, running

pytestmark = pytest.mark.slow
# By the name that each has in the delivered file.
COLUMNS = {
    "Order ID": "bigint",
    "order date": "date",
    "größe": "varchar",
    "Umsatz (€)": "decimal(18,2)",
    "select": "integer",
    "a'b -- c /* d": "varchar",
    "{{ x }} {% y %} {# z": "varchar",
    "数量": "bigint",
    "data": "varchar",
    "rows 1": "varchar",
    "Not By 1": "varchar",
    "50 % | [red]x[/red] `y`": "double",
    "p0": "integer",
    "day": "integer",
    "rows_of_it": "varchar",
    "Käufer;in": "varchar",
    "geändert am": "timestamptz",
}
TESTED = {
    "Order ID": "[unique, not_null]",
    "größe": "[{accepted_values: {values: [S, M, L]}}]",
    "数量": "[not_null]",
    "{{ x }} {% y %} {# z": "[not_null]",
}
ROWS = """\
1,2024-03-01,S,10.50,1,x,j,3,d,one,two,0.5,1,1,r,anna@example.com,2024-03-01 10:00:00+00
2,2024-03-01,M,20.00,0,x,j,4,d,one,two,1.5,2,1,r,ben@example.com,2024-03-01 11:00:00+00
3,2024-03-02,M,30.25,1,y,k,5,e,one,two,2.5,1,2,s,cem@example.com,2024-03-02 10:00:00+00
4,2024-03-02,L,,1,y,k,5,e,one,zwei,2.5,1,2,s,cem@example.com,2024-03-02 12:00:00+00
"""
OBJECTIVES = {
    "Known sizes": "dimension: validity\ncolumn: größe\naccepted_values: [S, M]",
    "Known sizes twice": "dimension: validity\ncolumn: größe\naccepted_values: [S, M, XL]",
    "Few rows 1": "dimension: validity\ncolumn: rows 1\naccepted_values: [one]",
    "Few not by 1": "dimension: validity\ncolumn: Not By 1\naccepted_values: [two]",
    "Few marks": 'dimension: validity\ncolumn: "a\'b -- c /* d"\naccepted_values: [x, y]',
    "Few braces": 'dimension: validity\ncolumn: "{{ x }} {% y %} {# z"\naccepted_values: [j, k]',
    "Sales in range": "dimension: validity\ncolumn: Umsatz (€)\nmin: 0\nmax: 25",
    "Sales are filled": "dimension: completeness\ncolumns: [Umsatz (€)]",
    "All orders are here": "dimension: completeness\npopulation: {input: deliveries, columns: [Order ID]}\nkeys: [Order ID]",
    "One row per day and size": "dimension: uniqueness\ncolumns: [order date, größe]",
    "Orders are in the ledger": "dimension: referential-consistency\ncolumns: [Order ID]\nreferences: {data_set: ledger, columns: [Order No.]}",
    "Usual sales": "dimension: distribution\ncolumn: Umsatz (€)\noutside_usual: {iqr: 3}\nat_most: 0",
    "Sizes have their shares": "dimension: distribution\ncolumn: größe\nshares: {M: {min: 60}}",
    "Nobody is quiet": "dimension: distribution\nquiet_entities: {entities: [größe, select], event_time: geändert am, quiet_for: 1d}\nat_most: 0",
    "Sizes as delivered": "dimension: drift\ncolumn: größe\nreference: {input: deliveries}\nleast_rows: 1",
    "Sales as delivered": "dimension: drift\ncolumn: Umsatz (€)\nreference: {data_set: ledger, column: Betrag €, bins: 2}\nleast_rows: 1",
    "As the ledger has it": """\
dimension: accuracy
reference: {data_set: ledger, columns: [Order No.]}
keys: [Order ID]
compare: {"Umsatz (€)": {reference: Betrag €, tolerance: 0.01}, größe: {}}
sums: {"Umsatz (€)": {reference: Betrag €, tolerance: 1 %}}
rows: 0""",
    "Sizes are treated alike": "dimension: bias\ngroup: größe\noutcome: select\nratio_at_least: 0.1\nminimum_group_size: 1",
    "Fresh": "dimension: freshness\nmax_age: 24h",
    "As promised": "dimension: schema\nextra_columns: forbid",
    "Sales have a sign": "dimension: custom-sql\nfailing_rows: '\"Umsatz (€)\" < 0'",
}
VERDICTS = {
    "known_sizes": "missed",
    "known_sizes_twice": "missed",
    "few_rows_1": "met",
    "few_not_by_1": "missed",
    "few_marks": "met",
    "few_braces": "met",
    "sales_in_range": "missed",
    "sales_are_filled": "missed",
    "all_orders_are_here": "met",
    "one_row_per_day_and_size": "met",
    "orders_are_in_the_ledger": "missed",
    "usual_sales": "met",
    "sizes_have_their_shares": "missed",
    "nobody_is_quiet": "missed",
    "sizes_as_delivered": "met",
    "sales_as_delivered": "met",
    "as_the_ledger_has_it": "missed",
    "sizes_are_treated_alike": "met",
    "fresh": "missed",
    "as_promised": "met",
    "sales_have_a_sign": "met",
}


def in_yaml(name):
    return "'" + name.replace("'", "''") + "'"


def column(name, kind):
    nullable = name in ("Umsatz (€)", "select")
    classified = "personal" if name == "Käufer;in" else "internal"
    tests = TESTED.get(name, "[]")
    return f"  - {{name: {in_yaml(name)}, type: '{kind}', nullable: {nullable}, classification: {classified}, tests: {tests}}}"


LEDGER_COLUMNS = """\
columns:
  - {name: Order No., type: bigint}
  - {name: Betrag €, type: 'decimal(18,2)', nullable: true}
  - {name: größe, type: varchar}"""
PRODUCT = product_yaml(
    "orders",
    "shop",
    component("deliveries", "input-port", "interface: file\npath: landing/orders.csv"),
    component(
        "orders",
        "data-set",
        "primary_key: [Order ID, Käufer;in]\nupdated_at: geändert am\npartition_by: order date\ncolumns:\n"
        + "\n".join(column(name, kind) for name, kind in COLUMNS.items()),
    ),
    component("ledger", "data-set", f"primary_key: [Order No.]\n{LEDGER_COLUMNS}"),
    component("orders_sql", "output-port", "interface: sql\ndata_set: orders"),
    component("orders_file", "output-port", "interface: file\nformat: csv\ndata_set: orders"),
    *(component(name, "service-level-asset", f"data_set: orders\n{text}") for name, text in OBJECTIVES.items()),
    owners="{business: a@example.com, technical: team:b}",
    version="1.0.0",
    description="Orders.",
)
READER = product_yaml(
    "reader",
    "office",
    component("orders", "input-port", "interface: data-product\nassociated_output_port: orders.orders_sql\nversion: ^1"),
    component("sums", "data-set", "columns:\n  - {name: größe, type: varchar}\n  - {name: Σ (€), type: 'decimal(38,2)', nullable: true}"),
    component("sums_sql", "output-port", "interface: sql\ndata_set: sums"),
    owners="{business: a@example.com, technical: team:b}",
    version="1.0.0",
    description="Sums.",
)


def quoted(name):
    return f'"{name}"'


def orders_sql():
    """dbt renders a model, so braces that are no Jinja have to be said to be none."""
    selected = ",\n".join(f"  cast({quoted(name)} as {kind}) as {quoted(name)}" for name, kind in COLUMNS.items())
    return f"select\n{{% raw %}}{selected}{{% endraw %}}\nfrom {{{{ source('orders', 'deliveries') }}}}\n"


LEDGER_SQL = """\
select cast("Order ID" as bigint) as "Order No.", cast("Umsatz (€)" as decimal(18, 2)) as "Betrag €", cast(größe as varchar) as "größe"
from {{ ref('orders') }} where "Order ID" < 4
"""
SUMS_SQL = "select größe, cast(sum(\"Umsatz (€)\") as decimal(38, 2)) as \"Σ (€)\" from {{ source('reader', 'orders') }} group by größe\n"


@pytest.fixture
def shop(tmp_path):
    head = ",".join(quoted(name) for name in COLUMNS)
    files = {
        product_file("shop", "orders"): PRODUCT,
        "dataproducts/shop/orders/landing/orders.csv": f"{head}\n{ROWS}",
        model_file("shop", "orders", "orders"): orders_sql(),
        model_file("shop", "orders", "ledger"): LEDGER_SQL,
        product_file("office", "reader"): READER,
        model_file("office", "reader", "sums"): SUMS_SQL,
    }
    with running(write_mesh(tmp_path, files)) as found:
        yield found


def verdicts(shop):
    names = [objective.check.name for objective in shop.product("orders").audited]
    return {name: shop.check("orders", ("orders",), name).metadata for name in names}


def test_any_names_go_from_the_specification_to_the_consumer(shop):
    done = (*shop.refresh("orders"), *shop.refresh("reader"))
    assert [(each.outcome, each.reasons) for each in done] == [("published", ()), ("published", ())]
    found = verdicts(shop)
    assert {name: each["verdict"].value for name, each in found.items()} == VERDICTS, {n: e["reason"].value for n, e in found.items()}
    columns = found["sales_in_range"]["failing_keys"].value.splitlines()[0]
    assert columns == "| Order ID |", "the key's other column is personal"
    assert shop.latest("orders").port("orders_sql").columns == COLUMNS
    assert shop.rows("reader", "select * from sums order by 2 nulls last") == [("S", 10.5), ("M", 50.25), ("L", None)]
    assert columns_told(shop, ("orders", "orders")) == columns_told(shop, ("orders", "outputs", "orders_sql")) == list(COLUMNS)
    profile = {each["name"]: each for each in mesh_json(shop.root, "profile", "orders", "orders")[0]["columns"]}
    assert list(profile) == list(COLUMNS) and profile["rows_of_it"]["top"] == [["r", 2], ["s", 2]]
    listed = ", ".join(quoted(name) for name in COLUMNS)
    rows = mesh_json(shop.root, "query", "orders", f"select {listed} from orders order by 1")
    assert [list(row) for row in rows] == [list(COLUMNS)] * 4 and rows[0]["{{ x }} {% y %} {# z"] == "j"
    table = mesh(shop.root, "profile", "orders", "orders").stdout
    assert [name for name in ("größe (varchar)", "{{ x }} {% y %} {# z", "[red]x[/red]", "数量 (bigint)") if name not in table] == []
    assert "Known sizes" in mesh(shop.root, "status").stdout


def columns_told(shop, key):
    """The columns in Dagster's metadata of an asset's definition."""
    graph = definitions(shop.root, shop.plan).resolve_asset_graph()
    return [each.name for each in graph.get(asset_key(key)).metadata["dagster/column_schema"].columns]


def test_a_second_refresh_scans_no_day_again_and_says_so(shop):
    (first,), (second,) = shop.refresh("orders"), shop.refresh("orders")
    assert {name: each["verdict"].value for name, each in verdicts(shop).items()} == VERDICTS
    assert "orders: 2 of 2 days were scanned" in logged(shop, first.run_id)
    assert "orders: 0 of 2 days were scanned; the others have not changed" in logged(shop, second.run_id)


def logged(shop, run_id):
    return [entry.user_message for entry in shop.instance.all_logs(run_id)]
