"""What libraries do anew at each call, though its result is always the same, is done once in a process that runs tests.

Nothing that is written or read becomes another: Dagster's SQLite storage makes an engine for each statement, which then compiles it
anew; Alembic imports all its revisions to make one database; dbt looks through the whole stack at each start to name a module in a
message, lists all installed packages and parses the same macros. Together they take a third of the processor's time of a refresh.
"""

from functools import lru_cache
from typing import Any

import sqlalchemy
from alembic.script import ScriptDirectory
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from dbt_common.behavior_flags import BehaviorFlagRendered
from dbt_common.tests import enable_test_caching

_STORAGES = (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage)
_SCRIPTS: dict[str | None, ScriptDirectory] = {}
_scripts_of = ScriptDirectory.from_config


def do_once() -> None:
    """From now on, in this process."""
    for storage in _STORAGES:
        storage.create_engine = _engine  # type: ignore[attr-defined]
    ScriptDirectory.from_config = _scripts  # type: ignore[method-assign,assignment]
    BehaviorFlagRendered._default_source = staticmethod(lambda: "Unknown")
    enable_test_caching()


def _engine(url: str, poolclass: Any, connect_args: dict[str, int] | None = None) -> sqlalchemy.Engine:
    """Dagster's engines keep no connection, so that one engine serves all."""
    if poolclass is not sqlalchemy.NullPool:
        raise ValueError("an engine that keeps connections cannot be shared")
    return _kept_engine(url, **(connect_args or {}))


@lru_cache(maxsize=64)
def _kept_engine(url: str, **connect_args: int) -> sqlalchemy.Engine:
    return sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool, connect_args=connect_args)


def _scripts(config: Any) -> ScriptDirectory:
    where = config.get_main_option("script_location")
    if where not in _SCRIPTS:
        _SCRIPTS[where] = _scripts_of(config)
    return _SCRIPTS[where]
