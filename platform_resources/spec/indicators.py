"""Fields of an indicator: its window, its error budget, and the periods that are excluded."""

import math
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from platform_resources.spec.strict import Strict
from platform_resources.spec.values.calendar_windows import Windowed, WindowLength, usual
from platform_resources.spec.values.durations import duration_text
from platform_resources.spec.values.field_types import Duration, FormerNames, Owner, Percent, Text, TimeZone, YesNo
from platform_resources.spec.values.names import any_case

Method = Literal["timeslices", "ratio-timeslices", "occurrences"]
_METHOD_WORDS = any_case("timeslices", "ratio-timeslices", "occurrences")
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST, _LATEST = date(1970, 1, 1), date(2999, 12, 31)
_DATE_PATTERN = r"^\s*\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|[+-]\d{2}:\d{2})?)?\s*$"


def _method(value: Any) -> Any:
    """`Ratio Timeslices` and OpenSLO's `RatioTimeslices` mean `ratio-timeslices`."""
    plain = "-".join(value.lower().replace("_", " ").replace("-", " ").split()) if isinstance(value, str) else value
    return {"ratiotimeslices": "ratio-timeslices"}.get(plain, plain) if isinstance(plain, str) else plain


def _moment(value: Any) -> date | datetime:
    """A date, or a time of a date; without a zone it is the indicator's local time."""
    if isinstance(value, date):
        return value
    text = value.strip() if isinstance(value, str) else ""
    try:
        read: date = date.fromisoformat(text) if len(text) == len("2026-12-24") else datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{value}" is not a date; write 2026-12-24, or with a time 2026-12-24T18:00') from None
    if not _EARLIEST <= date(read.year, read.month, read.day) <= _LATEST:
        raise ValueError(f'"{value}" is not a date between {_EARLIEST} and {_LATEST}')
    return read


MethodName = Annotated[
    Method,
    BeforeValidator(_method, json_schema_input_type=Method | Annotated[str, Field(pattern=_METHOD_WORDS)] | Literal["RatioTimeslices"]),
]
_WRITTEN_MOMENT = Annotated[str, Field(pattern=_DATE_PATTERN, examples=["2026-12-24", "2026-12-24T18:00"])]
Moment = Annotated[date | datetime, BeforeValidator(_moment, json_schema_input_type=_WRITTEN_MOMENT)]


def _comparable(moment: date | datetime, end_of_day: bool = False) -> datetime:
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time.max if end_of_day else time.min, UTC)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


class Exclusion(Strict):
    """A period that does not count, such as a holiday or maintenance: from and to (both days included), reason and owner."""

    from_: Moment = Field(alias="from")
    to: Moment | None = None
    reason: Text
    owner: Owner

    @property
    def last(self) -> date | datetime:
        """The end; a `from` without `to` is one day, or the rest of its day."""
        return self.to if self.to is not None else date(self.from_.year, self.from_.month, self.from_.day)

    @field_validator("to")
    @classmethod
    def _after_from(cls, to: date | datetime | None, info: ValidationInfo) -> date | datetime | None:
        start = info.data.get("from_")
        if to is not None and start is not None and _comparable(to, end_of_day=True) <= _comparable(start):
            raise ValueError(f"the exclusion ends at {to.isoformat()}, before it begins at {start.isoformat()}")
        return to


