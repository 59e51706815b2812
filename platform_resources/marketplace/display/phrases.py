"""Format numbers, times and states for pages, in short words with no-break spaces before units."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from platform_resources.capabilities.judgements import Verdict
from platform_resources.promises.grades import CheckState, ProductHealth, Status
from platform_resources.spec.notifications import Severity
from platform_resources.spec.values.durations import length_text

Tone = Literal["good", "warn", "bad", "unk"]
SPACE = "\u00a0"
LONG_NAME = 16


@dataclass(frozen=True, slots=True)
class Look:
    """The presentation of a state: its tone, icon and word."""

    tone: Tone
    icon: str
    word: str


HEALTH: dict[Status, Look] = {
    "healthy": Look("good", "ok", "Healthy"),
    "use with care": Look("warn", "tri", "Use with care"),
    "unhealthy": Look("bad", "no", "Unhealthy"),
    "unknown": Look("unk", "huh", "Unknown"),
    "unpublished": Look("unk", "huh", "Not published"),
    "unreadable": Look("bad", "no", "Unreadable"),
    "not run": Look("unk", "huh", "Not run"),
    "retired": Look("unk", "huh", "Retired"),
}
VERDICTS: dict[Verdict, Look] = {
    "met": Look("good", "ok", "Met"),
    "missed": Look("bad", "no", "Missed"),
    "unknown": Look("unk", "huh", "Not known"),
}
SEVERITIES: dict[Severity, Look] = {
    "low": Look("unk", "info", "Low"),
    "medium": Look("warn", "tri", "Medium"),
    "high": Look("warn", "tri", "High"),
    "critical": Look("bad", "no", "Critical"),
}
OVER = Look("good", "ok", "Resolved")
HELD_BACK = Look("warn", "lock", "Held back")
ARCHETYPES = {"source-aligned": "As the source delivers", "aggregate": "Combined", "consumer-aligned": "Ready for reports"}
CLASSES = {"metric": "A number everyone reports", "building-block": "Building block"}
LIFECYCLES = {
    "draft": "Draft",
    "proposed": "Proposed",
    "production": "In production",
    "deprecated": "To be retired",
    "retired": "Retired",
}
# What is worth knowing first.
TROUBLE: tuple[Status, ...] = ("unreadable", "unhealthy", "unknown", "use with care", "unpublished", "healthy", "not run", "retired")


@dataclass(frozen=True, slots=True)
class PageTimes:
    """Formats times in the page's zone, and names other zones."""

    now: datetime
    zone: str = "UTC"

    def moment(self, at: datetime | None, zone: str = "") -> str:
        """`28 Nov 11:43`, with the year unless it is the current one."""
        if at is None:
            return "not yet"
        local = at.astimezone(ZoneInfo(zone or self.zone))
        year = "" if local.year == self.now.astimezone(ZoneInfo(zone or self.zone)).year else f" {local.year}"
        other = f" {local.tzname()}" if zone and zone != self.zone else ""
        return f"{local.day} {local:%b}{year} {local:%H:%M}{other}"

    def day(self, at: datetime) -> str:
        """`28 Nov`."""
        local = at.astimezone(ZoneInfo(self.zone))
        return f"{local.day} {local:%b}"

    def slice_name(self, start: datetime, end: datetime) -> str:
        """`28 Nov` for slices of about a day or longer, else `28 Nov 11:00`."""
        return self.day(start) if end - start > timedelta(hours=20) else self.moment(start)

    def ago(self, at: datetime) -> str:
        """`62 min ago`, `3 h ago`, `4 days ago`; future times are `just now`."""
        return f"{age(self.now - at)} ago" if self.now - at >= timedelta(minutes=1) else "just now"


def age(length: timedelta) -> str:
    """`62 min`, `12.8 h`, `5.5 days`: rounded up, so that nothing looks newer than it is."""
    minutes = max(0, math.ceil(length / timedelta(minutes=1)))
    if minutes <= 90:
        return f"{minutes}{SPACE}min"
    if minutes <= 48 * 60:
        return f"{math.ceil(minutes / 6) / 10:g}{SPACE}h"
    return f"{math.ceil(minutes / 144) / 10:g}{SPACE}days" if minutes < 14_400 else f"{math.ceil(minutes / 1440)}{SPACE}days"


