"""The two tables, each as a native table, as Parquet behind a view, and as a view with a join, in one database file of DuckDB.

python -m peers.tables DATABASE promotions|sales ROWS FOLDER_OF_COMPLETEJOURNEY PARQUET_FILE
"""

import sys
from pathlib import Path

import duckdb

LAYOUTS = ("native", "parquet", "joined")
ROWS = {"promotions": 20_940_529, "sales": 50_000_000}

_PROMOTIONS = "select * from read_parquet('{data}/promotions.parquet') limit {rows}"
# Fixed pseudorandom numbers; days come in order, as they do where rows are appended.
_SALES = """
select i as id, (hash(i) % 1000000)::integer as customer, (hash(i, 1) % 500)::smallint as store, (i * 730 // {rows})::integer as day_number,
  (1 + hash(i, 2) % 40)::integer as quantity, (100 + hash(i, 3) % 500000)::integer as cents,
  case when hash(i, 4) % 50 > 0 then (hash(i, 4) % 500) / 100.0 end::double as discount,
  chr((65 + hash(i, 5) % 26)::integer) || lpad((hash(i, 5) // 26 % 10000)::varchar, 4, '0') as code,
  ['open', 'paid', 'sent', 'back', 'lost', 'held'][(1 + hash(i, 6) % 6)::integer] as status,
  ['AT', 'BE', 'CH', 'DE', 'DK', 'ES', 'FI', 'FR', 'IT', 'NL', 'NO', 'PL', 'SE'][(1 + hash(i, 7) % 13)::integer] as country
from range({rows}) as made(i)
"""
_STORES = "select i::smallint as number, 'region ' || i % 12 as region from range(500) as made(i)"
_JOIN = {
    "promotions": "select l.*, r.department from internal.native l left join internal.looked_up r on r.product_id = l.product_id",
    "sales": "select l.*, r.region from internal.native l left join internal.looked_up r on r.number = l.store",
}


def main() -> None:
    database, table, rows, data = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    made = (_PROMOTIONS if table == "promotions" else _SALES).format(data=data, rows=rows)
    looked_up = f"select * from read_parquet('{data}/products.parquet')" if table == "promotions" else _STORES
    whole_file = table == "promotions" and rows >= ROWS[table]
    parquet = Path(data) / "promotions.parquet" if whole_file else Path(sys.argv[5])
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema internal")
        connection.execute(f"create table internal.native as {made}")
        connection.execute(f"create table internal.looked_up as {looked_up}")
        if not whole_file:
            connection.execute(f"copy internal.native to '{parquet}' (format parquet)")
        connection.execute(f"create view internal.parquet as select * from read_parquet('{parquet}')")
        connection.execute(f"create view internal.joined as {_JOIN[table]}")
        connection.execute("create table internal.one as select 1 as number")
        connection.execute("checkpoint")


if __name__ == "__main__":
    main()
