"""The whole sample mesh on Snowflake and on DuckDB: refreshed twice on both, compared product by product.

    python -m tests.snowflake_mesh [PRODUCT…]

Without an account in the environment it runs on a server that speaks Snowflake's protocol. With `SNOWFLAKE_ACCOUNT` it runs on that
account, in databases whose names begin with `SNOWFLAKE_DATABASE`; deploy/snowflake/ says how to make the account ready and clean it up.
Ends with 1 where a product, a verdict or a column differs.
"""

import contextlib
import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from platform_resources.dbt.planning import read_plan
from platform_resources.plan.plan import MeshPlan
from platform_resources.publications.consumer_queries import queried
from platform_resources.publications.version_records import Publication
from platform_resources.refresh.gate import gate
from platform_resources.warehouses.snowflake.sessions import database_name
from platform_resources.warehouses.targets import warehouse
from tests.meshes import REPOSITORY, edited
from tests.refresh.running import running
from tests.snowflake_server import snowflake_server

# Some of the rows are enough to compare, with promises about the number of rows that suit them.
FEWER = {
    "dataproducts/complete_journey.py": {"        from dated\n": "        from dated where household_id % 50 = 0\n"},
    "dataproducts/sales/purchase_orders/product.yaml": {
        "at_least: 100000\n": "at_least: 1000\n",
        "at_least: 1000000,": "at_least: 10000,",
    },
    "dataproducts/finance/revenue/product.yaml": {"at_least: 1000\n": "at_least: 500\n"},
    "dataproducts/customer/customer_360/product.yaml": {"at_least: 2000,": "at_least: 500,"},
    "dataproducts/marketing/promotions/extract.py": {"        where {week_start}": "        where store_id % 50 = 0 and {week_start}"},
    "dataproducts/marketing/promotions/product.yaml": {"at_least: 15000000\n": "at_least: 100000\n"},
}
# When a row was computed differs from refresh to refresh, and nothing else.
OF_THE_MOMENT = "processing_timestamp"
# Amounts that are rounded from sums of decimals, which the stand-in adds as floating point numbers (`typeof` of such a sum is a double):
# what lies between two of them may be rounded to the one or the other. Each value may differ by one in its last digit, and no more.
ROUNDED = {"campaigns.compared_spend_before": 0.01, "coupons.uplift_per_household": 0.0001}
ONLY_AN_ACCOUNT = (
    "that roles, grants, masking and row access policies and secure views keep from a reader what they should (make account tries it)",
    "that a key pair, a browser or OAuth signs in, and how long real logins and statements take",
    "that a warehouse resumes, suspends, queues and is stopped by its resource monitor",
    "reads of ACCESS_HISTORY, credits of QUERY_HISTORY and WAREHOUSE_METERING_HISTORY as an account gives them",
    "COPY of Parquet with logical types, zero-copy clones of large tables, and loads of more rows than fit in memory",
    "what it costs",
)


def sample(folder: Path, products: Sequence[str] = ()) -> Path:
    """The mesh of this repository with fewer rows; only with some of its products where they are named."""
    for part in ("dataproducts", "dbt_project"):
        shutil.copytree(REPOSITORY / part, folder / part, ignore=shutil.ignore_patterns("target", "logs", "_generated.yml", "__pycache__"))
    for path, changes in FEWER.items():
        for old, new in changes.items():
            edited(folder, path, old, new)
    for place in [file.parent.relative_to(folder / "dataproducts") for file in folder.glob("dataproducts/*/*/product.yaml")]:
        if products and place.name not in products:
            shutil.rmtree(folder / "dataproducts" / place)
            shutil.rmtree(folder / "dbt_project/models" / place)
    return folder


