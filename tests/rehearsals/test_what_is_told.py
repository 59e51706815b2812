"""What messages say of products is what `mesh status` says when they are sent, whatever happened since they were written."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from platform_resources.incidents.life_cycle import acknowledged, resolved
from platform_resources.orchestration.delivery_sensor import MOST_RUNS, delivery_sensor
from tests.meshes import READINGS_CSV, model_file
from tests.refresh.running import mesh
from tests.rehearsals.rehearsal import Rehearsal, rehearsal
from tests.rehearsals.tiny import (
    CSV,
    HALF_EMPTY,
    HOUR,
    MINUTE,
    NOW,
    OFFICE,
    PLANT,
    break_deliveries,
    copied,
    mend_deliveries,
    subjects,
    told_mesh,
)

pytestmark = pytest.mark.slow
OPENED = NOW + 10 * MINUTE
DUE = OPENED + 30 * MINUTE
GATE = "measurements:readings_are_never_deleted"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Refreshed well, and judged so. Whoever hears of readings hears of them at once; the office waits 20 minutes."""
    root = told_mesh(tmp_path_factory.mktemp("template") / "mesh")
    (root / "dataproducts/plant/domain.yaml").write_text(PLANT + "incidents: {wait: 1m}\n")
    (root / "dataproducts/office/domain.yaml").write_text(OFFICE)
    with rehearsal(root) as played:
        played.refresh(NOW - HOUR, "readings", "summary")
        played.evaluate(NOW - HOUR + MINUTE)
        assert played.live() == {}
    return root


@pytest.fixture
def played(template, tmp_path, web):
    with copied(template, tmp_path, web) as found:
        yield found


def states(played: Rehearsal) -> list[tuple[str, str]]:
    return [(entry.message.kind, entry.state) for entry in played.outbox()]


def lose_rows(played: Rehearsal) -> None:
    """The gate closes: readings are never deleted."""
    (played.root / CSV).write_text("\n".join(READINGS_CSV.splitlines()[:3]) + "\n")


def test_what_is_well_by_the_time_of_sending_is_not_told_to_be_unwell(played, web):
    break_deliveries(played.root)
    played.refresh(NOW, "readings")
    played.evaluate(OPENED)
    played.evaluate(DUE)
    assert states(played) == [("incident", "waiting")]
    mend_deliveries(played.root)
    played.refresh(DUE + MINUTE, "readings")
    assert played.deliver(DUE + 2 * MINUTE).put_off == 1
    assert subjects(web) == []
    (entry,) = played.outbox()
    assert (
        entry.last_error
        == "not sent: measurements:most_readings_have_a_temperature of readings is met now, and this says that it is missed"
    )
    played.evaluate(DUE + 10 * MINUTE)
    assert states(played) == [("incident", "withdrawn")]
    played.deliver(DUE + 11 * MINUTE)
    assert subjects(web) == []


def test_what_failed_to_be_sent_for_hours_says_what_holds_in_the_end(played, web):
    break_deliveries(played.root)
    played.refresh(NOW, "readings")
    played.evaluate(OPENED)
    played.evaluate(DUE)
    web.statuses.extend([500] * 3)
    for hours in (1, 2, 3):
        assert played.deliver(DUE + hours * HOUR).failed == 1
    lose_rows(played)
    played.refresh(DUE + 4 * HOUR, "readings")
    played.evaluate(DUE + 4 * HOUR + MINUTE)
    played.deliver(DUE + 6 * HOUR)
    assert subjects(web)[-1].endswith("held back its new version (readings#1)")
    assert {state for _, state in states(played)} <= {"sent", "withdrawn"}


