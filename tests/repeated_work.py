"""What libraries do anew at each call, though its result is always the same, is done once in a process that runs tests.

Nothing that is written or read becomes another: Dagster's SQLite storage makes an engine for each statement, which then compiles it
anew, and four processes for each run copy what steps print to the terminal, unless the platform's settings are there; Alembic imports all
its revisions to make one database; dbt looks through the whole stack at each start to name a module in a message, lists all installed
packages and parses the same macros. Together they take half of the processor's time of a refresh.
"""

import os
import threading
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy
from alembic.script import ScriptDirectory
from dagster._core.execution import compute_logs
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from dbt_common.behavior_flags import BehaviorFlagRendered
from dbt_common.tests import enable_test_caching

from platform_resources.ledger.database import CompiledStatements
from platform_resources.orchestration.events.printed_output import shown_too

_STORAGES = (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage)
_SCRIPTS: dict[str | None, ScriptDirectory] = {}
_COMPILED = CompiledStatements(1000)
_ENGINES: dict[tuple[Any, ...], sqlalchemy.Engine] = {}
_KEPT, _OPENING = 32, threading.Lock()
_scripts_of = ScriptDirectory.from_config


def do_once() -> None:
    """From now on, in this process."""
    for storage in _STORAGES:
        storage.create_engine = _engine  # type: ignore[attr-defined]
    compute_logs.tail_to_stream = shown_too  # type: ignore[assignment]
    ScriptDirectory.from_config = _scripts  # type: ignore[method-assign,assignment]
    BehaviorFlagRendered._default_source = staticmethod(lambda: "Unknown")
    enable_test_caching()


def _engine(url: str, poolclass: Any, connect_args: dict[str, int] | None = None) -> sqlalchemy.Engine:
    """Dagster's engines keep no connection, so that one engine serves all of a process."""
    if poolclass is not sqlalchemy.NullPool:
        raise ValueError("an engine that keeps connections cannot be shared")
    return _kept_engine(url, os.getpid(), **(connect_args or {}))


def _kept_engine(url: str, process: int, **connect_args: int) -> sqlalchemy.Engine:
    """One that keeps a connection all the same, for as long as its file is there: whoever closes the last one has SQLite tidy the file.

    Of many databases those that were used last are kept: each holds three of the files that a process may have open.
    """
    key = (url, process, *connect_args.items())
    with _OPENING:
        engine = _ENGINES.pop(key, None) or _new_engine(url, connect_args)
        _ENGINES[key] = engine
        for unused in list(_ENGINES)[:-_KEPT]:
            _ENGINES.pop(unused).pool.dispose()
    return engine


def _new_engine(url: str, connect_args: dict[str, int]) -> sqlalchemy.Engine:
    shared = {"compiled_cache": _COMPILED}
    waits = {**connect_args, "check_same_thread": False}
    engine = sqlalchemy.create_engine(
        url, poolclass=sqlalchemy.QueuePool, pool_size=1, max_overflow=-1, connect_args=waits, execution_options=shared
    )
    engine.dispose = lambda: None  # type: ignore[method-assign,misc,assignment]
    sqlalchemy.event.listen(engine, "checkout", partial(_is_of_its_file, Path(engine.url.database or "")))
    return engine


def _is_of_its_file(file: Path, connection: Any, record: Any, proxy: Any) -> None:
    """Tests take files away and make others in their place. The number of an open file is not given to another one."""
    now = file.stat().st_ino if file.exists() else None
    if record.info.get("file", now) != now:
        raise sqlalchemy.exc.DisconnectionError
    if now is not None:
        record.info["file"] = now


def _scripts(config: Any) -> ScriptDirectory:
    where = config.get_main_option("script_location")
    if where not in _SCRIPTS:
        _SCRIPTS[where] = _scripts_of(config)
    return _SCRIPTS[where]