Verdicts = Mapping[str, tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One product after its refreshes: how each ended and why, its verdicts by title, and a checksum for each column of each data set."""

    ended: Sequence[tuple[str, Sequence[str]]]
    version: Publication | None
    verdicts: Verdicts
    checksums: Mapping[str, str]
    rounded: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RefreshedMesh:
    """Products that were refreshed in the warehouse of the environment."""

    root: Path
    outcomes: Mapping[str, Outcome]


def refreshed(root: Path, products: Sequence[str], times: int = 1) -> RefreshedMesh:
    """Refresh the products, upstream first, that many times."""
    with running(root) as mesh:
        turns = [{done.product: done for done in mesh.refresh(*products)} for _ in range(times)]
        plan = mesh.plan
        outcomes = {
            name: Outcome(
                tuple((turn[name].outcome, turn[name].reasons) for turn in turns),
                mesh.shelf(name).latest(),
                verdicts(root, plan, name),
                checksums(root, plan, name),
                dict(rounded(root, plan, name)),
            )
            for name in products
        }
    return RefreshedMesh(root, outcomes)


def verdicts(root: Path, plan: MeshPlan, product: str) -> Verdicts:
    """Dimension, verdict and reason of each objective; without reasons that say how long something took, or how old it is."""
    with warehouse().opened(root, plan.product(product).domain, product) as database:
        return {
            each.title: (each.dimension, each.verdict, "" if each.dimension in ("freshness", "duration") else each.reason)
            for each in gate(database).verdicts
        }


def checksums(root: Path, plan: MeshPlan, product: str) -> Mapping[str, str]:
    """A digest of the sorted values of each column that consumers read, and the number of rows."""
    data_sets = sorted({port.data_set for port in plan.product(product).outputs if port.store.in_catalog})
    sums = {}
    for data_set in data_sets:
        # The stand-in gives times that are null as 1970-01-01, and their texts as they are.
        columns = plan.product(product).data_set(data_set).spec.columns
        times = {column.name for column in columns if column.type.startswith("timestamp")}
        named = ", ".join(f"cast({c.name} as varchar) as {c.name}" if c.name in times else c.name for c in columns)
        names, rows = queried(root, plan.product(product).domain, product, f"select {named} from {data_set}", as_text=True)
        sums[data_set] = f"{len(rows)} rows"
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        sums |= {f"{data_set}.{name.lower()}": digest(values) for name, values in zip(names, columns, strict=True)}
    return {name: value for name, value in sums.items() if not name.endswith(f".{OF_THE_MOMENT}") and name not in ROUNDED}


def rounded(root: Path, plan: MeshPlan, product: str) -> Iterator[tuple[str, Sequence[float]]]:
    """The sorted values of columns that are compared up to their last digit."""
    for name in ROUNDED:
        data_set, _, column = name.partition(".")
        if any(port.data_set == data_set for port in plan.product(product).outputs):
            sql = f"select {column} from {data_set} where {column} is not null"
            yield name, sorted(float(value) for (value,) in queried(root, plan.product(product).domain, product, sql)[1])


def digest(values: Sequence[str | None]) -> str:
    return hashlib.sha256("\n".join(sorted(map(written, values))).encode()).hexdigest()[:12]


def written(value: str | None) -> str:
    """A number as far as two engines that add in another order can agree on it."""
    if value is None:
        return "null"
    with contextlib.suppress(ValueError):
        return f"{float(value):.9g}"
    return re.sub(r"(:\d\d)\.0+$", r"\1", value)  # a time, with as many zeros as the session's format writes


@contextlib.contextmanager
def account(folder: Path) -> Iterator[Mapping[str, str]]:
    """The environment that leads to an account: the one that is there, or a stand-in."""
    if "SNOWFLAKE_ACCOUNT" in os.environ:
        yield {"MESH_TARGET": "snowflake"}
    else:
        with snowflake_server(folder / "server.log") as environment:
            yield environment


def differences(ours: Outcome, theirs: Outcome) -> Iterator[str]:
    """What differs between a product on DuckDB and on Snowflake, in words."""
    if ours.ended != theirs.ended:
        yield f"its refreshes ended as {theirs.ended}, on DuckDB as {ours.ended}"
    for about, one, other in (("verdict", ours.verdicts, theirs.verdicts), ("values", ours.checksums, theirs.checksums)):
        for name in sorted(one.keys() | other.keys()):
            if one.get(name) != other.get(name):
                yield f"{about} of {name}: {other.get(name)}, on DuckDB {one.get(name)}"
    for name, values in ours.rounded.items():
        others = theirs.rounded.get(name, ())
        far = [pair for pair in zip(values, others, strict=False) if abs(pair[0] - pair[1]) > ROUNDED[name] * 1.5]
        if far or len(values) != len(others):
            yield f"values of {name}: {len(others)} are there, on DuckDB {len(values)}, and {len(far)} differ by more than {ROUNDED[name]}"


def report(on_duckdb: RefreshedMesh, on_snowflake: RefreshedMesh) -> bool:
    """Print a line for each product, and each difference; gives whether there is none."""
    equal = True
    for name, ours in on_duckdb.outcomes.items():
        theirs = on_snowflake.outcomes[name]
        found = tuple(differences(ours, theirs))
        equal = equal and not found
        ended = ", ".join(outcome for outcome, _ in theirs.ended)
        columns = sum("." in sum_name for sum_name in theirs.checksums)
        print(f"{name:24} {ended:24} {len(theirs.verdicts):3} verdicts {columns:3} columns  {'differs' if found else 'equal'}")
        print(*(f"    {difference}" for difference in found), sep="\n", end="\n" if found else "")
    for name, digit in ROUNDED.items():
        if any(name in ours.rounded for ours in on_duckdb.outcomes.values()):
            print(f"{name} is compared up to {digit}: the stand-in adds decimals as floating point numbers, which rounds ties otherwise")
    print("What only an account can prove:", *(f"  {text}" for text in ONLY_AN_ACCOUNT), sep="\n")
    return equal


def main(products: Sequence[str]) -> int:
    """Refresh on both and compare; gives the exit code."""
    plan = read_plan(REPOSITORY)[0]
    names = tuple(products) or tuple(product.name for product in plan.products)
    if "SNOWFLAKE_ACCOUNT" in os.environ:
        print(f"On the account {os.environ['SNOWFLAKE_ACCOUNT']} these databases are made, and stay:")
        print(*(f"    {database_name(plan.product(name).domain, name, os.environ)}" for name in names), sep="\n")
    os.environ.pop("MESH_TARGET", None)
    with tempfile.TemporaryDirectory(prefix="mesh_") as folder:
        on_duckdb = refreshed(sample(Path(folder) / "duckdb"), names, times=2)
        with account(Path(folder)) as environment:
            os.environ.update(environment)
            on_snowflake = refreshed(sample(Path(folder) / "snowflake"), names, times=2)
        return 0 if report(on_duckdb, on_snowflake) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
