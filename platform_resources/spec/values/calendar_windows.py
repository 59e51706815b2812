"""Windows of an indicator: a length of time, or the month or quarter of the calendar that runs now."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, PlainSerializer

from platform_resources.spec.values.durations import duration, duration_text, length_text

CalendarPeriod = Literal["month", "quarter"]
WindowLength = timedelta | CalendarPeriod
_MONTHS: dict[CalendarPeriod, int] = {"month": 1, "quarter": 3}
_PATTERN = r"^\s*\d+(\.\d+)?\s*[smhdw]\s*$"


def longest(window: WindowLength) -> timedelta:
    """How long the window is at most."""
    return window if isinstance(window, timedelta) else _MONTHS[window] * timedelta(days=31)


def usual(window: WindowLength) -> timedelta:
    """How long the window is, for a month 30 days."""
    return window if isinstance(window, timedelta) else _MONTHS[window] * timedelta(days=30)


def begin(period: CalendarPeriod, day: date) -> date:
    """The first day of the period that the day lies in."""
    return day.replace(month=(day.month - 1) // _MONTHS[period] * _MONTHS[period] + 1, day=1)


def end(period: CalendarPeriod, day: date) -> date:
    """The first day of the period after the one that the day lies in."""
    return begin(period, begin(period, day) + _MONTHS[period] * timedelta(days=31))


def window_text(window: WindowLength) -> str:
    """`20 days`, or `this month`."""
    return length_text(window) if isinstance(window, timedelta) else f"this {window}"


def _window(value: Any) -> WindowLength:
    if value in get_args(CalendarPeriod) or isinstance(value, timedelta):
        return value  # type: ignore[no-any-return]
    if isinstance(value, str):
        return duration(value)
    raise ValueError(f"{value!r} has no unit; write a duration such as 20d, or month or quarter")


_WRITTEN = Annotated[str, Field(pattern=_PATTERN, examples=["20d"])]
Windowed = Annotated[
    WindowLength,
    BeforeValidator(_window, json_schema_input_type=CalendarPeriod | _WRITTEN),
    PlainSerializer(lambda window: window if isinstance(window, str) else duration_text(window)),
]
