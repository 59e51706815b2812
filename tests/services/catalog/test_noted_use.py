"""What an account of Snowflake has noted of use comes into the ledger, from rows as its views give them; what it does not tell is unknown."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlglot
from snowflake.connector.errors import ProgrammingError

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.ledger.queries.objective_history import spent
from platform_resources.ledger.queries.reads import reads_of_products
from platform_resources.ledger.queries.use import use_of_products
from platform_resources.ledger.records import Run
from platform_resources.ledger.writing import write
from platform_resources.services.catalog.noted_use import note_warehouse_use
from platform_resources.warehouses.snowflake.account import SnowflakeWarehouse
from platform_resources.warehouses.snowflake.account_usage import credits_sql, reads_sql
from tests.golden_files import assert_golden

TESTS = Path(__file__).parents[2]
RECORDED = json.loads((TESTS / "recorded/snowflake_use.json").read_text(encoding="utf-8"))
NOW, DAY = datetime(2026, 11, 29, 12, tzinfo=UTC), timedelta(days=1)
ENVIRONMENT = {
    "MESH_TARGET": "snowflake",
    "SNOWFLAKE_ACCOUNT": "acme-1",
    "SNOWFLAKE_USER": "mesh",
    "SNOWFLAKE_PASSWORD": "hush-hush",
    "SNOWFLAKE_ROLE": "LOADER",
    "SNOWFLAKE_WAREHOUSE": "SMALL",
    "SNOWFLAKE_DATABASE": "MESH",
}


def test_what_is_asked_of_an_account_is_as_reviewed():
    statements = (reads_sql(NOW - DAY, NOW, ENVIRONMENT), credits_sql(NOW - DAY, NOW))
    assert_golden(";\n\n".join(statements) + ";\n", TESTS / "golden/snowflake_use.sql")
    for sql in statements:
        assert len(sqlglot.parse(sql, dialect="snowflake")) == 1


class Recorded:
    """A connection that gives the recorded rows of the view that a statement asks, or refuses it."""

    database = None

    def __init__(self, refused=False):
        self.refused, self.asked = refused, []

    def close(self, retry):
        """Nothing is open."""

    @contextmanager
    def cursor(self):
        yield self

    def execute(self, sql, timeout=None, **more):
        self.asked.append(sql)
        if self.refused:
            raise ProgrammingError("002003: Object 'SNOWFLAKE.ACCOUNT_USAGE.ACCESS_HISTORY' does not exist or not authorized.", errno=2003)
        self.view = next(name for name in RECORDED if name in sql)

    @property
    def description(self):
        return [(name,) for name in RECORDED[self.view]["columns"]]

    def fetchall(self):
        """Times as the connector gives them."""
        rows = [tuple(row) for row in RECORDED[self.view]["rows"]]
        if self.view != "ACCESS_HISTORY":
            return rows
        return [(datetime.strptime(at, "%Y-%m-%d %H:%M:%S.%f %z"), *others) for at, *others in rows]


@pytest.fixture
def plan(tiny):
    """Read before there is an account, which dbt would be asked about."""
    return read_plan(tiny)[0]


@pytest.fixture
def account(plan, monkeypatch):
    """An account of which only what it has noted is asked."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    recorded = Recorded()

    @contextmanager
    def connect(arguments):
        yield recorded

    monkeypatch.setattr(SnowflakeWarehouse.__init__, "__defaults__", (connect,))
    return recorded


@pytest.fixture
def ledger(tiny):
    opened = open_ledger(ledger_url(tiny, {}))
    with opened.writing() as connection:
        began = NOW - DAY
        ended = began + timedelta(minutes=1)
        write(connection, [Run(f"run-{number}", "readings", "refresh", "succeeded", began, ended, "", "", number) for number in (1, 2, 3)])
    yield opened
    opened.close()


def test_scores_count_reads_that_the_warehouse_saw_by_port_reader_and_column(account, ledger, plan):
    assert note_warehouse_use(ledger, plan, NOW) == ""
    with ledger.reading() as connection:
        reads = reads_of_products(connection, ["readings", "summary"], NOW - 5 * DAY, NOW, {})
        use = use_of_products(connection, plan, NOW - 5 * DAY, NOW)
    assert {name: (port.count, port.readers) for name, port in reads["readings"].by_port.items()} == {
        "measurements_sql": (2, ("ana@example.com", "dashboard"))
    }
    assert reads["summary"].readers == ("ana@example.com",)
    assert (use["readings"].users, use["readings"].last_read_at) == (2, datetime(2026, 11, 28, 11, 40, 59, 2000, tzinfo=UTC))
    assert list(reads["readings"].columns.items()) == [("degrees", 2), ("Größe", 1), ("sensor", 1)]


def test_credits_of_a_refresh_are_those_that_are_billed_and_unknown_until_then(account, ledger, plan):
    note_warehouse_use(ledger, plan, NOW)
    with ledger.reading() as connection:
        assert {run.credits for run in spent(connection, "readings", NOW)} == {0.125, 0.5, None}


def test_an_account_is_asked_now_and_then_and_each_read_counts_once(account, ledger, plan):
    note_warehouse_use(ledger, plan, NOW)
    asked = len(account.asked)
    assert note_warehouse_use(ledger, plan, NOW + timedelta(hours=5)) == "" and len(account.asked) == asked == 2
    note_warehouse_use(ledger, plan, NOW + timedelta(hours=7))
    assert "'2026-11-29T09:00:00+00:00'::timestamp_tz and q.QUERY_START_TIME < '2026-11-29T16:00:00+00:00'" in account.asked[2]


def test_an_account_that_does_not_tell_leaves_it_unknown_and_is_asked_again(account, ledger, plan):
    account.refused = True
    for _ in range(2):
        assert note_warehouse_use(ledger, plan, NOW) == (
            "reads and credits that the warehouse has noted since 2026-10-30 are unknown: "
            "002003: Object 'SNOWFLAKE.ACCOUNT_USAGE.ACCESS_HISTORY' does not exist or not authorized."
        )
    with ledger.reading() as connection:
        assert reads_of_products(connection, ["readings"], NOW - 5 * DAY, NOW, {})["readings"].count == 0
        assert {run.credits for run in spent(connection, "readings", NOW)} == {None}


def test_duckdb_notes_no_use_and_nothing_is_unknown(ledger, plan, monkeypatch):
    monkeypatch.delenv("MESH_TARGET", raising=False)
    assert note_warehouse_use(ledger, plan, NOW) == ""
