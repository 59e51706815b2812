"""Which checks there are: planned, retired, brought back."""

from datetime import timedelta

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.people.checks import known_checks, register_checks
from platform_resources.ledger.queries.history import check_states, readings
from platform_resources.ledger.records import check_id
from platform_resources.ledger.syncing import rebuild, sync
from tests.ledger.event_logs import START, MemoryLog, reading
from tests.meshes import edited, product_file

NOW = START + timedelta(days=1)
READINGS = product_file("plant", "readings")


def known(ledger):
    with ledger.reading() as connection:
        return {check.title: check for check in known_checks(connection).values()}


def test_the_plan_describes_every_check(tiny, ledger):
    done = register_checks(ledger, read_plan(tiny)[0], NOW)
    assert "readings/measurements: readings_are_never_deleted" in done.added
    check = known(ledger)["Readings are never deleted"]
    assert (check.product, check.kind, check.dimension, check.retired_at) == ("readings", "objective", "volume", None)
    assert {check.kind for check in known(ledger).values()} == {"objective", "input", "dbt_test"}


def test_a_plan_that_has_not_changed_changes_nothing(tiny, ledger):
    register_checks(ledger, read_plan(tiny)[0], NOW)
    again = register_checks(ledger, read_plan(tiny)[0], NOW + timedelta(hours=1))
    assert (again.added, again.retired, again.returned) == ((), (), ())


def test_a_renamed_check_is_retired_with_its_history_and_the_new_one_begins(tiny, ledger):
    log = MemoryLog()
    log.add(reading(name="readings_are_never_deleted", product="readings"))
    sync(ledger, log, NOW)
    register_checks(ledger, read_plan(tiny)[0], NOW)
    edited(tiny, READINGS, "Readings are never deleted", "Readings stay")
    later = NOW + timedelta(days=1)
    done = register_checks(ledger, read_plan(tiny)[0], later)
    assert done.added == ("readings/measurements: readings_stay",)
    assert "readings/measurements: readings_are_never_deleted" in done.retired
    assert known(ledger)["Readings are never deleted"].retired_at == later
    with ledger.reading() as connection:
        history = readings(connection, check_id(("readings", "lines"), "readings_are_never_deleted"), START, NOW)
        shown = [state.check.title for state in check_states(connection, NOW)]
    assert len(history) == 1
    assert "Readings are never deleted" not in shown
    assert "Readings stay" in shown


def test_a_check_that_comes_back_is_no_longer_retired(tiny, ledger):
    register_checks(ledger, read_plan(tiny)[0], NOW)
    edited(tiny, READINGS, "Readings are never deleted", "Readings stay")
    register_checks(ledger, read_plan(tiny)[0], NOW)
    edited(tiny, READINGS, "Readings stay", "Readings are never deleted")
    done = register_checks(ledger, read_plan(tiny)[0], NOW)
    assert done.returned == ("readings/measurements: readings_are_never_deleted",)
    assert known(ledger)["Readings are never deleted"].retired_at is None


def test_a_mistake_in_the_spec_retires_nothing(tiny, ledger):
    register_checks(ledger, read_plan(tiny)[0], NOW)
    edited(tiny, READINGS, "dimension: volume", "dimension: volumen")
    plan = read_plan(tiny)[0]
    assert "readings" in {rejected.name for rejected in plan.rejected}
    assert not any(name.startswith("readings/") for name in register_checks(ledger, plan, NOW).retired)


def test_a_check_that_ran_before_it_was_registered_gets_its_description_from_the_plan(tiny, ledger):
    plan = read_plan(tiny)[0]
    objective = plan.product("readings").objectives[-1].check
    log = MemoryLog()
    log.add(reading(name=objective.name, product="readings"))
    sync(ledger, log, NOW)
    register_checks(ledger, plan, NOW)
    assert known(ledger)[objective.title].name == objective.name


def test_a_rebuild_keeps_what_is_retired(ledger, tiny):
    log = MemoryLog()
    log.add(reading(name="of_old", product="readings"))
    sync(ledger, log, NOW)
    register_checks(ledger, read_plan(tiny)[0], NOW)
    rebuild(ledger, log, NOW)
    assert known(ledger)["of_old"].retired_at == NOW


def test_a_check_that_was_brought_in_from_elsewhere_is_not_the_plans_to_retire(tiny, ledger):
    log = MemoryLog()
    log.add(reading(name="not_null_id", product="readings", kind="imported"), reading(name="of_old", product="readings"))
    sync(ledger, log, NOW)
    done = register_checks(ledger, read_plan(tiny)[0], NOW)
    assert done.retired == ("readings/lines: of_old",)
    assert (known(ledger)["not_null_id"].kind, known(ledger)["not_null_id"].retired_at) == ("imported", None)
