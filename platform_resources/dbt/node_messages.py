"""Shorten dbt's message about a failed node to the cause. It is a text for people, of which dbt gives no parts."""

from collections.abc import Iterator
from typing import Any

_CONTRACT = "enforced contract that failed"
# dbt's name of the event that says why a batch failed; the result of its model says only how many have.
_FAILED_BATCH = "GenericExceptionOnRun"
_NAMED_BATCHES = 5
_UNTOLD = "Exception on worker thread. "
_CALLS = ("> in ", "> called by ", "compiled code at ")


def message_text(raw: str) -> str:
    """The cause in one line: what a contract misses by name, otherwise dbt's own words without its call stack."""
    lines = [line.strip() for line in raw.strip().splitlines()]
    if _CONTRACT in raw:
        return "the model breaks its contract: " + "; ".join(_mismatches(lines))
    kept = [line for line in lines if line and not line.startswith(_CALLS) and not _is_heading(line)]
    return " ".join(" ".join(kept or lines).split())


class FailedBatches:
    """Hears dbt's events, and says of a model of the strategy microbatch which batches failed, and why the first of them did."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def __call__(self, event: Any) -> None:
        if event.info.name == _FAILED_BATCH:
            self._reasons.setdefault(event.data.unique_id, message_text(event.data.exc.removeprefix(_UNTOLD)))

    def text(self, executed: Any) -> str:
        """Empty where no batch failed."""
        batches = getattr(executed, "batch_results", None)
        if batches is None or not batches.failed:
            return ""
        begins = [f"{start:%Y-%m-%d}" + (f" {start:%H:%M}" if start.hour else "") for start, _ in batches.failed]
        named = ", ".join(begins[:_NAMED_BATCHES]) + (f" and {len(begins) - _NAMED_BATCHES} more" if len(begins) > _NAMED_BATCHES else "")
        of = len(begins) + len(batches.successful)
        why = self._reasons.get(executed.node.unique_id) or executed.message or "dbt says no more"
        return f"{len(begins)} of {of} batches failed ({named}): {why}"


def _is_heading(line: str) -> bool:
    """`Runtime Error in model orders (models/orders.sql)`, or `Runtime Error` of a batch: what failed is known without it."""
    kind, _, node = line.partition(" Error in ")
    return line == "Runtime Error" or (kind.isalpha() and node.count(" ") >= 2 and " (" in node and node.endswith(")"))


def failing_rows_text(rows: int | None) -> str:
    """`1 row fails`; dbt does not always count them."""
    if rows is None:
        return "it fails, and dbt does not say how many rows"
    return "1 row fails" if rows == 1 else f"{rows} rows fail"


def _mismatches(lines: list[str]) -> Iterator[str]:
    """The rows of dbt's table: column, type made, type promised, reason."""
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").rsplit("|", 3)]
        if not line.startswith("|") or len(cells) != 4 or cells[0] == "column_name" or set(cells[0]) == {"-"}:
            continue
        column, made, promised, _ = cells
        yield _mismatch(column, made, promised)


def _mismatch(column: str, made: str, promised: str) -> str:
    if not made:
        return f"{column} is missing, {promised.lower()} was promised"
    if not promised:
        return f"{column} ({made.lower()}) is not among the data set's columns"
    return f"{column} is {made.lower()}, {promised.lower()} was promised"
