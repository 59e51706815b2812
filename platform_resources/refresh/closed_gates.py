"""Write the message of a closed gate."""

from collections.abc import Iterable


def closed_gate_text(reasons: Iterable[str], served: str | None) -> str:
    """Which version consumers keep (`served`, its id), and a line for each reason."""
    return "\n".join((f"not published, the gate is closed; {served_text(served)}", *(f"- {reason}" for reason in reasons)))


def served_text(served: str | None) -> str:
    """Which version consumers still get."""
    return f"version {served} is still served" if served else "no version has been published yet"
