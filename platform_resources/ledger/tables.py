"""The tables that are a projection of the event log: `rebuild` makes them anew.

Each has a primary key that says what an event is about, so that an event read twice, or under another log id, is one row. SQLite keeps
the tables sorted by it (WITHOUT ROWID): one objective's readings lie together in the order of time.
"""

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Double, Index, Integer, Table, Text, false

from platform_resources.ledger.columns import TABLES, MomentColumn


def _key(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


def _must(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


checks = Table(
    "checks",
    TABLES,
    _key("id", BigInteger),
    _must("asset_key", Text),
    _must("name", Text),
    _must("product", Text),
    _must("kind", Text),
    _must("dimension", Text),
    _must("title", Text),
    Column("retired_at", MomentColumn),
    Index(None, "product"),
    Index(None, "asset_key", "name"),
)

readings = Table(
    "readings",
    TABLES,
    # No foreign key to checks: it would be looked up for each of millions of rows that one transaction writes after their check.
    _key("check_id", BigInteger),
    _key("at", MomentColumn),
    _key("run_id", Text),
    _must("verdict", Text),
    Column("value", Double),
    _must("shown", Text),
    _must("threshold", Text),
    Column("failing_rows", BigInteger),
    _must("reason", Text),
    _must("log_id", BigInteger),
    Column("unit", Text, nullable=False, server_default=""),
    Column("at_least", Double),
    Column("at_most", Double),
    Column("learning", Boolean, nullable=False, server_default=false()),
    Column("severity", Text, nullable=False, server_default="error"),
    sqlite_with_rowid=False,
)

publications = Table(
    "publications",
    TABLES,
    _key("product", Text),
    _key("port", Text),
    _key("version", Text),
    _must("published_at", MomentColumn),
    _must("product_version", Text),
    Column("watermark", MomentColumn),
    Column("watermark_unknown", Boolean, nullable=False, server_default=false()),
    Column("rows", BigInteger),
    Column("bytes", BigInteger),
    _must("columns", JSON),
    _must("run_id", Text),
    _must("log_id", BigInteger),
    Index(None, "product", "port", "published_at"),
    sqlite_with_rowid=False,
)

profiles = Table(
    "profiles",
    TABLES,
    _key("product", Text),
    _key("data_set", Text),
    _key("version", Text),
    _key("column_name", Text),
    _must("position", Integer),
    _must("published_at", MomentColumn),
    _must("profile", JSON),
    _must("run_id", Text),
    _must("log_id", BigInteger),
    sqlite_with_rowid=False,
)

input_states = Table(
    "input_states",
    TABLES,
    _key("product", Text),
    _key("port", Text),
    _key("at", MomentColumn),
    _key("run_id", Text),
    _must("changed", Boolean),
    _must("degraded", Text),
    _must("source_version", Text),
    Column("rows", BigInteger),
    _must("columns", JSON),
    _must("log_id", BigInteger),
    sqlite_with_rowid=False,
)

scorecards = Table(
    "scorecards",
    TABLES,
    _key("product", Text),
    _key("at", MomentColumn),
    _key("run_id", Text),
    _must("outcome", Text),
    _must("objectives", Integer),
    _must("met", Integer),
    _must("missed", Integer),
    _must("unknown", Integer),
    _must("checks", Integer),
    _must("log_id", BigInteger),
    Column("held_back", Text, nullable=False, server_default=""),
    sqlite_with_rowid=False,
)

freshness_states = Table(
    "freshness_states",
    TABLES,
    _key("asset_key", Text),
    _key("at", MomentColumn),
    _key("state", Text),
    _must("previous", Text),
    _must("product", Text),
    _must("run_id", Text),
    _must("log_id", BigInteger),
    Index(None, "product", "at"),
    sqlite_with_rowid=False,
)

runs = Table(
    "runs",
    TABLES,
    _key("run_id", Text),
    _must("product", Text),
    _must("job", Text),
    _must("status", Text),
    Column("started_at", MomentColumn),
    Column("ended_at", MomentColumn),
    _must("failed_step", Text),
    _must("reason", Text),
    _must("log_id", BigInteger),
    Column("failures", Text, nullable=False, server_default=""),
    Column("closed_gate", Boolean, nullable=False, server_default=false()),
    Index(None, "product", "started_at"),
    Index(None, "status", "ended_at"),
    sqlite_with_rowid=False,
)

# Which products have changed since somebody looked: `number` grows with each write about the product, `latest_at` is the latest moment
# that any record of it is stamped with. No projection: a rebuild changes every product, and forgets no number.
product_changes = Table(
    "product_changes", TABLES, _key("product", Text), _must("number", BigInteger), _must("latest_at", MomentColumn), sqlite_with_rowid=False
)

cursors = Table("cursors", TABLES, _key("kind", Text), _must("log_id", BigInteger), _must("synced_at", MomentColumn))

# Where reading may be taken up again: events that stood in the log, and since when no earlier one can still appear before them.
marks = Table(
    "marks",
    TABLES,
    _key("kind", Text),
    _key("log_id", BigInteger),
    _must("identity", Text),
    _must("settles_at", MomentColumn),
    sqlite_with_rowid=False,
)
