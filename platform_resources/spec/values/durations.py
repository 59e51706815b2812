"""Durations: read from a specification (`36h`, `20d`, `90m`), written back, and shown to people."""

import math
import re
from datetime import timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PATTERN = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*$")
_LONGEST = timedelta(days=36_500)
# A unit, the one below it, and from how many seconds on both are used: under two days, hours tell more than days.
_SAID = ((86_400, "days", 3_600, "h", 172_800), (3_600, "h", 60, "min", 3_600), (60, "min", 1, "s", 60))


def duration(text: str) -> timedelta:
    """The time that `text` (`36h`, `20d`) names. Raises ValueError with what is allowed."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is not a duration; write a number and a unit, such as 90m, 36h or 20d')
    number, unit = match.groups()
    if unit not in UNITS:
        raise ValueError(f'unknown unit "{unit}" in "{text}"; known: {", ".join(f"{u} ({n})" for u, n in UNITS.items())}')
    if float(number) == 0:
        raise ValueError(f'"{text}" is no time at all; a duration is longer than zero')
    if float(number) > _LONGEST / timedelta(**{UNITS[unit]: 1}):
        raise ValueError(f'"{text}" is longer than a hundred years')
    return timedelta(**{UNITS[unit]: float(number)})


def duration_text(length: timedelta) -> str:
    """The shortest text that reads back as `length`: `36h`, not `1 day, 12:00:00`."""
    seconds = length.total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size and seconds % size == 0 and not (unit == "d" and seconds == size):
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"


def length_text(length: timedelta | float) -> str:
    """A length for people, in its two largest units: `12.3 s`, `4 min 5 s`, `26 h 5 min`, `3 days 2 h`.

    Rounded up, so that it never looks shorter than it is; below zero is zero. A timedelta is told to the minute, a number is of seconds.
    """
    seconds = max(0.0, 60 * math.ceil(length / timedelta(minutes=1)) if isinstance(length, timedelta) else length)
    if seconds >= timedelta.max.total_seconds():
        return f"{seconds:.2g} s"
    for large, name, small, rest_name, least in _SAID:
        if seconds >= least:
            whole, rest = divmod(math.ceil(seconds / small), large // small)
            return f"{whole} {name} {rest} {rest_name}" if rest else f"{whole} {name}"
    return f"{math.ceil(seconds * 10) / 10:g} {'min' if isinstance(length, timedelta) else 's'}"
