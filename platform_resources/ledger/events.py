"""Events of an append-only log, as the ledger reads them; independent of Dagster."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, get_args

from platform_resources.plan.conventions import Key
from platform_resources.promises.grades import Severity

EventKind = Literal[
    "materialisation", "observation", "check_evaluation", "run_start", "run_success", "run_failure", "run_cancellation", "freshness_change"
]
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)
RunStatus = Literal["started", "succeeded", "failed", "canceled"]


@dataclass(frozen=True, slots=True)
class Materialised:
    """An asset was made. `metadata` holds plain values, and a profile as JSON; `columns` are names and types."""

    key: Key
    metadata: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AssetObserved:
    """An asset was observed without being made anew: for an output port, a version without newer data."""

    key: Key
    metadata: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """An asset check was evaluated. `metadata` holds plain values only."""

    key: Key
    name: str
    passed: bool
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run began; `product` is empty when it is not of one product."""

    product: str
    job: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run ended; the step and the reason only where it failed. `closed_gate`: it failed because a gate was closed."""

    status: RunStatus
    product: str
    job: str
    failed_step: str = ""
    reason: str = ""
    failures: tuple[str, ...] = ()
    closed_gate: bool = False


@dataclass(frozen=True, slots=True)
class FreshnessChanged:
    """Dagster's freshness policy of an asset changed its state."""

    key: Key
    state: str
    previous: str


What = Materialised | AssetObserved | Checked | RunStarted | RunEnded | FreshnessChanged


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the log. `log_id` is its place, not its name: a log that lost its tail gives ids out again."""

    log_id: int
    at: datetime
    run_id: str
    what: What

    @property
    def identity(self) -> str:
        """The same for the same event wherever it stands; 32 hexadecimal digits."""
        text = "\0".join((type(self.what).__name__, *_subject(self.what), self.run_id, self.at.isoformat()))
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _subject(what: What) -> tuple[str, ...]:
    match what:
        case Materialised(key) | AssetObserved(key):
            return key
        case Checked(key, name):
            return (*key, name)
        case FreshnessChanged(key, state):
            return (*key, state)
        case RunStarted():
            return ("started",)
        case RunEnded(status):
            return (status,)


class EventSource(Protocol):
    """An event log that the ledger reads."""

    @property
    def settling(self) -> timedelta:
        """How long after an event one with a smaller log id may still appear; until then events are read again."""
        ...

    def after(self, kind: EventKind, log_id: int, limit: int) -> Sequence[Event]:
        """The next events of the kind after this log id, in log order, at most `limit`; fewer mean that there are no more yet."""
        ...

    def end(self) -> int:
        """The greatest log id of any kind; 0 when the log is empty."""
        ...