def test_well_again_is_not_said_while_something_else_is_wrong(played, web):
    """What was accepted is no incident any more; `mesh status` shows it all the same."""
    break_deliveries(played.root)
    played.refresh(NOW, "readings")
    played.evaluate(OPENED)
    played.act("readings", lambda incident: resolved(incident, "expected", OPENED + MINUTE, "ana"))
    lose_rows(played)
    (played.root / CSV).write_text("\n".join(HALF_EMPTY.splitlines()[:3]) + "\n")
    played.refresh(OPENED + 2 * MINUTE, "readings")
    played.evaluate(OPENED + 5 * MINUTE)
    played.evaluate(OPENED + 7 * MINUTE)
    played.deliver(OPENED + 7 * MINUTE)
    (played.root / CSV).write_text(HALF_EMPTY)
    played.refresh(OPENED + 10 * MINUTE, "readings")
    played.evaluate(OPENED + 11 * MINUTE)
    played.deliver(OPENED + 11 * MINUTE)
    status = played.statuses(OPENED + 11 * MINUTE)["readings"]
    assert status == "use with care"
    assert subjects(web)[-1] == f'Closed: Sensor readings (auto-recovered); it is "{status}"'
    assert not [text for text in subjects(web) if "well again" in text]


@pytest.mark.parametrize("first", ["temperatures are gone", "nothing is delivered"])
def test_what_joins_an_open_incident_is_told_once_unless_it_follows_from_what_failed_before(played, web, first):
    """A day later the product is stale too: of missing temperatures that is no consequence, of a delivery that did not come it is."""
    if first == "nothing is delivered":
        (played.root / CSV).unlink()
    else:
        break_deliveries(played.root)
    played.refresh(NOW, "readings")
    played.evaluate(OPENED, "plant")
    played.evaluate(OPENED + 2 * MINUTE, "plant")
    played.deliver(OPENED + 2 * MINUTE)
    played.act("readings", lambda incident: acknowledged(incident, OPENED + 3 * MINUTE, "ana"))
    assert len(subjects(web)) == 1
    for minutes in (0, 2):
        played.evaluate(NOW + 27 * HOUR + minutes * MINUTE, "plant")
        played.deliver(NOW + 27 * HOUR + minutes * MINUTE)
    assert "noticed measurements:refreshed_daily" in played.events("readings#1")
    (update,) = [request["body"]["message"] for request in web.requests[1:]]
    joined = "New: **Sensor readings** is not fresh (Refreshed daily)." in update
    assert joined == (first == "temperatures are gone") and "The severity has risen" in update, update


@pytest.mark.parametrize("done", ["open", "acknowledged", "expected"])
def test_a_closed_gate_is_told_whatever_was_done_to_what_failed_before(played, web, done):
    break_deliveries(played.root)
    played.refresh(NOW, "readings")
    played.evaluate(OPENED)
    played.evaluate(OPENED + 2 * MINUTE)
    played.deliver(OPENED + 2 * MINUTE)
    if done == "acknowledged":
        played.act("readings", lambda incident: acknowledged(incident, OPENED + 3 * MINUTE, "ana"))
    elif done == "expected":
        played.act("readings", lambda incident: resolved(incident, "expected", OPENED + 3 * MINUTE, "ana"))
    lose_rows(played)
    played.refresh(OPENED + 5 * MINUTE, "readings")
    played.evaluate(OPENED + 6 * MINUTE)
    played.evaluate(OPENED + 8 * MINUTE)
    played.deliver(OPENED + 8 * MINUTE)
    name = "readings#2" if done == "expected" else "readings#1"
    assert subjects(web)[-1].endswith(f"held back its new version ({name})")
    assert subjects(web)[-1].startswith("[" if done == "expected" else "Update: [")
    assert GATE in web.requests[-1]["body"]["message"]
    assert ("mesh ack" in web.requests[-1]["body"]["message"]) == (done != "acknowledged")


def fails(sql: str, number: int) -> str:
    """The model with an error that holds this number."""
    return sql.replace("cast(sensor as varchar)", f"cast(cast('no number {number}' as integer) as varchar)")


