"""Run SQL of others in a process of its own, with limits on memory and time."""

import json
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import timedelta
from subprocess import DEVNULL, PIPE
from typing import Any, BinaryIO, TypeVar

from platform_resources.spec.values.durations import duration_text
from platform_resources.warehouses.duckdb.consuming.consumer_sql import Selects
from platform_resources.warehouses.duckdb.consuming.query_process import LARGEST_ANSWER, TOO_LARGE
from platform_resources.warehouses.engine_errors import QueryFailed
from platform_resources.warehouses.limits import TIME_VARIABLE
from platform_resources.warehouses.protocol import Bounds
from platform_resources.warehouses.written_results import WantedResult, WrittenResult

LOOK_EVERY_SECONDS = 0.2
Answered = TypeVar("Answered")
_RUNNER = (sys.executable, "-m", "platform_resources.warehouses.duckdb.consuming.query_process")


def answer(
    sql: str, readable: Selects, within: timedelta, *, as_text: bool = False, bounds: Bounds | None = None
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of one SELECT. Raises QueryFailed, also when it takes longer than `within` or too much memory.

    `bounds` are narrower ones.
    """
    asked = {"sql": sql, "as_text": as_text, "room": LARGEST_ANSWER if bounds is not None else None, **asdict(readable)}
    longer = "" if bounds is not None else f"; {TIME_VARIABLE} allows longer"
    narrowed = bounds or Bounds(within)
    return _run(asked, narrowed, lambda process, text: _received(process, text, narrowed.rows), longer=longer)


def write_answer(sql: str, readable: Selects, wanted: WantedResult, file: BinaryIO, bounds: Bounds) -> WrittenResult:
    """The same answer in a file, which the process writes itself. Raises QueryFailed."""
    asked = {"sql": sql, "file": file.fileno(), "wanted": asdict(replace(wanted, most=bounds.rows)), **asdict(readable)}
    return _run(asked, bounds, _written_result, (file.fileno(),))


def _run(
    asked: Mapping[str, Any],
    bounds: Bounds,
    answered: Callable[[subprocess.Popen[bytes], bytes], Answered],
    files: tuple[int, ...] = (),
    longer: str = "",
) -> Answered:
    over = threading.Event()
    with subprocess.Popen(_RUNNER, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, pass_fds=files) as process:
        watch = threading.Thread(target=_watch, args=(process, bounds, over), daemon=True)
        watch.start()
        try:
            return answered(process, json.dumps(asked).encode())
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
            if over.is_set():
                raise QueryFailed("stopped" if bounds.stopped() else f"broken off after {duration_text(bounds.time)}{longer}") from error
            code = process.wait()
            # Without memory it is ended by a signal.
            raise QueryFailed(f"the process that ran the query ended with code {code}{f'; {TOO_LARGE}' if code < 0 else ''}") from error
        finally:
            process.kill()


def _watch(process: subprocess.Popen[bytes], bounds: Bounds, over: threading.Event) -> None:
    """End the process at its deadline, or when nobody waits for it any more."""
    end = time.monotonic() + bounds.time.total_seconds()
    while process.poll() is None:
        if time.monotonic() >= end or bounds.stopped():
            over.set()
            process.kill()
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(min(LOOK_EVERY_SECONDS, max(end - time.monotonic(), 0)))


def _written_result(process: subprocess.Popen[bytes], asked: bytes) -> WrittenResult:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(asked)
    process.stdin.close()
    what, content = pickle.load(process.stdout)
    if what == "failed":
        raise QueryFailed(content)
    return WrittenResult(**content)


def _received(process: subprocess.Popen[bytes], asked: bytes, most: int | None) -> tuple[list[str], list[tuple[Any, ...]]]:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(asked)
    process.stdin.close()
    names: list[str] = []
    rows: list[tuple[Any, ...]] = []
    while True:
        what, content = pickle.load(process.stdout)
        match what:
            case "columns":
                names = content
            case "rows":
                rows += content
                if most is not None and len(rows) >= most:
                    return names, rows[:most]
            case "failed":
                raise QueryFailed(content)
            case _:
                return names, rows
