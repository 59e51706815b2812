"""How long a large table of PostgreSQL takes to be read, and how much memory: the first pull, and one with few changes behind it.

.venv/bin/python -m benchmarks.tables    10 million rows, or as many million as are named
"""

import resource
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb
from sqlalchemy import create_engine, text

from platform_resources.capabilities.protocols import Extraction
from platform_resources.capabilities.readers.database_rows import DatabaseRows
from tests.ledger.ledgers import postgres

TABLE = """
create table orders as select n::bigint as order_id, (n % 1000)::numeric(12,2) as amount, 'status ' || n % 7 as status,
timestamptz '2024-01-01' + n * interval '1 second' as updated_at from generate_series(1, {rows}) n
"""
LIMIT = "2GB"


def pulled(connection, url, cursor):
    rows = DatabaseRows(url, "orders", None, ("order_id",), "updated_at", "none", timedelta(hours=1))
    began = time.monotonic()
    connection.execute("begin")
    found = rows.read(Extraction(connection, date(2024, 6, 1), {}, cursor, Path(), "orders"))
    count = found.data.count("*").fetchall()[0][0]
    connection.execute("commit")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{count:>12,} rows, {found.cursor['read']:>12,} read in {time.monotonic() - began:6.1f} s; peak of the process {peak:.2f} GiB",
        flush=True,
    )
    return found.cursor


def main(millions: float) -> None:
    with postgres() as url, tempfile.TemporaryDirectory() as folder:
        engine = create_engine(url)
        with engine.begin() as source:
            source.execute(text(TABLE.format(rows=int(millions * 1e6))))
        connection = duckdb.connect(f"{folder}/product.duckdb", config={"memory_limit": LIMIT, "threads": 2})
        cursor = pulled(connection, url, None)
        with engine.begin() as source:
            source.execute(text("insert into orders select -n, 1, 'new', timestamptz '2030-01-01' from generate_series(1, 1000) n"))
        pulled(connection, url, cursor)
        engine.dispose()


main(float(sys.argv[1]) if len(sys.argv) > 1 else 10)
