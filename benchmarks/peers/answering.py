"""How a tool's run tells its answers: a line of JSON, read by `running.py`."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from peers.checks import Job, job_of

# How many rows fail each check, by its id, and whether the tool calls it met.
Answer = dict[str, tuple[int, bool]]


def answers(run: Callable[[Job], Answer]) -> None:
    """Run the job whose file is the first argument, and write its answer beside it."""
    job = job_of(json.loads(Path(sys.argv[1]).read_text()))
    counter = _query_counter(job) if os.environ.get("COUNT_QUERIES") else None
    answer = run(job)
    Path(job.folder, "answer.json").write_text(json.dumps({id: [int(n), bool(met)] for id, (n, met) in answer.items()}))
    if counter is not None:
        Path(job.folder, "queries.json").write_text(json.dumps(len(counter())))


def _query_counter(job: Job) -> Callable[[], list[str]]:
    """Every connection logs its queries; those that name the relation and read it are counted. Not used where time is measured."""
    import duckdb

    opened, connect = [], duckdb.connect

    def logged(*arguments: object, **named: object) -> duckdb.DuckDBPyConnection:
        connection = connect(*arguments, **named)
        connection.execute("call enable_logging('QueryLog')")
        opened.append(connect(*arguments, **named))
        return connection

    duckdb.connect = logged

    def queries() -> list[str]:
        logs = "select trim(message) from duckdb_logs where type = 'QueryLog'"
        return max(([row[0] for row in each.execute(logs).fetchall() if _reads(row[0], job.relation)] for each in opened), key=len)

    return queries


def _reads(sql: str, relation: str) -> bool:
    """Whether it is a query on the relation's rows, and not one about it."""
    about = ("information_schema", "duckdb_logs", "duckdb_columns", "pragma", "limit 0")
    words = sql.lower()
    return relation in words and words.startswith(("select", "with", "--", "/*")) and not any(word in words for word in about)
