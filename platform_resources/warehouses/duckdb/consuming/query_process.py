"""What runs in the process of its own that answers SQL of others: it imports little, since each answer waits for it."""

import json
import pickle
import resource
import sys
from dataclasses import asdict
from typing import Any, BinaryIO

from platform_resources.warehouses.duckdb.consuming.consumer_sql import LARGEST_RESULT, Selects, opened_query, written_query
from platform_resources.warehouses.engine_errors import QueryFailed
from platform_resources.warehouses.written_results import WantedResult

# DuckDB's own limit does not hold for long texts and lists; this one does.
PROCESS_MEMORY = 2 * 2**30
TOO_LARGE = "the query needs more than the 2 GiB of memory that a query may take; read fewer rows or columns, or shorter values"
# So much of an answer whoever says bounds takes into its own memory, however few rows it has.
LARGEST_ANSWER = 64 * 2**20
_TOO_LONG = f"the answer is larger than {LARGEST_ANSWER // 2**20} MiB; read fewer rows or columns, or shorter values, or take it as a file"


def main() -> None:
    """Reads what is asked from the standard input, and writes the answer in parts to the standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (PROCESS_MEMORY, PROCESS_MEMORY))
    asked = json.load(sys.stdin)
    try:
        readable = Selects(asked["schemas"], asked["files"])
        if "file" in asked:
            resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_RESULT, LARGEST_RESULT))
            with open(asked["file"], "wb", closefd=False) as file:
                written = written_query(asked["sql"], readable, WantedResult(**asked["wanted"]), file)
            _tell(sys.stdout.buffer, "written", asdict(written))
            return
        names, batches = opened_query(asked["sql"], readable, as_text=asked["as_text"])
        _tell(sys.stdout.buffer, "columns", names)
        room = asked["room"]
        for batch in batches:
            if room is not None:
                room -= sum(len(value) for row in batch for value in row if isinstance(value, str | bytes))
                if room < 0:
                    raise QueryFailed(_TOO_LONG)
            _tell(sys.stdout.buffer, "rows", batch)
        _tell(sys.stdout.buffer, "end", None)
    except QueryFailed as error:
        _tell(sys.stdout.buffer, "failed", TOO_LARGE if str(error).startswith("Out of Memory Error") else str(error))
    except MemoryError:
        _tell(sys.stdout.buffer, "failed", TOO_LARGE)


def _tell(stream: BinaryIO, what: str, content: Any) -> None:
    pickle.dump((what, content), stream)
    stream.flush()


if __name__ == "__main__":
    main()
