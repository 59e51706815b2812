"""Write the message of a closed gate, and recognise it in the reason of a failed run."""

from collections.abc import Iterable

# The error with which Dagster itself ends a step whose blocking check did not pass; closed gates of older runs have it.
BLOCKED = "DagsterAssetCheckFailedError"
_CLOSED = "not published, the gate is closed"


def closed_gate_text(reasons: Iterable[str], served: str | None) -> str:
    """Which version consumers keep (`served`, its id), and a line for each reason."""
    return "\n".join((f"{_CLOSED}; {served_text(served)}", *(f"- {reason}" for reason in reasons)))


def served_text(served: str | None) -> str:
    return f"version {served} is still served" if served else "no version has been published yet"


def is_closed_gate(reason: str) -> bool:
    """Whether a run failed for this reason: a gate was closed."""
    return reason.startswith(_CLOSED) or BLOCKED in reason.partition(":")[0]
