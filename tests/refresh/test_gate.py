"""The gate between audit and publication, in a real database."""

import pytest

from platform_resources.refresh.gate import CHANGED, AuditVerdict, Gate, close, decided, gate, set_gate, set_unbuilt, unbuilt
from platform_resources.warehouses.duckdb.product_database import opened


@pytest.fixture
def database(tmp_path):
    with opened(tmp_path / "readings.duckdb") as found:
        yield found


def test_where_nothing_was_built_the_gate_is_closed(database):
    assert not gate(database).open
    assert unbuilt(database, "print") == "nothing was built yet"


def test_a_build_by_another_spec_is_no_build(database):
    set_unbuilt(database, "", "old print")
    assert unbuilt(database, "old print") == ""
    assert unbuilt(database, "new print") == CHANGED


def test_a_gate_is_read_back_as_it_was_set(database):
    opened_gate = Gate(True, "", (AuditVerdict("Refreshed daily", "freshness", "met", "1 min old"),), "print")
    set_gate(database, opened_gate)
    assert gate(database) == opened_gate


def test_a_closed_gate_needs_a_new_build(database):
    set_unbuilt(database, "", "print")
    close(database, "inputs were pulled")
    assert unbuilt(database, "print") == "inputs were pulled"
    assert not decided((), "print", unbuilt(database, "print")).open
