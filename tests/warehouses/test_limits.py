"""Memory and time of a product's database: as set, by the machine, and what happens to what needs more."""

import time
from datetime import timedelta

import pytest

from platform_resources.capabilities.measures import (
    CountIf,
    DistinctKeys,
    DuplicateRows,
    MissingKeys,
    OrphanRows,
    PairCount,
    Pairing,
    Reading,
    Relation,
    RowCount,
    Scalar,
)
from platform_resources.measuring.metrics import Asked
from platform_resources.measuring.query_plan import MANY
from platform_resources.warehouses.duckdb.product_database import opened
from platform_resources.warehouses.engine_errors import QueryTooSlow
from platform_resources.warehouses.limits import Limits, SettingInvalid, limits, machine_memory, spill_folder
from platform_resources.warehouses.measured_queries import measure

NUMBERS = Relation("internal", "numbers")
SLOW = "(select count(*) from range(300000) a(x), range(300000) b(y) where (x * 7919 + y) % 10007 = 3) > value"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Limits("4096MiB", timedelta(minutes=10))),
        ({"MESH_MEMORY_LIMIT": ""}, Limits("4096MiB", timedelta(minutes=10))),
        ({"MESH_MEMORY_LIMIT": "2GB"}, Limits("2GB", timedelta(minutes=10))),
        ({"MESH_MEMORY_LIMIT": " 512 MiB "}, Limits("512 MiB", timedelta(minutes=10))),
        ({"MESH_MEMORY_LIMIT": "25%"}, Limits("25%", timedelta(minutes=10))),
        ({"MESH_AUDIT_TIMEOUT": "90s"}, Limits("4096MiB", timedelta(seconds=90))),
    ],
)
def test_limits_are_as_set_or_by_the_machine(environment, expected):
    assert limits(environment, memory=10 * 2**30) == expected


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"MESH_MEMORY_LIMIT": "much"},
            'MESH_MEMORY_LIMIT is "much"; write a size such as 4GB, or a share of the machine\'s memory such as 40%',
        ),
        (
            {"MESH_MEMORY_LIMIT": "4"},
            'MESH_MEMORY_LIMIT is "4"; write a size such as 4GB, or a share of the machine\'s memory such as 40%',
        ),
        (
            {"MESH_AUDIT_TIMEOUT": "10"},
            'MESH_AUDIT_TIMEOUT: "10" is not a duration; write a number and a unit, such as 90m, 36h or 20d',
        ),
    ],
)
def test_a_limit_that_cannot_be_read_is_told(environment, message):
    with pytest.raises(SettingInvalid) as raised:
        limits(environment)
    assert str(raised.value) == message


def test_a_container_may_have_less_memory_than_its_machine(tmp_path):
    (tmp_path / "memory.max").write_text("1073741824\n")
    (tmp_path / "unlimited").write_text("max\n")
    assert machine_memory((tmp_path / "memory.max", tmp_path / "unlimited")) == 2**30
    assert machine_memory((tmp_path / "unlimited", tmp_path / "missing")) > 2**28


def test_a_database_is_opened_with_the_limits_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("MESH_MEMORY_LIMIT", "300MiB")
    monkeypatch.setenv("MESH_AUDIT_TIMEOUT", "7s")
    with opened(tmp_path / "a.duckdb") as database:
        assert database.execute("select current_setting('memory_limit'), current_setting('temp_directory')") == (
            "300.0 MiB",
            str(tmp_path / "a.duckdb.tmp"),
        )
        assert database.query_time == timedelta(seconds=7)


def test_what_a_killed_process_has_spilled_goes_when_the_database_is_opened_again(tmp_path):
    file = tmp_path / "a.duckdb"
    spill_folder(file).mkdir()
    (spill_folder(file) / "duckdb_temp_storage-0.tmp").write_text("left over")
    with opened(file):
        assert not spill_folder(file).exists()


@pytest.fixture
def database(tmp_path):
    """Two million rows of 130 bytes, all distinct: 260 MB, and 64 MiB to look at them with."""
    with opened(tmp_path / "a.duckdb", given=Limits("64MiB")) as found:
        found.connection.execute("set threads = 1; set preserve_insertion_order = false")
        text = "md5(i::varchar) || md5((i + 1)::varchar) || md5((i + 2)::varchar) || md5((i + 3)::varchar)"
        found.execute(f"create table internal.numbers as select i as value, {text} as text from range(2000000) as numbers(i)")
        yield found


