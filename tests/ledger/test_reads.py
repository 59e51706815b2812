"""How often a product is read, and by whom."""

from datetime import timedelta

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.queries.reads import PortReads, Reads, pulls_of, reads_of_products, record_read
from platform_resources.ledger.syncing import sync
from tests.ledger.event_logs import START, MemoryLog, pull

# The input port `deliveries` of two products reads the output port `lines_sql` of orders.
PULLS = {("revenue", "deliveries"): ("orders", "lines_sql"), ("stock", "deliveries"): ("orders", "lines_sql")}


def at(hours):
    return START + timedelta(hours=hours)


@pytest.fixture
def reads(either):
    """Gives the reads of orders in the first ten hours, after these were recorded and these pulls happened."""

    def answer(recorded=(), happened=(), pulls=None):
        log = MemoryLog()
        log.add(*happened)
        sync(either, log, at(1000))
        with either.writing() as connection:
            for product, port, reader, hours, kind in recorded:
                record_read(connection, product, port, reader, at(hours), kind)
        with either.reading() as connection:
            return reads_of_products(connection, {"orders"}, at(0), at(10), pulls or {})["orders"]

    return answer


def test_a_product_that_nobody_reads_has_no_reads(reads):
    assert reads(pulls=PULLS) == Reads({}, ())


def test_reads_are_counted_by_port_with_their_readers(reads):
    found = reads(
        [
            ("orders", "lines_sql", "ana", 0, "query"),
            ("orders", "lines_sql", "ben", 1, "query"),
            ("orders", "lines_sql", "ana", 9.9, "download"),
            ("orders", "lines", "ana", 2, "query"),
            ("orders", "lines_sql", "cy", 10, "query"),
            ("orders", "lines_sql", "cy", -0.1, "query"),
            ("prices", "prices_sql", "cy", 1, "query"),
        ]
    )
    assert found == Reads({"lines": PortReads(1, ("ana",)), "lines_sql": PortReads(3, ("ana", "ben"))}, ("ana", "ben"))
    assert found.count == 4


def test_a_pull_by_another_product_is_a_read_of_its_port(reads):
    happened = [
        pull(3600, product="revenue", version="v1"),
        pull(7200, product="revenue", version="v1", changed=False),
        pull(7200, product="stock", version="v2"),
        pull(7200, product="unrelated", version="v2"),
        pull(99 * 3600, product="stock", version="v9"),
    ]
    found = reads([("orders", "lines_sql", "ana", 1, "query")], happened, PULLS)
    assert found == Reads({"lines_sql": PortReads(4, ("ana", "revenue", "stock"))}, ("ana", "revenue", "stock"))


@pytest.mark.parametrize("told", [{"version": "v1", "degraded": "no version within ^1"}, {}], ids=["failed", "nothing pinned"])
def test_a_pull_that_got_no_version_is_no_read(reads, told):
    assert reads(happened=[pull(3600, product="revenue", **told)], pulls=PULLS) == Reads({}, ())


def test_the_plan_tells_which_input_ports_read_a_product(tiny):
    plan = read_plan(tiny)[0]
    assert pulls_of(plan) == {("summary", "measurements"): ("readings", "measurements_sql")}
