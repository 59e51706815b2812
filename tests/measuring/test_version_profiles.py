"""What is different between two profiles, and how a profile is shown."""

from dataclasses import replace

import pytest

from platform_resources.measuring.version_profiles import (
    ColumnProfile,
    Difference,
    Histogram,
    Profile,
    bars,
    differences,
    exactness,
    profile_data,
    profile_of,
    shown,
    table,
)

AMOUNT = ColumnProfile("amount", "double", 10, 500, 0.5, 99.5, 20.0, 3.0, 0, (1, 2, 3, 4, 5), (("7.0", 12),), Histogram(0, 10, (1, 0, 8)))
CITY = ColumnProfile("city", "varchar", 0, 40, "Aachen", "Zwolle", top=(("Bonn", 9),))
BEFORE = Profile(1000, 1000, (AMOUNT, CITY))


def changed(**fields):
    return Profile(1000, 1000, (replace(AMOUNT, **fields), CITY))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (BEFORE, ()),
        (changed(nulls=10), ()),
        (changed(nulls=50), (Difference("amount", "nulls 1.0 % -> 5.0 %"),)),
        (changed(distinct=501), (Difference("amount", "distinct 500 -> 501"),)),
        (changed(mean=20.1), ()),
        (changed(mean=-20.0), (Difference("amount", "mean 20 -> -20"),)),
        (changed(minimum=-1, maximum=1e6), (Difference("amount", "least 0.5 -> -1; greatest 99.5 -> 1,000,000"),)),
        (changed(type="integer"), (Difference("amount", "type double -> integer"),)),
        (Profile(1000, 1000, (CITY,)), (Difference("amount", "gone"),)),
        (Profile(1000, 1000, (*BEFORE.columns, replace(CITY, name="town"))), (Difference("town", "new"),)),
        (Profile(0, 0, (replace(AMOUNT, nulls=0, distinct=0, minimum=None, maximum=None, mean=None), replace(CITY, distinct=0))), (
            Difference("amount", "distinct 500 -> 0"),
            Difference("city", "distinct 40 -> 0"),
        )),
    ],
)  # fmt: skip
def test_what_is_different_is_told_by_column(now, expected):
    assert differences(BEFORE, now) == expected


@pytest.mark.parametrize(("distinct", "expected"), [(560, ()), (800, (Difference("amount", "distinct 500 -> 800 (approximate)"),))])
def test_approximate_counts_are_different_only_where_they_are_far_apart(distinct, expected):
    now = Profile(1000, 100, (replace(AMOUNT, distinct=distinct), CITY))
    assert differences(BEFORE, now) == expected


def test_reading_a_profile_gives_what_was_written():
    assert profile_of(profile_data(BEFORE)) == BEFORE
    assert profile_of([]) == Profile(None, 0, ())
    assert profile_of([{"rows": 1, "sampled": 1, "name": "a", "type": "b", "of_a_later_platform": 5}]).columns == (ColumnProfile("a", "b"),)


def test_what_is_zero_is_written_and_what_was_not_measured_is_not():
    (written,) = profile_data(Profile(0, 0, (ColumnProfile("a", "integer", 0, 0),)))
    assert written == {"rows": 0, "sampled": 0, "name": "a", "type": "integer", "nulls": 0, "distinct": 0}


def test_a_table_has_a_row_for_each_column_and_the_change_since_the_version_before():
    header, rows = table(changed(nulls=50, hidden=True), Profile(1000, 1000, (*BEFORE.columns, replace(CITY, name="town"))))
    assert header[-1] == "since the version before"
    assert rows == [
        ["amount", "double", "5.0 %", "500", "not shown", "not shown", "20", "3", "1 / 2 / 3 / 4 / 5", "7.0 (12)", "▁ █", "nulls 1.0 % -> 5.0 %"],
        ["city", "varchar", "0", "40", "Aachen", "Zwolle", "-", "-", "-", "Bonn (9)", "", ""],
        ["town", *[""] * 10, "gone"],
    ]  # fmt: skip
    assert len(table(BEFORE, None)[0]) == 11


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "-"), (3, "3"), (3.0, "3"), (1234567, "1,234,567"), (0.12345, "0.1235"), (1e-9, "1e-09"), (123456.789, "123,456.8"), (1e300, "1e+300"), ("x", "x")],
)  # fmt: skip
def test_numbers_are_shown_as_people_read_them(value, expected):
    assert shown(value) == expected


def test_a_histogram_is_shown_with_a_character_for_each_bin():
    assert bars(Histogram(0, 1, (0, 1, 50, 100))) == " ▁▄█"
    assert bars(None) == bars(Histogram(0, 1, (0, 0))) == ""


def test_how_exact_a_profile_is_is_said():
    assert exactness(BEFORE) == "1,000 rows, all of them looked at"
    assert exactness(replace(BEFORE, sampled=100)) == (
        "1,000 rows; distinct values are approximate, and deviation, quantiles, most frequent values and distribution are of 100 rows chosen at random"
    )
    assert exactness(replace(BEFORE, sampled=0)) == "1,000 rows; distinct values are approximate"
    assert exactness(replace(BEFORE, rows=None)) == "the rows could not be counted"