@pytest.mark.slow
def test_exact_counts_of_a_table_larger_than_memory_are_right_or_say_what_is_missing(database):
    asked = [
        Asked("rows", NUMBERS, RowCount()),
        Asked("duplicates", NUMBERS, DuplicateRows(("text",))),
        Asked("keys", NUMBERS, DistinctKeys(NUMBERS, ("text",))),
        Asked("in memory", NUMBERS, Scalar("length(string_agg(text, ''))")),
    ]
    found = measure(asked, database.within_limits)
    assert found["rows"] == Reading(2_000_000)
    assert (found["duplicates"], found["keys"]) == (Reading(0), Reading(2_000_000))
    told = found["in memory"].error
    assert told is not None and told.startswith("Out of Memory Error: ") and told.endswith("; MESH_MEMORY_LIMIT allows more")


@pytest.mark.slow
def test_comparisons_and_groups_larger_than_memory_are_right(database):
    """Keys of another table, pairs of rows, and a list for a column that is expected to have few values and has two million."""
    database.execute(
        "create table internal.others as select text as name, value + value % 2 as amount from internal.numbers where value > 9"
    )
    others = Relation("internal", "others")
    pairing = Pairing(("text",), others, ("name",), ("value",), ("amount",))
    asked = [
        Asked("orphans", NUMBERS, OrphanRows(("text",), others, ("name",))),
        Asked("missing", others, MissingKeys(("name",), NUMBERS, ("text",))),
        Asked("unpaired", NUMBERS, PairCount(pairing, "copies is null")),
        Asked("different", NUMBERS, PairCount(pairing, "h0 <> v0")),
        *(Asked(f"not {n}", NUMBERS, CountIf(f"value <> {n}", "value")) for n in range(MANY)),
    ]
    found = {name: reading.error or reading.value for name, reading in measure(asked, database.within_limits).items()}
    assert (found["orphans"], found["missing"], found["unpaired"], found["different"]) == (10, 10, 10, 999_995)
    assert [found[f"not {n}"] for n in range(MANY)] == [1_999_999] * MANY


@pytest.fixture
def hasty(tmp_path):
    """A small table, and two seconds for a query: what is small takes less even on a machine that is busy with other things."""
    with opened(tmp_path / "a.duckdb", given=Limits("1GB", timedelta(seconds=2))) as found:
        found.execute("create table internal.numbers as select i as value from range(10) as numbers(i)")
        yield found


@pytest.mark.parametrize("slow", [CountIf(SLOW), Scalar(f"sum(case when {SLOW} then 1 end)")])
def test_a_query_that_takes_too_long_is_unknown_and_takes_nothing_down(hasty, slow):
    asked = [Asked("slow", NUMBERS, slow), *(Asked(f"{n}", NUMBERS, CountIf(f"value > {n}")) for n in range(9))]
    found = measure(asked, hasty.within_limits)
    assert found["slow"] == Reading(error="broken off after 2s; MESH_AUDIT_TIMEOUT allows longer")
    assert [found[f"{n}"].value for n in range(9)] == [9 - n for n in range(9)]


def test_what_rides_along_never_takes_the_time_of_what_is_asked(hasty):
    asked = [Asked(f"{n}", NUMBERS, CountIf(f"value > {n}")) for n in range(3)]
    extra = [Asked(f"extra {n}", NUMBERS, CountIf(f"{SLOW} and value > {n}")) for n in range(12)]
    found = measure(asked, hasty.within_limits, extra)
    assert [found[each.id].value for each in asked] == [9, 8, 7]
    errors = {found[each.id].error for each in extra}
    words = "broken off after 2s; MESH_AUDIT_TIMEOUT allows longer"
    assert errors == {words, f"not measured: another measure of the same scan was {words}"}


def test_several_queries_under_one_limit_are_broken_off_together(hasty):
    def two_queries():
        with hasty.limited():
            time.sleep(2.5)
            hasty.execute(f"select count(*) from internal.numbers where {SLOW}")

    with pytest.raises(QueryTooSlow):
        two_queries()
    assert hasty.execute("select count(*) from internal.numbers") == (10,)


def test_a_query_within_its_time_is_never_broken_off(hasty):
    for _ in range(200):
        assert hasty.within_limits("select count(*) from internal.numbers") == (10,)