class ServiceLevelIndicator(Strict):
    """An indicator: the share of the intervals of a window in which an objective was met.

    `method`: timeslices counts good intervals; ratio-timeslices averages their good shares, or with a `slice_target` counts the intervals
    that reach it; occurrences counts good events, or good time, over the whole window. `due_after` is how long after the end of an
    interval the version that covers it may still be published. An interval that was not measured is unknown and after `grace` (one
    interval unless written) counts as bad, or with `unmeasured: unknown` never. `final_after` is how long after its end an interval that
    is not good is provisional: a later reading that is met still makes it good. Days are those of the `timezone`. With
    `domain_exclusions`, what the domain excludes is excluded here too.
    """

    service_level_name: Text
    description: str = ""
    interval: Duration = timedelta(days=1)
    window: Windowed = timedelta(days=20)
    timezone: TimeZone = "UTC"
    target: Percent | None = None
    method: MethodName = "timeslices"
    slice_target: Percent | None = None
    due_after: Duration | None = None
    grace: Duration | None = None
    final_after: Duration | None = None
    unmeasured: Literal["bad", "unknown"] = "bad"
    exclusions: tuple[Exclusion, ...] = ()
    domain_exclusions: YesNo | None = None
    renamed_from: FormerNames | None = None

    @field_validator("window")
    @classmethod
    def _whole_intervals(cls, window: WindowLength, info: ValidationInfo) -> WindowLength:
        interval = info.data.get("interval")
        if isinstance(window, str):
            if interval is not None and timedelta(days=1) % interval:
                raise ValueError(f"a {window} does not hold a whole number of intervals of {duration_text(interval)}", "write interval: 1d")
            return window
        if interval is not None and (window < interval or window % interval):
            shown = f"a window of {duration_text(window)} does not hold a whole number of intervals of {duration_text(interval)}"
            nearest = max(1, round(window / interval)) * interval
            raise ValueError(shown, f"write window: {duration_text(nearest)}, or another interval")
        return window

    @field_validator("final_after")
    @classmethod
    def _ends_within_the_window(cls, final_after: timedelta | None, info: ValidationInfo) -> timedelta | None:
        window = info.data.get("window")
        if final_after is not None and window is not None and final_after >= usual(window):
            named = window if isinstance(window, str) else duration_text(window)
            shown = f"a final_after of {duration_text(final_after)} in a window of {named} leaves no interval that is final"
            raise ValueError(shown, "write a shorter final_after or a longer window")
        return final_after

    @field_validator("slice_target")
    @classmethod
    def _has_a_use(cls, slice_target: float | None, info: ValidationInfo) -> float | None:
        method = info.data.get("method")
        if slice_target is not None and method not in (None, "ratio-timeslices"):
            raise ValueError(
                f"slice_target has no meaning for method: {method}", "write method: ratio-timeslices, or take slice_target away"
            )
        return slice_target

    @property
    def tolerance(self) -> timedelta | None:
        """How long after an interval's end a missing measurement counts as bad; None for never."""
        if self.unmeasured == "unknown":
            return None
        return self.interval if self.grace is None else self.grace

    @property
    def allowed_bad_intervals(self) -> Fraction | None:
        """The error budget of a full window, in intervals: (1 - target) x window / interval, a month has 30 days. None without a target."""
        if self.target is None:
            return None
        return (1 - Fraction(str(self.target)) / 100) * self.intervals

    @property
    def intervals(self) -> int:
        """How many a full window has, a month 30 days."""
        return usual(self.window) // self.interval

    @property
    def most_excluded(self) -> int:
        """The largest number of whole intervals that the exclusions remove from one window."""
        spans = [
            (_comparable(exclusion.from_), _comparable(exclusion.last, end_of_day=True) + _MICROSECOND) for exclusion in self.exclusions
        ]
        windows = ([(start, end) for start, end in spans if first <= start < first + usual(self.window)] for first, _ in spans)
        return max((sum((end - start) // self.interval for start, end in within) for within in windows), default=0)

    @property
    def budget_warning(self) -> str:
        """What to tell a team whose budget is under one interval, so that the first bad one loses the promise; else empty.

        Excluded intervals take their part of the budget with them.
        """
        allowed, count, excluded = self.allowed_bad_intervals, self.intervals, self.most_excluded
        if allowed is None or self.method == "occurrences" or (self.method, self.slice_target) == ("ratio-timeslices", None):
            return ""
        left = max(count - excluded, 1)
        allowed = allowed * left / count
        if allowed >= 1:
            return ""
        enough = math.floor(Fraction(10_000) * (left - 1) / left) / 100  # rounded down, so that it really leaves one
        intervals = f"{left} interval{'s' if left > 1 else ''}" + (f" (of {count}, without what is excluded)" if excluded else "")
        text = f"a target of {self.target:g} % of {intervals} allows {float(allowed):.2g} bad ones, so the first one breaks it"
        return f"{text}; at most {enough:g} % allows one" if left > 1 else text
