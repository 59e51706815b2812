"""Ledgers of former revisions: brought to the newest, with everything that they hold."""

from contextlib import contextmanager
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import JSON, Boolean, Double, Text, create_engine, inspect, select, text

from platform_resources.ledger.columns import TABLES, MomentColumn
from platform_resources.ledger.database import MIGRATIONS, newest_revision, open_ledger
from tests.ledger.event_logs import START
from tests.ledger.ledgers import new_database

CHANGED = {"incidents", "incident_events", "incident_impacts"}
DROPPED = {"acknowledgements", "notifications"}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request, tmp_path):
    """Where there is no ledger yet."""
    return f"sqlite:///{tmp_path}/ledger.sqlite" if request.param == "sqlite" else new_database(request.getfixturevalue("postgres_server"))


@contextmanager
def connected(url):
    engine = create_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def migrate(url, revision):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with connected(url) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def value(kind) -> Any:
    match kind:
        case MomentColumn():
            return START
        case JSON():
            return {"id": "bigint"}
        case Boolean():
            return True
        case Double():
            return 0.5
        case Text():
            return "of old"
        case _:
            return 7


def first_columns(connection, table):
    """Those that the table has had from the beginning."""
    names = {column["name"] for column in inspect(connection).get_columns(table.name)}
    return [column for column in table.columns if column.name in names]


def contents(connection, tables):
    return {name: connection.execute(select(*columns)).all() for name, columns in tables.items()}


def test_an_upgrade_from_the_first_revision_keeps_what_the_ledger_holds(url):
    migrate(url, "0001")
    with connected(url) as connection:
        names = set(inspect(connection).get_table_names()) - CHANGED - DROPPED - {"alembic_version"}
        tables = {name: first_columns(connection, TABLES.tables[name]) for name in sorted(names)}
        for name, columns in tables.items():
            connection.execute(TABLES.tables[name].insert().values({column.name: value(column.type) for column in columns}))
        before = contents(connection, tables)
    ledger = open_ledger(url)
    with ledger.reading() as connection:
        assert contents(connection, tables) == before
        assert len(before) == 11 and all(len(rows) == 1 for rows in before.values())
        assert connection.execute(text("select version_num from alembic_version")).scalar() == newest_revision()
        assert compare_metadata(MigrationContext.configure(connection), TABLES) == []
        assert not DROPPED & set(inspect(connection).get_table_names())
    ledger.close()


def test_what_was_held_back_and_by_a_gate_is_known_of_former_refreshes(url):
    migrate(url, "0011")
    reasons = {
        "a": "not published, the gate is closed; version v1 is still served\n- One row per order",
        "b": "dagster._core.errors.DagsterAssetCheckFailedError: 1 blocking asset check failed",
        "c": "dbt could not build every model",
    }
    outcomes = {
        "a": "not published, the gate is closed: One row per order: 3 rows",
        "b": "not published: dbt failed",
        "c": "not published, nothing changed: no file",
    }
    runs, cards = TABLES.tables["runs"], TABLES.tables["scorecards"]
    with connected(url) as connection:
        for table, told in ((runs, {"reason": reasons}), (cards, {"outcome": outcomes})):
            columns = first_columns(connection, table)
            (name, texts), *_ = told.items()
            for run, said in texts.items():
                connection.execute(table.insert().values({c.name: value(c.type) for c in columns} | {"run_id": run, name: said}))
    ledger = open_ledger(url)
    with ledger.reading() as connection:
        assert dict(connection.execute(select(runs.c.run_id, runs.c.closed_gate)).all()) == {"a": True, "b": True, "c": False}
        held_back = dict(connection.execute(select(cards.c.run_id, cards.c.held_back)).all())
        assert held_back == {"a": "the gate is closed: One row per order: 3 rows", "b": "dbt failed", "c": ""}
    ledger.close()


def test_partial_indexes_are_made_as_the_code_knows_them(either):
    with either.reading() as connection:
        found = {index["name"]: index for table in ("incidents", "messages") for index in inspect(connection).get_indexes(table)}
    option = f"{either.engine.dialect.name}_where"
    shown = {name: str(found[name]["dialect_options"][option]).lower() for name in ("ix_incidents_live", "ix_messages_due")}
    assert "resolved" in shown["ix_incidents_live"] and found["ix_incidents_live"]["unique"]
    assert all(f"{column} is null" in shown["ix_messages_due"] for column in ("sent_at", "given_up_at", "withdrawn_at"))
