"""What each event means for the ledger."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.ledger.events import AssetObserved, Checked, Materialised
from platform_resources.ledger.projection import merged, projected
from platform_resources.ledger.records import Check, CheckReading, InputState, PortPublication, Run, Scorecard, check_id
from tests.ledger.event_logs import START, ended, event, freshness, publication, pull, reading, scorecard, started


def only(found, kind):
    (record,) = [record for record in projected(found) if isinstance(record, kind)]
    return record


def test_an_output_port_made_is_a_publication_with_its_own_time_and_watermark():
    made = publication(5, "v7", published_at="2026-03-01T06:00:04+01:00", watermark="2026-02-28T23:00:00+00:00", bytes=99)
    assert only(made, PortPublication) == PortPublication(
        product="orders",
        port="lines_sql",
        version="v7",
        published_at=START + timedelta(seconds=4),
        product_version="1.2.0",
        watermark=START - timedelta(hours=6),
        rows=10,
        bytes=99,
        columns={"id": "bigint"},
        run_id="run-1",
        log_id=0,
    )


def test_a_publication_that_does_not_tell_its_time_is_as_of_its_event():
    assert only(publication(5), PortPublication).published_at == START + timedelta(seconds=5)
    assert only(publication(5, published_at="yesterday"), PortPublication).published_at == START + timedelta(seconds=5)


def test_an_output_port_without_a_version_is_no_publication():
    assert projected(event(Materialised(("orders", "outputs", "lines_sql")))) == ()


def test_a_version_without_newer_data_is_a_publication_though_it_is_only_observed():
    told = publication(5, version="v2", watermark=START.isoformat())
    observed = replace(told, what=AssetObserved(told.what.key, told.what.metadata, told.what.columns))
    assert projected(observed) == projected(told)


@pytest.mark.parametrize("key", [("orders", "inputs", "deliveries"), ("orders", "scorecard"), ("orders", "lines"), ("elsewhere",)])
def test_what_else_is_observed_is_nothing_to_the_ledger(key):
    assert projected(event(AssetObserved(key, {"version": "v1", "profile_table": "…"}))) == ()


def test_an_input_that_serves_its_last_good_data_is_degraded():
    assert only(pull(degraded="no"), InputState).degraded == ""
    state = only(pull(degraded="the file is late", changed=False), InputState)
    assert (state.degraded, state.changed, state.port) == ("the file is late", False, "deliveries")


def test_an_input_remembers_the_version_or_cursor_that_it_was_made_from():
    assert only(pull(version="20260301T040000.000000Z"), InputState).source_version == "20260301T040000.000000Z"
    assert only(pull(cursor="4711"), InputState).source_version == "4711"


def test_a_scorecard_is_remembered_in_numbers():
    assert only(scorecard(), Scorecard) == Scorecard("orders", START, "run-1", "published version v1", 3, 2, 0, 1, 5, 0)


def test_models_are_not_remembered():
    assert projected(event(Materialised(("orders", "lines")))) == ()
    assert projected(event(Materialised(("elsewhere",)))) == ()


def test_an_evaluation_is_a_reading_of_a_check():
    check, said = projected(reading(1, "missed", value=0.25, threshold="at least 60 %", failing_rows=3))
    number = check_id(("orders", "lines"), "complete")
    assert check == Check(number, "orders/lines", "complete", "orders", "objective", "completeness", "complete")
    at = START + timedelta(seconds=1)
    assert said == CheckReading(number, at, "run-1", "missed", 0.25, "", "at least 60 %", 3, "it is missed", 0)


@pytest.mark.parametrize(
    ("told", "passed", "verdict"),
    [
        ({"verdict": "unknown"}, False, "unknown"),
        ({}, True, "met"),
        ({}, False, "missed"),
        ({"verdict": "splendid"}, False, "missed"),
    ],
)
def test_a_check_that_tells_no_verdict_is_met_if_it_passed(told, passed, verdict):
    assert only(event(Checked(("a", "b"), "c", passed, metadata=told)), CheckReading).verdict == verdict


@pytest.mark.parametrize(
    ("key", "told", "kind"),
    [
        (("p", "d"), {"kind": "dbt_test"}, "dbt_test"),
        (("p", "scorecard"), {"kind": "indicator"}, "indicator"),
        (("p", "d"), {"kind": "imported", "failing_rows": 0}, "imported"),
        (("p", "d"), {"dimension": "volume"}, "objective"),
        (("p", "inputs", "i"), {}, "input"),
        (("p", "d"), {"failing_rows": 0}, "dbt_test"),
        (("elsewhere",), {}, "other"),
    ],
)
def test_a_check_has_the_kind_that_it_tells_or_that_shows(key, told, kind):
    assert only(event(Checked(key, "c", True, metadata=told)), Check).kind == kind


@pytest.mark.parametrize(
    ("value", "number", "shown"),
    [
        (3, 3.0, ""),
        (0.5, 0.5, ""),
        (math.nan, None, "nan"),
        (math.inf, None, "inf"),
        ("02:30", None, "02:30"),
        (None, None, ""),
        (True, None, "True"),
    ],
)
def test_a_value_is_a_finite_number_or_a_text(value, number, shown):
    said = only(reading(value=value), CheckReading)
    assert (said.value, said.shown) == (number, shown)


def test_texts_are_such_that_every_database_takes_them():
    said = only(event(Checked(("a", "b"), "c", False, "row \0 with \ud800" + "x" * 10_000)), CheckReading)
    assert said.reason.startswith("row \ufffd with ?xxx")
    assert len(said.reason) == 4000


def test_a_reading_may_tell_when_it_was_measured():
    assert only(reading(9, measured_at="2026-03-01T05:00:02Z"), CheckReading).at == START + timedelta(seconds=2)


def test_a_run_is_known_from_its_start_and_its_end():
    run = merged(only(started(0), Run), only(ended(90, "failed", step="orders__build", reason="dbt could not"), Run))
    assert (run.status, run.seconds, run.failed_step, run.reason) == ("failed", 90.0, "orders__build", "dbt could not")


def test_a_run_whose_clock_stepped_back_has_no_duration():
    assert merged(only(started(0), Run), only(ended(-5), Run)).seconds is None


def test_a_run_that_has_not_ended_has_no_duration():
    assert only(started(), Run).seconds is None


RUNS = st.lists(
    st.one_of(
        st.builds(started, st.integers(0, 3)),
        st.builds(ended, st.integers(0, 3), st.sampled_from(["succeeded", "failed", "canceled"])),
    ).flatmap(lambda found: st.integers(1, 4).map(lambda number: only(replace(found, log_id=number), Run))),
    min_size=3,
    max_size=3,
)


@given(RUNS)
def test_what_is_known_of_a_run_depends_neither_on_order_nor_on_repetition(runs):
    one, two, three = runs
    assert merged(one, two) == merged(two, one)
    assert merged(merged(one, two), three) == merged(one, merged(two, three))
    assert merged(merged(one, two), two) == merged(one, two)


def test_events_are_told_apart_by_what_they_are_about_not_by_their_place():
    assert replace(reading(), log_id=1).identity == replace(reading(), log_id=2).identity
    different = [
        reading(),
        reading(1),
        reading(name="unique"),
        reading(run="run-2"),
        publication(),
        pull(),
        started(),
        ended(0),
        freshness(),
    ]
    assert len({found.identity for found in different}) == len(different)
