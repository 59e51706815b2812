"""Durations as they are written, and back."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.spec.values.durations import UNITS, duration, duration_text

WRITTEN = [
    ("90s", timedelta(seconds=90)),
    ("90m", timedelta(minutes=90)),
    ("36h", timedelta(hours=36)),
    ("1.5h", timedelta(minutes=90)),
    ("20d", timedelta(days=20)),
    (" 2 w ", timedelta(weeks=2)),
]
REFUSED = [
    ("24", '"24" is not a duration; write a number and a unit, such as 90m, 36h or 20d'),
    ("", '"" is not a duration; write a number and a unit, such as 90m, 36h or 20d'),
    ("-1h", '"-1h" is not a duration; write a number and a unit, such as 90m, 36h or 20d'),
    ("1h30m", '"1h30m" is not a duration; write a number and a unit, such as 90m, 36h or 20d'),
    ("1H", 'unknown unit "H" in "1H"; known: s (seconds), m (minutes), h (hours), d (days), w (weeks)'),
    ("0d", '"0d" is no time at all; a duration is longer than zero'),
    ("36501d", '"36501d" is longer than a hundred years'),
    ("9" * 400 + "s", f'"{"9" * 400}s" is longer than a hundred years'),
]
SHOWN = [("24h", "24h"), ("48h", "2d"), ("36h", "36h"), ("1d", "24h"), ("90m", "90m"), ("60m", "1h"), ("0.5s", "0.5s"), ("1w", "7d")]


@pytest.mark.parametrize(("text", "length"), WRITTEN)
def test_a_duration_is_a_number_and_a_unit(text, length):
    assert duration(text) == length


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_anything_else_is_refused_with_what_is_allowed(text, message):
    with pytest.raises(ValueError) as refused:
        duration(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(("written", "shown"), SHOWN)
def test_a_duration_is_shown_in_the_largest_whole_unit_but_a_day_as_hours(written, shown):
    assert duration_text(duration(written)) == shown


@given(st.integers(1, 10_000), st.sampled_from(sorted(UNITS)))
def test_what_is_shown_reads_back_as_the_same(number, unit):
    length = duration(f"{number}{unit}") if number <= 5_000 or unit != "w" else duration("1w")
    assert duration(duration_text(length)) == length


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_a_value_error(text):
    with suppress(ValueError):
        assert duration(text) > timedelta()
