"""How do Dagster's processes keep their connections to PostgreSQL? By `plugin=kept_connections` in the address of its storage.

Dagster's daemon, code servers and runs open a new connection for each statement or two: some 30 for one look of a sensor, four for each
event of a run. Each costs the server some milliseconds of a core, most of it to read its catalog again. Its web server alone has pools.
"""

import logging
import os
import time
from collections import defaultdict, deque
from typing import Any

import psycopg2
import sqlalchemy as sa
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, connection, make_dsn
from sqlalchemy.engine import CreateEnginePlugin

LOGGER = logging.getLogger(__name__)
# So many connections to one address stay open in a process; more are closed after use.
KEPT = 2
# A connection that nobody used for longer is not tried: what lies between may have forgotten it, and a try would wait for minutes.
LONGEST_IDLE_SECONDS = 60.0
# By process and address: a forked process must not speak on its parent's connections. They belong to no engine, since a code server makes
# a new instance of Dagster, with three engines, for each question.
_idle: defaultdict[tuple[int, str], deque["KeptConnection"]] = defaultdict(deque)


class KeptConnection(connection):
    """A connection that waits for its next user once one has closed it, unless it is broken or enough are waiting."""

    address, idle_since = "", 0.0

    def close(self) -> None:
        idle = _idle[os.getpid(), self.address]
        if self.closed or self.info.transaction_status != TRANSACTION_STATUS_IDLE or len(idle) >= KEPT:
            super().close()
        else:
            self.idle_since = time.monotonic()
            idle.append(self)

    def is_open(self) -> bool:
        """Whether the server still answers: it may have been started anew. If not, the connection is closed."""
        if time.monotonic() - self.idle_since < LONGEST_IDLE_SECONDS:
            try:
                with self.cursor() as cursor:
                    cursor.execute("select 1")
            except psycopg2.Error as unusable:
                LOGGER.debug("a kept connection is of no use any more: %s", unusable)
            else:
                return True
        super().close()
        return False


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
    """A connection that was kept, or a new one."""
    address = make_dsn(*arguments, **named)
    idle = _idle[os.getpid(), address]
    while idle:
        try:
            kept = idle.pop()
        except IndexError:  # another thread was faster
            break
        if kept.is_open():
            return kept
    new: KeptConnection = psycopg2.connect(address, connection_factory=KeptConnection)
    new.address = address
    return new