def test_a_refresh_that_fails_for_another_reason_is_told_once_as_an_update_also_when_acknowledged(played, web):
    # Runs are stamped by the real clock, whenever this test comes to be run.
    opened = datetime.now(UTC).replace(microsecond=0) + HOUR
    model = played.root / model_file("plant", "readings", "measurements")
    good, other, third = model.read_text(), model.with_name("by_sensor.sql"), model.with_name("by_hour.sql")

    def failed(minutes: int) -> list[str]:
        at = opened + minutes * MINUTE
        assert played.refresh(at, "readings")["readings"].outcome == "failed"
        played.evaluate(at + MINUTE, "plant")
        played.evaluate(at + 3 * MINUTE)
        played.deliver(at + 3 * MINUTE)
        return subjects(web)

    model.write_text(fails(good, 1))
    first = "[medium] Sensor readings could not be refreshed (readings#1)"
    assert failed(0) == [first]
    model.write_text(fails(good, 2))
    assert failed(10) == [first], "the same model fails, with another number in its error"
    model.write_text(good)
    other.write_text("select cast('no number' as integer) as readings")
    assert failed(20) == [first, f"Update: {first}"]
    told = web.requests[-1]["body"]["message"]
    assert "New: **Sensor readings** could not be refreshed for another reason than before." in told
    played.act("readings", lambda incident: acknowledged(incident, opened + 24 * MINUTE, "ana"))
    third.write_text(other.read_text())
    other.unlink()
    assert failed(30) == [first, f"Update: {first}", f"Update: {first}"]
    model.write_text(fails(good, 3))
    third.unlink()
    assert len(failed(40)) == 3, "that this model fails was told before"
    model.write_text(good)
    played.refresh(opened + HOUR, "readings")
    played.evaluate(opened + HOUR + MINUTE)
    assert played.live() == {}


def test_an_accepted_gate_that_closes_again_is_told_again(played):
    lose_rows(played)
    for number in (1, 2):
        now = OPENED + number * HOUR
        played.refresh(now, "readings")
        played.evaluate(now + MINUTE)
        assert played.live() == {f"readings#{number}": ()}
        played.act("readings", lambda incident, now=now: resolved(incident, "expected", now + 2 * MINUTE, "ana"))
        played.evaluate(now + 3 * MINUTE)
        assert played.live() == {}


def test_another_domain_that_is_evaluated_opens_nothing_for_what_is_well_meanwhile(played):
    """The office is evaluated after the readings were mended, and before their own domain has looked."""
    break_deliveries(played.root)
    played.refresh(NOW, "readings")
    played.evaluate(OPENED, "plant")
    mend_deliveries(played.root)
    played.refresh(OPENED + MINUTE, "readings")
    played.evaluate(OPENED + 2 * MINUTE, "office")
    assert played.events("readings#1") == ["opened", "resolved auto-recovered"]


def test_a_refresh_by_dagster_is_judged_by_the_sensor_within_a_minute(played):
    break_deliveries(played.root)
    played.refresh(NOW, "readings")
    plan = played.plan
    sensor = delivery_sensor("plant", ["readings"], lambda: plan, played.state, played.root)
    context = dg.build_sensor_context(played.instance)
    sensor.evaluate_tick(context)
    assert played.live() == {"readings#1": ()}
    assert context.cursor


def test_the_sensor_finds_a_refresh_behind_days_of_evaluations(played):
    played.refresh(NOW, "readings")
    sensor, first = (
        delivery_sensor("plant", ["readings"], lambda: played.plan, played.state, played.root),
        dg.build_sensor_context(played.instance),
    )
    sensor.evaluate_tick(first)
    done, tags = dg.DagsterRunStatus.SUCCESS, {"domain": "plant"}
    for number in range(MOST_RUNS):
        played.instance.add_run(dg.DagsterRun("evaluate_plant", f"evaluation {number}", tags=tags, status=done))
    running = dg.DagsterRun("refresh_readings", "the refresh", tags={**tags, "product": "readings"}, status=dg.DagsterRunStatus.STARTED)
    # An event stamps it to the microsecond; Dagster stamps a run that is only added to the second.
    played.instance.report_run_failed(played.instance.add_run(running))
    later = dg.build_sensor_context(played.instance, cursor=first.cursor)
    sensor.evaluate_tick(later)
    assert later.cursor > first.cursor, "the refresh was judged"


def test_a_refresh_by_the_command_line_is_judged_by_itself(played):
    break_deliveries(played.root)
    done = mesh(played.root, "refresh", "readings")
    assert "readings#1 opened" in done.stdout, done
    mend_deliveries(played.root)
    assert "readings#1 resolved auto-recovered" in mesh(played.root, "refresh", "readings").stdout
    assert played.live() == {}
