"""Grade the current state of a product from its newest version and its last check results."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, Literal, get_args

from platform_resources.capabilities.judgements import Promise, Verdict
from platform_resources.capabilities.registry import traits_of
from platform_resources.capabilities.support.recency import CLOCKS_MAY_DIFFER_BY
from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.deadlines import MaxAge, asked_at, promised_text
from platform_resources.spec.values.durations import length_text

MOST_REASONS, LEAST_URGENT = 2, 4

Status = Literal["healthy", "use with care", "unhealthy", "unknown", "unpublished", "unreadable", "not run", "retired"]
# What is not refreshed is counted nowhere.
IDLE: tuple[Status, ...] = ("not run", "retired")
Severity = Literal["error", "warning"]
# What a check that is not met does to the grade.
Weight = Literal["breaks", "informs", "target"]


@dataclass(frozen=True, slots=True)
class CheckState:
    """What a check last said; `at` is None if it never ran. `key` is that of the asset that it is of.

    `columns` are those it is about, as `data_set.column`, or the whole data set. `fault` says what is broken where the title says what
    ought to be. A `target` is one of the business: it says nothing about the data. `learning`: what is usual is not known yet. The numbers
    are as in Said.
    """

    name: str
    title: str
    kind: str
    dimension: str
    gate: bool
    verdict: Verdict
    reason: str
    at: datetime | None
    key: tuple[str, ...] = ()
    severity: Severity = "warning"
    target: bool = False
    columns: tuple[str, ...] = ()
    fault: str = ""
    learning: bool = False
    value: float | str | None = None
    shown: str = ""
    unit: str = ""
    comparison: str = ""
    at_least: float | None = None
    at_most: float | None = None
    failing_rows: int | None = None

    @property
    def weight(self) -> Weight:
        """A gate weighs as an error, and so does what makes data stale or unreadable."""
        late = traits_of(self.dimension).breaks or (self.kind == "input" and self.name == "fresh")
        if self.gate or self.severity == "error" or late:
            return "breaks"
        return "target" if self.target else "informs"

    @property
    def urgency(self) -> int:
        """Its place among what is wrong: gates, the failed refresh, other errors, what informs, targets of the business."""
        if self.weight == "breaks":
            return 0 if self.gate else 1 if self.kind == "refresh" else 2
        return 3 if self.weight == "informs" else LEAST_URGENT


@dataclass(frozen=True, slots=True)
class PublishedState:
    """The newest version as far as health goes: by data set its rows, and until when it knows the world; None if that is not known.

    `inherited` are by data set the columns that are more restricted than product.yaml says, with their class.
    """

    version: str
    product_version: str
    published_at: datetime
    rows: Mapping[str, int]
    known_until: Mapping[str, datetime | None]
    inherited: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LastRefresh:
    """How the last refresh ended, in words; `held_back` says why the version that it made was not published, and is empty if none was."""

    outcome: str = ""
    held_back: str = ""


def published_text(version: str) -> str:
    """How a refresh ended that has published this version."""
    return f"published version {version}"


@dataclass(frozen=True, slots=True)
class Grade:
    """How a product is, why in one sentence (empty if all is met), and the columns that this concerns, as `data_set.column`."""

    status: Status
    reason: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProductHealth:
    """A product's status and everything it follows from; `outcome` and `held_back` tell how its last refresh ended, as in LastRefresh.

    `reason` says in one sentence why the status is what it is, `columns` what it concerns. `problem` says why its published versions are
    unreadable, and what to do.
    """

    product: str
    title: str
    domain: str
    status: Status
    published: PublishedState | None
    checks: tuple[CheckState, ...]
    outcome: str = ""
    problem: str = ""
    reason: str = ""
    columns: tuple[str, ...] = ()
    held_back: str = ""

    def count(self, verdict: Verdict, kind: str = "objective") -> int:
        """How many checks of the kind have the verdict."""
        return sum(check.verdict == verdict and check.kind == kind for check in self.checks)

    @property
    def objectives(self) -> tuple[CheckState, ...]:
        """The states of the product's objectives."""
        return tuple(check for check in self.checks if check.kind == "objective")


@dataclass(frozen=True, slots=True)
class WatchedCheck:
    """One check of a product as far as health goes; `dimension` and `data_set` are empty for what is no objective.

    `max_age` is given for objectives that promise one; `levels`: each verdict says how it weighs. The rest is as in CheckState.
    """

    key: tuple[str, ...]
    name: str
    title: str
    kind: str
    gate: bool
    dimension: str = ""
    data_set: str = ""
    max_age: MaxAge | None = None
    severity: Severity = "warning"
    target: bool = False
    columns: tuple[str, ...] = ()
    fault: str = ""
    levels: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What a check said once, as words and as numbers: its value was promised to lie between `at_least` and `at_most`, all in `unit`.

    It `weighs` so, where the check has a threshold for a warning and one for an error.
    """

    verdict: Verdict
    reason: str
    at: datetime | None = None
    value: float | str | None = None
    shown: str = ""
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    failing_rows: int | None = None
    learning: bool = False
    weighs: Severity | None = None


NEVER = Said("unknown", "not checked yet")
Executions = Mapping[tuple[tuple[str, ...], str], Said]


def check_states(
    watched: Sequence[WatchedCheck], published: PublishedState | None, executions: Executions, clock: Clock
) -> tuple[CheckState, ...]:
    """What each check says now, by the product's clock. `executions` has what each (key, name) that ever ran has said last."""
    return tuple(_check_state(check, published, executions, clock) for check in watched)