def count(number: int, thing: str, things: str = "") -> str:
    """`1 product`, `2,469 rows`."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def listed(parts: Iterable[str], most: int = 0) -> str:
    """`a, b and c`; beyond `most` the rest is counted."""
    names = list(parts)
    if most and len(names) > most:
        names = [*names[:most], f"{len(names) - most} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def number(value: float) -> str:
    """A number with four significant digits: `1,469,307`, `94.05`, `0.0038`."""
    if not math.isfinite(value):
        return str(value)
    if float(value).is_integer() or abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:,.2f}".rstrip("0").rstrip(".") if abs(value) >= 1 else f"{value:.2g}"


def measured(value: float, unit: str) -> str:
    """A value with its unit: `32.4 %`, `26 h`, `2,469 rows`. Never rounded so that a missed promise looks kept."""
    match unit:
        case "%":
            return f"{math.floor(round(value, 9) * 10) / 10:g}{SPACE}%"
        case "s":
            return length_text(timedelta(seconds=value) if value >= 60 else value).replace(" ", SPACE)
        case "":
            return number(value)
        case _:
            return f"{number(value)}{SPACE}{unit}"


def promised(check: CheckState) -> str:
    """What a check promises, in numbers: `95 % promised`, `at most 1 row promised`; empty without a promise."""
    least, most, unit = check.at_least, check.at_most, check.unit
    if least is not None and most is not None:
        return f"{number(least)} to {measured(most, unit)} promised"
    if least is not None:
        return f"{measured(least, unit)} promised" if unit == "%" else f"at least {measured(least, unit)} promised"
    if most is not None:
        return _of_rows(most) if unit == "rows" else f"at most {measured(most, unit)} promised"
    return ""


def _of_rows(rows: float) -> str:
    return f"at most {int(rows):,} promised" if rows else "none promised"


def got(check: CheckState) -> str:
    """The last measured value as one number; empty without one."""
    if not isinstance(check.value, int | float):
        return check.shown
    if check.unit in ("rows", ""):
        return number(check.value)
    return measured(check.value, check.unit)


def got_of(check: CheckState) -> str:
    """What the measured number refers to, and the promise."""
    if check.unit != "rows":
        return promised(check)
    if check.at_most is None:
        return "rows"
    return "rows break it" if not check.at_most else f"rows break it, {promised(check)}"


def look(health: ProductHealth) -> Look:
    """The presentation of a product's health."""
    return HELD_BACK if health.held_back and health.published is not None and not health.problem else HEALTH[health.status]


def code(name: str) -> Markup:
    """A column or data set name; long ones may break at underscores."""
    parts = name.split("_") if len(name) > LONG_NAME else [name]
    return Markup("<code>{}</code>").format(Markup("_<wbr>").join(escape(part) for part in parts))


def concerned(health: ProductHealth) -> tuple[str, ...]:
    """The columns that are not as promised; empty if a whole data set is affected."""
    return tuple(dict.fromkeys(column.rpartition(".")[2] for column in health.columns if "." in column))


def say(health: ProductHealth, lifecycle: str, good_as_of: str = "") -> Markup:
    """The state of a product in one sentence: first what is wrong, then what is fine."""
    own = health.objectives
    shown = [check for check in own if check.weight != "target"]
    missed, unknown = ([c for c in shown if c.verdict == verdict and not c.learning] for verdict in ("missed", "unknown"))
    word = look(health).word
    match health.status:
        case "unreadable":
            return Markup("Unreadable: nobody can tell which version is published.")
        case "unpublished":
            return Markup("Nothing was published yet.")
        case "retired":
            return Markup("Retired: it is refreshed no more.")
        case "not run":
            return Markup("{}: it does not run yet.").format(LIFECYCLES.get(lifecycle, lifecycle.capitalize()))
    if word == HELD_BACK.word:
        return Markup("Held back: you read the last good version{}.").format(f", of {good_as_of}" if good_as_of else "")
    if health.status == "healthy":
        return Markup(_healthy(own))
    fine = _still_fine(health)
    if missed:
        are = "is" if len(missed) == 1 else "are"
        return Markup("{}: {} of {} {} missed. {}").format(word, len(missed), count(len(own), "promise"), are, fine)
    if unknown:
        are = "was" if len(unknown) == 1 else "were"
        return Markup("{}: {} of {} {} not measured. {}").format(word, len(unknown), count(len(own), "promise"), are, fine)
    wrong = min((c for c in health.checks if c.verdict != "met"), key=lambda check: check.urgency, default=None)
    return Markup("{}: {}.").format(word, (wrong.fault or wrong.title) if wrong is not None else health.reason)


def _healthy(objectives: Sequence[CheckState]) -> str:
    met = sum(check.verdict == "met" for check in objectives)
    if any(check.weight == "target" and check.verdict == "missed" for check in objectives):
        return "Healthy: the data is as promised. A target of the business is missed."
    if met == len(objectives):
        return f"Healthy: all {count(met, 'promise')} are met." if met > 1 else "Healthy: what is promised is met."
    return f"Healthy: {met} of {count(len(objectives), 'promise')} are met, the others are not known yet."


def _still_fine(health: ProductHealth) -> Markup:
    """What is as promised in spite of all; empty where a whole data set is concerned, or too many columns to say."""
    columns = concerned(health)
    if not columns or len(columns) > 4 or any("." not in column for column in health.columns):
        return Markup("")
    names = [code(name) for name in columns]
    failing = names[0] if len(names) == 1 else Markup(", ").join(names[:-1]) + Markup(" and ") + names[-1]
    return Markup("Everything but {} is as promised.").format(failing)


def why(check: CheckState) -> str:
    """The measured and promised numbers of a missed check: `32.4 %; 95 % is promised`; in words without numbers."""
    if check.unit == "rows" and check.at_most is not None and check.failing_rows is not None:
        breaks = "breaks" if check.failing_rows == 1 else "break"
        return f"{count(check.failing_rows, 'row')} {breaks} the rule; {_said(promised(check))}"
    if not isinstance(check.value, int | float) or not promised(check):
        return check.reason
    return f"{got(check)}{' rows' if check.unit == 'rows' else ''}; {_said(promised(check))}"


def _said(promise: str) -> str:
    """`95 % promised` within a sentence: `95 % is promised`, `at least 10 rows are promised`."""
    promise = promise.removesuffix(" promised")
    return f"{promise} {'are' if promise.endswith('rows') else 'is'} promised"
