"""Run SQL of others in a process of its own, with limits on memory and time."""

import json
import pickle
import resource
import subprocess
import sys
import threading
from dataclasses import asdict
from datetime import timedelta
from subprocess import DEVNULL, PIPE
from typing import Any, BinaryIO

from platform_resources.spec.values.durations import duration_text
from platform_resources.warehouses.duckdb.consumer_sql import Selects, opened_query
from platform_resources.warehouses.limits import TIME_VARIABLE
from platform_resources.warehouses.protocol import Bounds, QueryFailed

# DuckDB's own limit does not hold for long texts and lists; this one does.
PROCESS_MEMORY = 2 * 2**30
_TOO_LARGE = "the query needs more than the 2 GiB of memory that a query may take; read fewer rows or columns, or shorter values"
_RUNNER = (sys.executable, "-m", "platform_resources.warehouses.duckdb.foreign_queries")


def answer(
    sql: str, readable: Selects, time: timedelta, *, as_text: bool = False, bounds: Bounds | None = None
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of one SELECT. Raises QueryFailed, also when it takes longer than `time` or too much memory.

    `bounds` are narrower ones.
    """
    time, most = (bounds.time, bounds.rows) if bounds is not None else (time, None)
    asked = json.dumps({"sql": sql, "as_text": as_text, **asdict(readable)}).encode()
    late = threading.Event()
    with subprocess.Popen(_RUNNER, stdin=PIPE, stdout=PIPE, stderr=DEVNULL) as process:
        watch = threading.Timer(time.total_seconds(), _end, (process, late))
        watch.start()
        try:
            return _received(process, asked, most)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
            if late.is_set():
                longer = f"; {TIME_VARIABLE} allows longer" if bounds is None else ""
                raise QueryFailed(f"broken off after {duration_text(time)}{longer}") from error
            code = process.wait()
            # Without memory it is ended by a signal.
            raise QueryFailed(f"the process that ran the query ended with code {code}{f'; {_TOO_LARGE}' if code < 0 else ''}") from error
        finally:
            watch.cancel()
            process.kill()


def _end(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    process.kill()


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


# What runs in the process of its own


def main() -> None:
    """Reads what is asked from the standard input, and writes the answer in parts to the standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (PROCESS_MEMORY, PROCESS_MEMORY))
    asked = json.load(sys.stdin)
    try:
        names, batches = opened_query(asked["sql"], Selects(asked["schemas"], asked["files"]), as_text=asked["as_text"])
        _tell(sys.stdout.buffer, "columns", names)
        for batch in batches:
            _tell(sys.stdout.buffer, "rows", batch)
        _tell(sys.stdout.buffer, "end", None)
    except QueryFailed as error:
        _tell(sys.stdout.buffer, "failed", _TOO_LARGE if str(error).startswith("Out of Memory Error") else str(error))
    except MemoryError:
        _tell(sys.stdout.buffer, "failed", _TOO_LARGE)


def _tell(stream: BinaryIO, what: str, content: Any) -> None:
    pickle.dump((what, content), stream)
    stream.flush()


if __name__ == "__main__":
    main()
