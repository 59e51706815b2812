"""The tiny mesh as a shop: versions of both products, eight days of history, an incident, and texts that want to do harm."""

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from platform_resources.capabilities.registry import installed_registry
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import Ledger, ledger_url, open_ledger
from platform_resources.ledger.records import CheckReading, ColumnProfiled, PortPublication, Record, Run, check_id
from platform_resources.ledger.writing import write
from platform_resources.marketplace.application import application, shown_as
from platform_resources.marketplace.kept_view import opened_market
from platform_resources.measuring.version_profiles import profile_data
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.promises.scores import ProductScore
from platform_resources.publications.version_records import Publication
from platform_resources.refresh.built_lineage import built_columns, keep_lineage
from platform_resources.refresh.profiled_relations import profiles
from platform_resources.refresh.publishing import Candidate, publish
from platform_resources.services.judging import judge_refreshed
from platform_resources.services.product_status import looked_at
from platform_resources.services.scoring.score_round import score_products
from platform_resources.warehouses.duckdb.product_database import opened
from tests.meshes import edited, product_file, tiny_mesh

DAYS = 8
HARM = "<script>document.title = 'harmed'</script><img src=x onerror=\"document.title = 'harmed'\">"
README = f"""# Sensor readings

Every temperature, **as sent**. [A trap](javascript:alert(1)), [a page](https://example.com), [steps](#when-it-breaks).

{HARM}

## When it breaks

1. Call the plant.
"""
# What the models read: lineage is read off their own SQL, and the tables are those that a build would have found.
INPUTS = {
    "readings": "create or replace table inputs.deliveries (reading_id varchar, sensor varchar, degrees varchar, measured_at varchar, operator varchar)",
    "summary": """
create or replace table inputs.measurements (reading_id bigint, sensor varchar, degrees decimal(6, 2), measured_at timestamp,
    operator varchar, processed_at timestamptz);
create or replace table internal.sensor_readings as select sensor, degrees from inputs.measurements
""",
}
MEASUREMENTS = """
create or replace table internal.measurements as
select cast(n as bigint) as reading_id, case when n % 2 = 0 then 'north' else 'south' end as sensor,
       case when n % 10 < {known} then cast(18 + n % 7 as decimal(6, 2)) end as degrees,
       timestamp '2024-06-01' + to_minutes(n) as measured_at, 'Ada' as operator, timestamptz '{at}' as processed_at
from range({rows}) as numbers(n)
"""
SENSORS = """
create or replace table internal.sensors as
select 'north' as sensor, cast(200 as bigint) as readings, cast(24 as decimal(6, 2)) as warmest
union all select 'south', 200, 23
"""
# What each objective said on good days and today; `degrees` are missing since today.
SCHEMAS = {"source": "inputs", "ref": "internal"}
MISSED = "most_readings_have_a_temperature"


def shop_mesh(root: Path, now: datetime) -> Path:
    """As of `now`: everything was well for a week; today half of the temperatures are missing."""
    tiny_mesh(root)
    (root / "dataproducts/plant/readings/README.md").write_text(README)
    edited(root, product_file("office", "summary"), "What each sensor has measured.", f"'What each sensor has measured. {_quoted(HARM)}'")
    ledger = open_ledger(ledger_url(root, {}))
    with ledger.writing() as connection:
        write(connection, list(_records(root, now)))
    plan, _ = read_plan(root)
    judge_refreshed(ledger, root, plan, ["readings", "summary"], installed_registry(), now)
    scored(ledger, root, plan, ["readings"], now)
    ledger.close()
    return root


def scored(
    ledger: Ledger, root: Path, plan: MeshPlan, names: Sequence[str], now: datetime, within: timedelta | None = None
) -> dict[str, ProductScore]:
    """As an evaluation scores these products."""
    products = [plan.product(name) for name in names]
    health, trust = looked_at(ledger, root, plan, products, now)
    return score_products(ledger, root, root, plan, products, {each.product: each for each in health}, trust, now, within)


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _records(root: Path, now: datetime) -> Iterator[Record]:
    plan, problems = read_plan(root)
    assert not plan.rejected, problems
    readings, summary = plan.product("readings"), plan.product("summary")
    for day in range(DAYS):
        at = now - timedelta(days=DAYS - 1 - day, minutes=30)
        today = day == DAYS - 1
        sql = MEASUREMENTS.format(known=5 if today else 9, rows=400 + day, at=at.isoformat())
        yield from _version(root, readings, sql, at, {})
        yield from _said(readings, at, today)
    yield from _version(root, summary, SENSORS, now - timedelta(minutes=20), {})
    yield from _said(summary, now - timedelta(minutes=20), today=False)


def _version(root: Path, product: ProductPlan, sql: str, at: datetime, inputs: dict) -> Iterator[Record]:
    run = f"{product.name}-{at:%d%H}"
    with opened(root / f"warehouse/{product.domain}/{product.name}.duckdb") as database:
        database.connection.execute(f"create schema if not exists inputs; {INPUTS[product.name]}; {sql}")
        keep_lineage(
            database, root, product, {model.name: compiled(model.sql) for model in product.models}, built_columns(database, product)
        )
        profiled = profiles(database, product)
        published = publish(database, Candidate(product, root, at, run, run), inputs)
    yield Run(run, product.name, f"refresh_{product.name}", "succeeded", at - timedelta(seconds=9), at, "", "", 1)
    yield from _ports(published, at)
    for each in profiled:
        for place, column in enumerate(profile_data(each.profile)):
            yield ColumnProfiled(product.name, each.data_set, published.id, column["name"], place, at, column, run, 1)


def compiled(sql: str) -> str:
    """As dbt would compile a model of the tiny mesh."""
    sql = re.sub(r"{{ config[^}]*}}", "", sql)
    return re.sub(r"{{ (source|ref)\((?:'\w+', )?'(\w+)'\) }}", lambda call: f"{SCHEMAS[call[1]]}.{call[2]}", sql)


def _ports(published: Publication, at: datetime) -> Iterator[Record]:
    for port in published.ports:
        until = port.known_until(published.published_at)
        yield PortPublication(
            published.product,
            port.port,
            published.id,
            at,
            published.product_version,
            until,
            port.rows,
            port.bytes,
            port.columns,
            published.run_id,
            1,
        )


def _said(product: ProductPlan, at: datetime, today: bool) -> Iterator[Record]:
    for check in product.checks:
        share = (50.0 if today else 90.0) if check.name == MISSED else None
        verdict = "missed" if share == 50 else "met"
        reason, numbers = "fine", {"unit": "rows", "at_least": 3.0}
        if share is not None:
            reason, numbers = f"degrees is filled in {share:g} % of 407 rows; 60 % promised", {"unit": "%", "at_least": 60.0}
        value, run = share or 407.0, f"{product.name}-{at:%d%H}"
        yield CheckReading(check_id(check.key, check.name), at, run, verdict, value, f"{value:g}", "", None, reason, 1, **numbers)


def opened_ledger(root: Path) -> Ledger:
    return open_ledger(ledger_url(root, {}))


@contextmanager
def served(root: Path, reader: str = "") -> Iterator[str]:
    """The address of the marketplace of a mesh, perhaps as a reader sees it, in a thread of this process. Its view is not renewed by the clock."""
    who = shown_as(reader) if reader else None
    with running(application(opened_market(root), watch=False, who=who)) as address:
        yield address


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """The address of an application that is served in a thread of this process."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", server_header=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server has ended instead of beginning"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(300)


NOW = datetime.now(UTC).replace(microsecond=0)
