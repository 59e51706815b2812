"""The ledger keeps the profile of every published version, as the log tells it."""

from datetime import timedelta

import pytest

from platform_resources.ledger.projection import projected
from platform_resources.ledger.queries.profile_history import profiled_data_sets, profiled_version, profiled_versions
from platform_resources.ledger.records import ColumnProfiled, PortPublication
from platform_resources.ledger.syncing import rebuild, sync
from platform_resources.measuring.version_profiles import ColumnProfile, Profile, profile_data
from tests.ledger.event_logs import START, MemoryLog, publication
from tests.ledger.ledgers import rows

NOW = START + timedelta(days=1)


def profile(count, **fields):
    return Profile(count, count, (ColumnProfile("id", "bigint", 0, count, 1, count), ColumnProfile("city", "varchar", **fields)))


def profiled(seconds, version, found, port="lines_sql", data_set="lines"):
    """A publication through a port that carries the profile of its data set."""
    return publication(seconds, version, port=port, profile={"data_set": data_set, "columns": profile_data(found)})


def asked(ledger, ask, *arguments):
    with ledger.reading() as connection:
        return ask(connection, *arguments)


def test_each_version_keeps_its_profile_whole_and_in_the_order_of_columns(either):
    log, first, second = MemoryLog(), profile(10, nulls=2, top=(("Köln 'am' Rhein", 3),)), profile(12, nulls=0)
    log.add(profiled(0, "v1", first), profiled(60, "v2", second), publication(60, "v2", port="lines_file"))
    sync(either, log, NOW)
    assert asked(either, profiled_versions, "orders", "lines") == ("v2", "v1")
    assert asked(either, profiled_version, "orders", "lines", "v1").profile == first
    assert asked(either, profiled_version, "orders", "lines", "v2").profile == second
    assert asked(either, profiled_version, "orders", "lines", "v2").published_at == START + timedelta(seconds=60)
    assert asked(either, profiled_version, "orders", "lines", "v3") is None
    assert asked(either, profiled_data_sets, "orders") == ("lines",) and asked(either, profiled_data_sets, "stock") == ()


def test_a_ledger_rebuilt_from_the_log_has_the_same_profiles(either):
    log = MemoryLog()
    log.add(*(profiled(n, f"v{n}", profile(n, nulls=n)) for n in range(5)), profiled(9, "v9", profile(3), "stock_sql", "stock"))
    sync(either, log, NOW)
    before = rows(either)
    assert len(before["profiles"]) == 12
    rebuild(either, log, NOW)
    assert rows(either) == before


def test_an_event_told_twice_is_one_profile(ledger):
    log = MemoryLog()
    log.add(profiled(0, "v1", profile(1)), profiled(0, "v1", profile(1)))
    sync(ledger, log, NOW)
    assert len(rows(ledger)["profiles"]) == 2


def test_values_that_no_database_takes_are_kept_as_far_as_they_are_taken(either):
    log = MemoryLog()
    log.add(profiled(0, "v1", profile(1, minimum="a\0b\ud800c")))
    sync(either, log, NOW)
    assert asked(either, profiled_version, "orders", "lines", "v1").profile.columns[1].minimum == "a\ufffdb?c"


@pytest.mark.parametrize("told", [None, "text", 7, [], {}, {"columns": "none"}, {"data_set": "lines", "columns": [1, {}, {"name": ""}]}])
def test_what_is_no_profile_is_passed_over(told):
    (record,) = projected(publication(profile=told))
    assert isinstance(record, PortPublication)


def test_a_profile_is_of_the_version_and_the_time_of_its_publication():
    found = publication(5, "v7", published_at="2026-03-01T06:00:04+01:00", profile={"data_set": "lines", "columns": [{"name": "id"}]})
    assert projected(found)[1] == ColumnProfiled(
        product="orders",
        data_set="lines",
        version="v7",
        column_name="id",
        position=0,
        published_at=START + timedelta(seconds=4),
        profile={"name": "id"},
        run_id="run-1",
        log_id=0,
    )
