"""What the ledger has of a former name goes on under the present one."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from platform_resources.access.grants import GrantEvent, requested
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger import people_tables
from platform_resources.ledger.people.checks import known_checks, register_checks
from platform_resources.ledger.people.grant_store import grants_of, request
from platform_resources.ledger.people.incident_store import board, events_of, incident_named
from platform_resources.ledger.people.published_contracts import note_contract
from platform_resources.ledger.people.subscriptions import subscribe, subscriptions
from platform_resources.ledger.queries.history import readings
from platform_resources.ledger.records import check_id
from platform_resources.ledger.syncing import rebuild, sync
from tests.ledger.event_logs import START, MemoryLog, publication, pull, reading, scorecard, started
from tests.ledger.ledgers import rows
from tests.ledger.test_incident_store import tend
from tests.meshes import edited, product_file

NOW = START + timedelta(days=1)
READINGS = product_file("plant", "readings")
TEMPERATURE = "name: Most readings have a temperature\n      type: service-level-asset\n      properties:"


@pytest.fixture
def renamed(tiny):
    """`readings` was `orders`, its data set `lines`, its objective `complete`, its port `lines_sql`."""
    edited(tiny, READINGS, "title: Sensor readings", "title: Sensor readings\n        renamed_from: [orders]")
    edited(
        tiny,
        READINGS,
        "description: One row per reading of a sensor.",
        "description: One row per reading of a sensor.\n        renamed_from: lines",
    )
    edited(tiny, READINGS, TEMPERATURE, f"{TEMPERATURE}\n        renamed_from: complete")
    edited(tiny, READINGS, "interface: sql\n", "interface: sql\n        renamed_from: lines_sql\n")
    return read_plan(tiny)[0]


def message(key, **told):
    texts = dict.fromkeys(("channel", "domain", "subject", "body", "last_error", "withdrawn_because"), "")
    return {
        **texts,
        "key": key,
        "kind": "incident",
        "product": "orders",
        "incident": "",
        "not_before": NOW,
        "created_at": NOW,
        "attempts": 0,
        **told,
    }


def test_history_incidents_messages_subscriptions_and_grants_go_on(either, renamed):
    log = MemoryLog()
    log.add(reading(name="complete"), reading(60, "missed", name="complete"), publication(), pull(), scorecard(), started())
    sync(either, log, NOW)
    tend(either, "-orders -revenue", 1)
    grant = requested("", "orders", "analyst", "product:orders", "Reports.", (), "ana", NOW)
    request(either, grant, GrantEvent("", NOW, "approved", "ben", "", None))
    with either.writing() as connection:
        subscribe(connection, "orders", "ana", "ana@example.com", "high", NOW)
        keys = (
            "incident/orders#1/0/reminder/1/a.b",
            "budget/orders/most/75@20260615T000000.000000Z/a.b",
            "schema/ordersx/v1/a.b",
            "version/orders/v1/hook:3",
        )
        connection.execute(insert(people_tables.messages), [message(key, incident="orders#1") for key in keys])

    def told():
        with either.reading() as connection:
            found = check_id(("readings", "measurements"), "most_readings_have_a_temperature")
            incident = incident_named(connection, "readings#1")
            (given,) = grants_of(connection)
            return {
                "verdicts": [each.verdict for each in readings(connection, found, START, NOW)],
                "products": {check.product for check in known_checks(connection).values()},
                "incident": (incident.incident.cause, incident.incident.impacted, len(events_of(connection, "readings#1"))),
                "board": {product for product, _ in board(connection).signals},
                "grant": (given.product, given.subject, given.state(NOW)),
                "subscriptions": [(each.product, each.subscriber) for each in subscriptions(connection)],
                "messages": sorted(connection.execute(select(people_tables.messages.c.key)).scalars()),
                "incidents told": set(connection.execute(select(people_tables.messages.c.incident)).scalars()),
            }

    expected = {
        "verdicts": ["met", "missed"],
        "products": {"readings", "summary"},
        "incident": ("readings", ("revenue",), 2),
        "board": {"readings", "revenue"},
        "grant": ("readings", "product:readings", "approved"),
        "subscriptions": [("readings", "ana")],
        "messages": [
            "budget/readings/most/75@20260615T000000.000000Z/a.b",
            "incident/readings#1/0/reminder/1/a.b",
            "schema/ordersx/v1/a.b",
            "version/readings/v1/hook:3",
        ],
        "incidents told": {"readings#1"},
    }
    register_checks(either, renamed, NOW)
    assert told() == expected
    assert {row[:2] for row in rows(either)["publications"]} == {("readings", "measurements_sql")}
    before = rows(either)
    register_checks(either, renamed, NOW)
    rebuild(either, log, NOW)
    register_checks(either, renamed, NOW)
    assert (told(), rows(either)) == (expected, before)


def test_reads_of_a_port_that_is_called_as_a_data_set_was_stay_its_own(either, tiny):
    edited(
        tiny,
        READINGS,
        "description: One row per reading of a sensor.",
        "description: One row per reading of a sensor.\n        renamed_from: [lines, measurements_sql]",
    )
    with either.writing() as connection:
        for port in ("lines", "measurements_sql"):
            connection.execute(insert(people_tables.reads).values(product="readings", port=port, reader="ana", at=START, kind="query"))
    register_checks(either, read_plan(tiny)[0], NOW)
    with either.reading() as connection:
        assert sorted(connection.execute(select(people_tables.reads.c.port)).scalars()) == ["measurements", "measurements_sql"]


def test_what_was_granted_to_a_product_of_another_domain_is_not_inherited_by_its_name(either, renamed, caplog):
    request(
        either, requested("", "office", "analyst", "product:orders", "Reports.", (), "ana", NOW), GrantEvent("", NOW, "approved", "ben", "")
    )

    def subject():
        register_checks(either, renamed, NOW)
        with either.reading() as connection:
            return grants_of(connection)[0].subject

    with either.writing() as connection:
        note_contract(connection, "orders", "1", '{"product": "orders", "domain": "office"}', NOW)
    assert subject() == "product:orders"
    assert "readings says that it was called orders, which is a name of domain office" in caplog.text
    with either.writing() as connection:
        note_contract(connection, "orders", "2", '{"product": "orders", "domain": "plant"}', NOW + timedelta(hours=1))
    assert subject() == "product:readings"


def test_where_both_names_have_a_history_the_present_one_goes_first(ledger, renamed):
    tend(ledger, "-orders", 1)
    tend(ledger, "-readings", 2)
    with ledger.writing() as connection:
        subscribe(connection, "orders", "ana", "a@example.com", "high", START)
        subscribe(connection, "readings", "ana", "a@example.com", "low", NOW)
    register_checks(ledger, renamed, NOW)
    with ledger.reading() as connection:
        assert [each.severity for each in subscriptions(connection)] == ["low"]
        live, former = (incident_named(connection, name).incident for name in ("readings#1", "readings#2"))
        assert (live.status, former.status, former.resolution, former.moved_to) == ("open", "resolved", "moved", ("readings#1",))
        assert incident_named(connection, "orders#1") is None
