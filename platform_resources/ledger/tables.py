"""The tables that are a projection of the event log: `rebuild` makes them anew.

Each has a primary key that says what an event is about, so that an event read twice, or under another log id, is one row. SQLite keeps
the tables sorted by it (WITHOUT ROWID): one objective's readings lie together in the order of time.
"""

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Double, Index, Integer, Table, Text, false

from platform_resources.ledger.columns import TABLES, MomentColumn, optional, required


def _key(kind: Any, *names: str) -> tuple[Column[Any], ...]:
    return tuple(Column(name, kind, primary_key=True, autoincrement=False, nullable=False) for name in names)


checks = Table(
    "checks",
    TABLES,
    *_key(BigInteger, "id"),
    *required(Text, "asset_key", "name", "product", "kind", "dimension", "title"),
    *optional(MomentColumn, "retired_at"),
    Index(None, "product"),
    Index(None, "asset_key", "name"),
)

readings = Table(
    "readings",
    TABLES,
    # No foreign key to checks: it would be looked up for each of millions of rows that one transaction writes after their check.
    *_key(BigInteger, "check_id"),
    *_key(MomentColumn, "at"),
    *_key(Text, "run_id"),
    *required(Text, "verdict"),
    *optional(Double, "value"),
    *required(Text, "shown", "threshold"),
    *optional(BigInteger, "failing_rows"),
    *required(Text, "reason"),
    *required(BigInteger, "log_id"),
    Column("unit", Text, nullable=False, server_default=""),
    *optional(Double, "at_least", "at_most"),
    Column("learning", Boolean, nullable=False, server_default=false()),
    Column("severity", Text, nullable=False, server_default="error"),
    sqlite_with_rowid=False,
)

publications = Table(
    "publications",
    TABLES,
    *_key(Text, "product", "port", "version"),
    *required(MomentColumn, "published_at"),
    *required(Text, "product_version"),
    *optional(MomentColumn, "watermark"),
    Column("watermark_unknown", Boolean, nullable=False, server_default=false()),
    *optional(BigInteger, "rows", "bytes"),
    *required(JSON, "columns"),
    *required(Text, "run_id"),
    *required(BigInteger, "log_id"),
    Index(None, "product", "port", "published_at"),
    sqlite_with_rowid=False,
)

profiles = Table(
    "profiles",
    TABLES,
    *_key(Text, "product", "data_set", "version", "column_name"),
    *required(Integer, "position"),
    *required(MomentColumn, "published_at"),
    *required(JSON, "profile"),
    *required(Text, "run_id"),
    *required(BigInteger, "log_id"),
    sqlite_with_rowid=False,
)

input_states = Table(
    "input_states",
    TABLES,
    *_key(Text, "product", "port"),
    *_key(MomentColumn, "at"),
    *_key(Text, "run_id"),
    *required(Boolean, "changed"),
    *required(Text, "degraded", "source_version"),
    *optional(BigInteger, "rows"),
    *required(JSON, "columns"),
    *required(BigInteger, "log_id"),
    sqlite_with_rowid=False,
)

scorecards = Table(
    "scorecards",
    TABLES,
    *_key(Text, "product"),
    *_key(MomentColumn, "at"),
    *_key(Text, "run_id"),
    *required(Text, "outcome"),
    *required(Integer, "objectives", "met", "missed", "unknown", "checks"),
    *required(BigInteger, "log_id"),
    Column("held_back", Text, nullable=False, server_default=""),
    sqlite_with_rowid=False,
)

freshness_states = Table(
    "freshness_states",
    TABLES,
    *_key(Text, "asset_key"),
    *_key(MomentColumn, "at"),
    *_key(Text, "state"),
    *required(Text, "previous", "product", "run_id"),
    *required(BigInteger, "log_id"),
    Index(None, "product", "at"),
    sqlite_with_rowid=False,
)

runs = Table(
    "runs",
    TABLES,
    *_key(Text, "run_id"),
    *required(Text, "product", "job", "status"),
    *optional(MomentColumn, "started_at", "ended_at"),
    *required(Text, "failed_step", "reason"),
    *required(BigInteger, "log_id"),
    Column("failures", Text, nullable=False, server_default=""),
    Column("closed_gate", Boolean, nullable=False, server_default=false()),
    Index(None, "product", "started_at"),
    Index(None, "status", "ended_at"),
    sqlite_with_rowid=False,
)

# Which products have changed since somebody looked: `number` grows with each write about the product, `latest_at` is the latest moment
# that any record of it is stamped with. No projection: a rebuild changes every product, and forgets no number.
product_changes = Table(
    "product_changes",
    TABLES,
    *_key(Text, "product"),
    *required(BigInteger, "number"),
    *required(MomentColumn, "latest_at"),
    sqlite_with_rowid=False,
)

cursors = Table("cursors", TABLES, *_key(Text, "kind"), *required(BigInteger, "log_id"), *required(MomentColumn, "synced_at"))

# Where reading may be taken up again: events that stood in the log, and since when no earlier one can still appear before them.
marks = Table(
    "marks",
    TABLES,
    *_key(Text, "kind"),
    *_key(BigInteger, "log_id"),
    *required(Text, "identity"),
    *required(MomentColumn, "settles_at"),
    sqlite_with_rowid=False,
)
