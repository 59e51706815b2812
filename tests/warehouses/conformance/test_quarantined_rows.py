"""Rows of a source that break its contract are set aside in every warehouse, and come in once they are mended; none is ever lost."""

import csv
from contextlib import suppress
from datetime import timedelta

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.refresh.sources.quarantine import quarantined_rows, write_rows
from platform_resources.services.refreshes.mending import NotMended, mend
from platform_resources.warehouses.engine_errors import EngineError
from platform_resources.warehouses.targets import warehouse as chosen
from tests.meshes import edited, product_file
from tests.refresh.test_pulling import NOW, Pulling, land
from tests.refresh.test_quarantine import COLUMNS, HEAD, TEXT

SPEC = product_file("plant", "readings")


@pytest.fixture
def readings(warehouse, tiny):
    """One of three delivered rows is good, and all are pulled."""
    edited(tiny, SPEC, "path: landing/readings.csv", f"path: landing/*.csv\n        {COLUMNS}")
    land(tiny, "readings.csv", TEXT)
    assert state(tiny, NOW) == ([1], [(2, "degrees"), (3, "operator")])
    return tiny


def state(root, now=None):
    """The rows that are loaded and those in quarantine, after a pull where a time is given."""
    with chosen().opened(root, "plant", "readings") as database:
        if now is not None:
            Pulling(root, "readings", database).pull(now)
        loaded = [row["reading_id"] for row in database.rows('select reading_id from "inputs"."deliveries" order by 1')]
        return loaded, [(row.number, row.bad[0].column) for row in quarantined_rows(database, "deliveries")]


def mended(root, file):
    product = read_plan(root)[0].product("readings")
    return mend(root, root, product, product.inputs[0], file, NOW)


@pytest.fixture
def file(readings, tmp_path):
    """What was exported to be mended, with the first of its rows mended, and the other left out."""
    file = tmp_path / "mend.csv"
    with chosen().opened(readings, "plant", "readings") as database:
        write_rows(quarantined_rows(database, "deliveries"), file)
    (row, _) = csv.DictReader(file.open())
    row["degrees"] = "20.5"
    file.write_text("\r\n".join((",".join(row), ",".join(row.values()), "")))
    return file


def test_rows_that_were_mended_come_in_and_leave_the_quarantine(readings, file):
    assert mended(readings, file) == (1, 1)
    assert state(readings) == ([1, 2], [(3, "operator")])
    with pytest.raises(NotMended, match="row 2 is not in quarantine"):
        mended(readings, file)


def test_bad_rows_of_a_later_file_come_behind_those_that_are_there(readings):
    land(readings, "more.csv", f"{HEAD}\n4,north,cold,2024-06-02 06:00:00,Ada\n5,north,1.5,2024-06-02 06:00:00,Ada\n")
    assert state(readings, NOW + timedelta(days=1)) == ([1, 5], [(1, "degrees"), (2, "degrees"), (3, "operator")])


def test_a_first_pull_that_finds_an_empty_column_refuses_the_file_and_a_contract_that_is_kept_does_not(warehouse, tiny):
    """The contract is held against what was loaded within the transaction, which is not in its place yet."""
    edited(
        tiny,
        SPEC,
        "path: landing/readings.csv",
        f"path: landing/*.csv\n        {COLUMNS.replace('bad_rows: quarantine', 'bad_rows: refuse')}",
    )
    land(tiny, "readings.csv", f"{HEAD}\n1,north,-,2024-06-01 06:00:00,Ada\n")
    assert state(tiny, NOW) == ([1], [])


@pytest.mark.parametrize("warehouse", ["snowflake"], indirect=True)  # DuckDB has one transaction for all of it
def test_a_process_that_dies_before_any_statement_of_mending_loses_no_row(readings, file, warehouse, monkeypatch):
    from platform_resources.warehouses.snowflake.sessions import Session

    run, statements = Session.described, []

    def described(session, sql, *more):
        if not sql.startswith("select"):
            statements.append(sql)
            if len(statements) == limit[0]:
                raise EngineError("it died")
        return run(session, sql, *more)

    outcomes, limit = set(), [0]
    while limit[0] < 40:
        limit[0] += 1
        statements.clear()
        with monkeypatch.context() as changes:
            changes.setattr(Session, "described", described)
            with suppress(EngineError):
                mended(readings, file)
                break
        loaded, aside = state(readings)
        assert (loaded, aside) in (([1], [(2, "degrees"), (3, "operator")]), ([1, 2], [(3, "operator")])), statements[-1]
        outcomes.add(len(aside))
        if len(aside) == 1:
            break
    assert limit[0] > 5 and 2 in outcomes
