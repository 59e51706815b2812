"""How do Dagster's processes keep their connections to PostgreSQL? By `plugin=kept_connections` in the address of its storage.

Dagster's daemon, code servers and runs open a new connection for each statement or two: some 30 for one look of a sensor, four for each
event of a run. Each costs the server some milliseconds of a core, most of it to read its catalog again. Its web server alone has pools.
"""

from functools import partial
from typing import Any

import psycopg2
import sqlalchemy as sa
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, connection, make_dsn
from sqlalchemy.engine import CreateEnginePlugin

from platform_resources.warehouses.idle_connections import IdleConnections, OpenConnection

# Two of a process stay open; what was idle for a minute may have been forgotten on the way, so that a try of it would wait for minutes.
# They belong to no engine, since a code server makes a new instance of Dagster, with three engines, for each question.
IDLE = IdleConnections(2, 60.0)


class KeptConnection(connection):
    """A connection that waits for its next user once one has closed it, unless it is broken or enough are waiting."""

    address = ""

    def close(self) -> None:
        if self.closed or self.info.transaction_status != TRANSACTION_STATUS_IDLE:
            super().close()
        else:
            IDLE.keep(OpenConnection((self.address,), self, partial(connection.close, self)))


class KeptConnections(CreateEnginePlugin):
    """Has an engine that would connect for each use take a connection that is kept. Others are left alone, and so are transactions: what is
    kept commits each statement by itself, as Dagster asks for."""

    def __init__(self, url: sa.URL, kwargs: dict[str, Any]) -> None:
        super().__init__(url, kwargs)
        self.is_wanted = kwargs.get("poolclass") is sa.pool.NullPool and kwargs.get("isolation_level") == "AUTOCOMMIT"

    def update_url(self, url: sa.URL) -> sa.URL:
        """SQLAlchemy takes the plugin's name out by itself."""
        return url

    def engine_created(self, engine: sa.Engine) -> None:
        if self.is_wanted:
            sa.event.listen(engine, "do_connect", _connected)


def _connected(dialect: Any, record: Any, arguments: Any, named: dict[str, Any]) -> KeptConnection:
    """A connection that was kept, if its server still answers: it may have been started anew. Else a new one."""
    address = make_dsn(*arguments, **named)
    while (kept := IDLE.take((address,))) is not None:
        try:
            with kept.connection.cursor() as cursor:
                cursor.execute("select 1")
        except psycopg2.Error:
            kept.end()
        else:
            return kept.connection  # type: ignore[no-any-return]
    new = psycopg2.connect(address, connection_factory=KeptConnection)
    new.address = address
    return new
