"""Which monitors are deployed, in both databases: recorded once, one product at a time or several, by two at once."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import open_ledger
from platform_resources.ledger.people.deployed_monitors import apply, deployed
from platform_resources.ledger.people_tables import monitors as table
from platform_resources.ledger.queries.relation_sizes import relation_sizes
from platform_resources.ledger.syncing import sync
from platform_resources.monitors.monitor_costs import Size
from platform_resources.monitors.monitor_plan import product_changes
from tests.ledger.event_logs import START, MemoryLog, publication, pull
from tests.ledger.ledgers import SqliteLedgers, new_database
from tests.meshes import REPOSITORY
from tests.monitors.monitored import SURROUNDINGS, monitor, query, scan

LATER = START + timedelta(days=1)
SETS = st.lists(
    st.builds(lambda name, at_least: monitor(name, scan("count(*)"), at_least=at_least), st.sampled_from("abc"), st.integers(0, 1)),
    unique_by=lambda each: each.name,
).map(lambda found: tuple(sorted(found, key=lambda each: each.name)))


def decided(*monitors, product="orders"):
    """What applies exactly these monitors of one product."""

    def decide(known):
        before = [each.monitor for each in known.get(product, ())]
        return (product_changes(product, "sales", before, monitors, SURROUNDINGS),)

    return decide


def found(ledger, product="orders"):
    with ledger.reading() as connection:
        return tuple(each.monitor for each in deployed(connection).get(product, ()))


def recorded(ledger):
    with ledger.reading() as connection:
        return connection.execute(select(table).order_by(table.c.id)).all()


@pytest.mark.parametrize("odd", ["plain", 'quoted " \\ text', "\x00 and \ud800", "Größe 📦"])
def test_what_was_applied_is_deployed_as_it_was(either, odd):
    wanted = monitor("a", query("duplicates", "internal.orders", "inputs.customers"), scan("count(*)"), text=odd, share=99.5, none=[])
    apply(either, decided(wanted), START, "ana")
    assert found(either) == (wanted,)
    with either.reading() as connection:
        (each,) = deployed(connection)["orders"]
    assert (each.domain, each.applied_at, each.applied_by) == ("sales", START, "ana")


def test_applying_twice_records_once(either):
    first = apply(either, decided(monitor("a", at_least=1)), START, "ana")
    before = recorded(either)
    second = apply(either, decided(monitor("a", at_least=1)), LATER, "ben")
    assert ([len(each.changes) for each in first], [len(each.changes) for each in second]) == ([1], [0])
    assert recorded(either) == before


def test_what_was_meant_when_and_by_whom_stays_known(either):
    for at, person, wanted in ((START, "ana", [monitor("a", at_least=1)]), (LATER, "ben", [monitor("a", at_least=2)]), (LATER, "cy", [])):
        apply(either, decided(*wanted), at, person)
    told = [(row.definition["settings.at_least"], row.applied_at, row.applied_by, row.ended_at, row.ended_by) for row in recorded(either)]
    assert told == [(1, START, "ana", LATER, "ben"), (2, LATER, "ben", LATER, "cy")]
    assert found(either) == ()


def test_a_name_that_is_free_again_may_be_taken(either):
    for names in ("a", "b", "ab", "ba"):
        apply(either, decided(*(monitor(name, at_least=number) for number, name in enumerate(names))), START, "ana")
    assert {each.name: each.definition["settings.at_least"] for each in found(either)} == {"orders: a": 1, "orders: b": 0}


def test_one_product_touches_no_other(either):
    apply(either, decided(monitor("a", product="orders")), START, "ana")
    apply(either, decided(monitor("a", product="prices"), product="prices"), START, "ana")
    before = found(either, "prices")
    apply(either, decided(), LATER, "ana")
    assert (found(either), found(either, "prices")) == ((), before)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(["orders", "prices"]), SETS), max_size=6))
def test_products_are_what_was_applied_to_them_last(tmp_path_factory, acts):
    ledger = SqliteLedgers(tmp_path_factory.getbasetemp()).new()
    expected = {}
    for product, wanted in acts:
        own = tuple(monitor(each.name.removeprefix("orders: "), *each.work, product=product, at_least=1) for each in wanted)
        apply(ledger, decided(*own, product=product), START, "ana")
        expected[product] = own
    for product in ("orders", "prices"):
        assert found(ledger, product) == expected.get(product, ())
    ledger.close()


def test_an_apply_that_fails_records_nothing(either):
    def decide(known):
        good = product_changes("orders", "sales", (), [monitor("a")], SURROUNDINGS)
        return (good, good)

    with pytest.raises(IntegrityError):
        apply(either, decide, START, "ana")
    assert recorded(either) == []


def test_the_database_refuses_a_second_deployed_monitor_of_one_name(either):
    row = {"product": "orders", "domain": "sales", "name": "a", "fingerprint": "", "definition": {}, "work": [], "applied_at": START}
    with pytest.raises(IntegrityError), either.writing() as connection:
        connection.execute(insert(table), [row | {"applied_by": "ana"}] * 2)


APPLY = """
import sys
from datetime import UTC, datetime
from platform_resources.ledger.database import open_ledger
from platform_resources.ledger.people.deployed_monitors import apply
from tests.ledger.test_monitors import decided
from tests.monitors.monitored import monitor
wanted = [monitor(f"m{number}", at_least=1) for number in range(40)]
(done,) = apply(open_ledger(sys.argv[1]), decided(*wanted), datetime(2026, 3, 1, tzinfo=UTC), sys.argv[2])
print(len(done.changes))
"""


def all_applied(url):
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", APPLY, url]
    running = [
        subprocess.Popen([*command, person], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for person in ("ana", "ben", "cy")
    ]
    told = [process.communicate(timeout=600) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], told
    return sorted(int(out) for out, _ in told)


@pytest.mark.slow
def test_of_several_processes_that_apply_at_once_to_a_new_sqlite_ledger_one_records(tmp_path):
    url = f"sqlite:///{tmp_path}/.mesh/ledger.sqlite"
    assert all_applied(url) == [0, 0, 40]
    assert len(recorded(open_ledger(url))) == 40


@pytest.mark.slow
def test_of_several_processes_that_apply_at_once_to_a_new_postgresql_ledger_one_records(postgres_server):
    url = new_database(postgres_server)
    assert all_applied(url) == [0, 0, 40]
    assert len(recorded(open_ledger(url))) == 40


def test_relations_are_as_large_as_the_newest_publication_and_pull_said(either, tiny):
    log = MemoryLog()
    rows = "dagster/row_count"
    log.add(
        publication(0, "v1", "readings", "measurements_sql", **{rows: 5}),
        publication(9, "v2", "readings", "measurements_sql", bytes=900, **{rows: 7}),
        publication(9, "v2", "readings", "measurements_file", bytes=700, **{rows: 7}),
        pull(1, product="readings", **{rows: 4}),
        pull(2, product="readings", run="run-2"),
        publication(20, "v3", "readings", "measurements_sql", **{rows: 100}),
    )
    sync(either, log, START + timedelta(seconds=60))
    with either.reading() as connection:
        sizes = relation_sizes(connection, read_plan(tiny)[0].products, START + timedelta(seconds=10))
    assert sizes["readings"] == {"inputs.deliveries": Size(4), "internal.measurements": Size(7, 700)}
    assert sizes["summary"] == {"inputs.measurements": Size(7, 900)}