def _check_state(check: WatchedCheck, published: PublishedState | None, executions: Executions, clock: Clock) -> CheckState:
    said = executions.get((check.key, check.name), NEVER)
    if check.max_age is not None and published is not None:
        said = replace(freshness_now(check.max_age, check.data_set, published, clock), at=said.at)
    return check_state(check, said)


def check_state(check: WatchedCheck, said: Said) -> CheckState:
    """What is watched together with what it says."""
    if check.levels and said.weighs == "warning":
        check = replace(check, severity="warning", gate=False)
    comparison = Promise(said.unit, said.at_least, said.at_most).comparison
    return CheckState(**shared(CheckState, check, said), comparison=comparison)


def shared(kind: type[Any], *sources: Any) -> dict[str, Any]:
    """The fields that source and target dataclasses share, read from the sources."""
    fields: dict[str, Any] = {}
    for source in sources:
        names, values = _in_both(source.__slots__, kind.__slots__)
        fields.update(zip(names, values(source), strict=True))
    return fields


@cache
def _in_both(names: tuple[str, ...], others: tuple[str, ...]) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """Which fields, and what reads them all at once."""
    both = tuple(name for name in names if name in others)
    return both, attrgetter(*both)


def most_urgent_first(since: Mapping[str, datetime], states: Mapping[str, CheckState]) -> list[str]:
    """The names of failing checks, of equal ones first what fails longest; one of which nothing is known any more comes last."""

    def place(check: str) -> tuple[int, datetime, str]:
        return states[check].urgency if check in states else LEAST_URGENT, since[check], check

    return sorted(since, key=place)


def freshness_now(max_age: MaxAge, data_set: str, published: PublishedState, clock: Clock) -> Said:
    """Freshness is a fact of time: what was fresh when it was published may be late now. Late is not fresh."""
    known_until = published.known_until.get(data_set, published.published_at)
    asked, promised = asked_at(max_age, clock.now), promised_text(max_age, clock.now)
    seconds = (clock.now - asked).total_seconds()
    if known_until is None:
        reason = f"it is not known as of when version {published.version} is; {promised}"
        return Said("unknown", reason, unit="s", at_most=seconds)
    if known_until > clock.now + CLOCKS_MAY_DIFFER_BY:
        reason = f"it is as of {clock.moment(known_until)}, which lies in the future"
        return Said("unknown", reason, unit="s", at_most=seconds)
    age = clock.now - known_until
    reason = f"it is as of {clock.moment(known_until)}, {length_text(age)} ago; {promised}"
    verdict: Verdict = "met" if known_until >= asked else "missed"
    return Said(verdict, reason, value=age.total_seconds(), shown=length_text(age), unit="s", at_most=seconds)


def grade(
    runs: bool,
    published: PublishedState | None,
    checks: Sequence[CheckState],
    held_back: str = "",
    problem: str = "",
    has_ports: bool = True,
) -> Grade:
    """Decide the state of a product, in one place for all interfaces. Unknown is not met: it weighs one grade less than a miss would.

    `held_back` is why the version that the last refresh made was not published; `problem` why published versions cannot be read.
    """
    if problem:
        return Grade("unreadable", problem)
    if not runs:
        return Grade("not run")
    if published is None:
        nothing = "nothing was published yet" if has_ports else "it has no output port, so nothing of it is published"
        return Grade("unpublished", held_back or nothing)
    if held_back:
        return Grade("unhealthy", f"the last refresh was held back, {held_back}", _columns(checks))
    return _by_weight(checks)


def _by_weight(checks: Sequence[CheckState]) -> Grade:
    """The first line of the table that holds decides."""
    missed = {weight: [c for c in checks if c.verdict == "missed" and c.weight == weight] for weight in get_args(Weight)}
    unknown = {weight: [c for c in checks if c.verdict == "unknown" and c.weight == weight] for weight in get_args(Weight)}
    learning = [check for check in unknown["informs"] if check.learning]
    unmeasured = [check for check in unknown["informs"] if not check.learning]
    table: tuple[tuple[Status, list[CheckState]], ...] = (
        ("unhealthy", missed["breaks"]),
        ("unknown", unknown["breaks"]),
        ("use with care", missed["informs"] + unmeasured),
    )
    concerned = _columns(checks)
    for status, decisive in table:
        if decisive:
            return Grade(status, _reasons(decisive), concerned)
    return Grade("healthy", _reasons(missed["target"] + unknown["target"] + learning))


def _columns(checks: Sequence[CheckState]) -> tuple[str, ...]:
    """What is not met as promised; targets of the business and what is still being learned concern no column."""
    failing = (check.columns for check in checks if check.verdict != "met" and check.weight != "target" and not check.learning)
    return tuple(sorted({column for columns in failing for column in columns}))


def _reasons(checks: Sequence[CheckState]) -> str:
    """The most urgent of them in words, and how many more there are."""
    ordered = sorted(checks, key=lambda check: check.urgency)
    texts = [f"{check.fault or check.title}: {check.reason}" if check.reason else check.fault or check.title for check in ordered]
    more = f"; and {len(texts) - MOST_REASONS} more" if len(texts) > MOST_REASONS else ""
    return "; ".join(texts[:MOST_REASONS]) + more
