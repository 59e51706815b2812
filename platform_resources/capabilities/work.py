"""What a refresh had to do, as data: how long its steps took, and what each statement of a model read, kept and spilled."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scan:
    """One table or set of files that a statement reads: rows and columns read of it, and by how many filters some were left out at once."""

    name: str
    rows: int
    columns: int
    filters: int


@dataclass(frozen=True, slots=True)
class ModelWork:
    """What building one model took: seconds by the clock and of the processor, rows read, kept, and passed on in between, bytes spilled.

    The processor's seconds are those of the whole process, so they are too many where another model is built at the same time.
    """

    model: str
    seconds: float
    cpu_seconds: float
    rows_read: int
    rows_kept: int
    rows_between: int
    spilled: int
    scans: tuple[Scan, ...] = ()


@dataclass(frozen=True, slots=True)
class RefreshWork:
    """What one refresh did: the seconds of its steps (pull, build, audit, publish), and its models."""

    run_id: str
    steps: Mapping[str, float] = field(default_factory=dict)
    models: tuple[ModelWork, ...] = ()
