"""What events carry is read as it was written; what older platforms wrote is read as well, and nonsense is not known."""

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.ledger.payload import (
    FORMAT,
    FORMAT_KEY,
    CheckSaid,
    ImportedSaid,
    PublicationSaid,
    PullSaid,
    ScorecardSaid,
    from_metadata,
    to_metadata,
)

KINDS = (CheckSaid, ImportedSaid, PullSaid, PublicationSaid, ScorecardSaid)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30).filter(lambda text: text != "no")
COUNTS = st.integers(0, 2**63 - 1)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.datetimes(timezones=st.just(UTC))
BY_TYPE = {
    "str": TEXTS,
    "bool": st.booleans(),
    "bool | None": st.none() | st.booleans(),
    "int | None": st.none() | COUNTS,
    "float | None": st.none() | NUMBERS,
    "float | str | None": st.none() | NUMBERS | TEXTS.filter(bool),
    "datetime.datetime | None": st.none() | TIMES,
    "typing.Optional[typing.Literal['met', 'missed', 'unknown']]": st.sampled_from([None, "met", "missed", "unknown"]),
}


def shown_type(each):
    return each.type.__name__ if isinstance(each.type, type) else str(each.type)


RECORDS = st.one_of(*(st.builds(kind, **{each.name: BY_TYPE[shown_type(each)] for each in dataclasses.fields(kind)}) for kind in KINDS))
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.lists(st.integers(), max_size=2)


@given(RECORDS)
def test_what_is_read_is_what_was_written(record):
    assert from_metadata(type(record), to_metadata(record)) == record


@given(RECORDS)
def test_metadata_is_plain_and_numbered(record):
    metadata = to_metadata(record)
    assert metadata[FORMAT_KEY] == FORMAT
    assert all(isinstance(value, str | int | float) for value in metadata.values())


@given(st.sampled_from(KINDS), st.data())
def test_no_metadata_of_others_raises(kind, data):
    keys = [each.metadata["key"] for each in dataclasses.fields(kind)]
    metadata = data.draw(st.dictionaries(st.sampled_from([*keys, FORMAT_KEY, "elsewhere"]), PLAIN))
    read = from_metadata(kind, metadata)
    assert from_metadata(kind, to_metadata(read)) == read


@pytest.mark.parametrize(
    ("outcome", "held_back"),
    [
        (
            "not published, the gate is closed: One row per order: 3 rows break the rule",
            "the gate is closed: One row per order: 3 rows break the rule",
        ),
        ("not published: dbt could not build every model", "dbt could not build every model"),
        ("not published, nothing changed: no file matches landing/*.csv", ""),
        ("published version 20260101T000000Z", ""),
        ("", ""),
    ],
)
def test_scorecards_of_before_said_only_in_words_that_a_version_was_held_back(outcome, held_back):
    assert from_metadata(ScorecardSaid, {"outcome": outcome}).held_back == held_back
    assert from_metadata(ScorecardSaid, {"outcome": outcome, FORMAT_KEY: FORMAT}).held_back == ""


def test_an_input_that_was_not_degraded_was_once_told_so_by_a_word():
    assert from_metadata(PullSaid, {"degraded": "no"}).degraded == ""
    assert from_metadata(PullSaid, {"degraded": "the file is late"}).degraded == "the file is late"


def test_a_time_without_a_zone_is_utc():
    assert from_metadata(CheckSaid, {"measured_at": "2026-03-01T06:00:00"}).measured_at == datetime(2026, 3, 1, 6, tzinfo=UTC)
