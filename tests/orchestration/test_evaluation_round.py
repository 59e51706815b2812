"""Rounds of evaluation with the clock in the test's hands: a mesh's plan, a log of events, the real ledger and its outbox."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from platform_resources.capabilities.registry import installed_registry
from platform_resources.dbt.planning import read_plan
from platform_resources.incidents.board import changed
from platform_resources.incidents.life_cycle import acknowledged
from platform_resources.ledger.events import Checked, Event, Materialised, RunEnded, RunStarted
from platform_resources.ledger.people import incident_store, outbox
from platform_resources.ledger.people.checks import known_checks
from platform_resources.ledger.people.subscriptions import subscribe
from platform_resources.ledger.queries import history
from platform_resources.ledger.records import check_id
from platform_resources.ledger.syncing import sync
from platform_resources.orchestration.evaluation_job import products_to_evaluate
from platform_resources.services.evaluation_round import evaluate
from tests.ledger.event_logs import MemoryLog
from tests.meshes import edited, product_file, tiny_mesh

pytestmark = pytest.mark.slow

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
PLANT = """\
title: Plant
channels: {alerts: {url: "json://plant.example.com"}}
routes: [{channel: alerts, for: owner}]
digest: {channel: alerts, at: "08:00", timezone: Europe/Berlin}
"""
OFFICE = """\
title: Office
channels: {alerts: {url: "json://office.example.com"}}
routes: [{channel: alerts, for: owner}, {channel: alerts, for: subscriber}]
"""


@pytest.fixture
def root(tmp_path):
    root = tiny_mesh(tmp_path / "mesh")
    (root / "dataproducts/plant/domain.yaml").write_text(PLANT)
    (root / "dataproducts/office/domain.yaml").write_text(OFFICE)
    return root


class Story:
    """A mesh, its ledger and its log; `at` tells events and has all domains evaluated."""

    def __init__(self, root, ledger, domains=("plant", "office")):
        self.root, self.ledger, self.log, self.domains = root, ledger, MemoryLog(), domains

    def at(self, now, *events):
        """The incidents' events of this round, as `office summary attached`."""
        self.log.add(*events)
        sync(self.ledger, self.log, now)
        plan, problems = read_plan(self.root)
        assert not [problem for problem in problems if problem.severity == "error" and "domain.yaml" in problem.file]
        happened = []
        for domain in self.domains:
            own = [product for product in plan.products if product.domain == domain]
            happened += evaluate(self.ledger, self.root, plan, own, installed_registry(), now, domain).events
        return [f"{event.incident} {event.kind} {event.note}".strip() for event in happened]

    def told(self, kind=None):
        """What lies in the outbox, oldest first: (channel, subject)."""
        with self.ledger.reading() as connection:
            found = [entry for entry in outbox.messages(connection) if kind is None or entry.message.kind == kind]
        return sorted((entry.created_at, entry.message.channel, entry.message.subject) for entry in found)

    def channels(self, kind):
        return [channel for _, channel, _ in self.told(kind)]

    def body(self, kind, channel):
        with self.ledger.reading() as connection:
            (found,) = [e.message.body for e in outbox.messages(connection) if (e.message.kind, e.message.channel) == (kind, channel)]
        return found

    def digests(self):
        with self.ledger.reading() as connection:
            found = [e for e in outbox.messages(connection) if e.message.kind == "digest"]
        return [each.message.body for each in sorted(found, key=lambda each: each.created_at)]

    def incidents(self):
        with self.ledger.reading() as connection:
            return {stored.incident.name: stored for stored in incident_store.incidents_of(connection)}

    def deliver(self, now):
        for claim in outbox.claimed(self.ledger, "test", None, now, 100):
            assert outbox.sent(self.ledger, claim, now)


@pytest.fixture
def story(root, ledger):
    return Story(root, ledger)


def said(at, verdict, key=("readings", "inputs", "deliveries"), name="arrived", kind="input", reason="no file matches"):
    told = {"verdict": verdict, "kind": kind, "reason": reason, "measured_at": at.isoformat()}
    return Event(0, at, f"run {at}", Checked(key, name, verdict == "met", reason, told))


def stale(at, verdict):
    return said(at, verdict, ("summary", "inputs", "measurements"), "fresh", reason="readings is 40 h old; at most 36h")


def version(at, columns, port="measurements_sql"):
    told = {"version": f"{at:%Y%m%dT%H%M%S}", "product_version": "1.1.0", "published_at": at.isoformat(), "watermark": at.isoformat()}
    return Event(0, at, f"run {at}", Materialised(("readings", "outputs", port), told, columns))


def pulled(at, columns, product="readings", port="deliveries"):
    told = {"changed": True, "degraded": "no", "measured_at": at.isoformat()}
    return Event(0, at, f"run {at}", Materialised((product, "inputs", port), told, columns))


def run(at, status, step="readings__build", reason="dbt could not build readings", closed_gate=False):
    failed = (step, reason) if status == "failed" else ("", "")
    name = f"run of {at}"
    return Event(0, at, name, RunStarted("readings", "refresh_readings")), Event(
        0, at + MINUTE, name, RunEnded(status, "readings", "refresh_readings", *failed, closed_gate=closed_gate)
    )


def test_a_broken_input_is_one_incident_at_the_root_told_once_to_each_channel_after_the_wait(story):
    assert story.at(NOON, said(NOON, "missed"), stale(NOON, "missed")) == ["readings#1 opened", "readings#1 attached summary"]
    assert story.channels("incident") == []
    story.at(NOON + 15 * MINUTE)
    assert story.channels("incident") == []
    story.at(NOON + 30 * MINUTE)
    story.at(NOON + 45 * MINUTE)
    assert story.channels("incident") == ["office.alerts", "plant.alerts"]
    assert "Sensor summary" in story.body("incident", "office.alerts")
    assert "arrived" not in story.body("incident", "office.alerts"), "consumers do not read names of checks"
    assert "no file matches" in story.body("incident", "plant.alerts")
    story.deliver(NOON + HOUR)
    well = NOON + 2 * HOUR
    assert story.at(well, said(well, "met"), stale(well, "met")) == ["readings#1 resolved auto-recovered"]
    story.at(well + HOUR)
    assert story.channels("recovery") == ["office.alerts", "plant.alerts"]


def test_what_is_over_before_the_wait_is_told_to_nobody(story):
    story.at(NOON, said(NOON, "missed"))
    story.at(NOON + 10 * MINUTE, said(NOON + 10 * MINUTE, "met"))
    story.at(NOON + HOUR)
    assert (story.channels("incident"), story.channels("recovery")) == ([], [])


@pytest.mark.parametrize("domains", permutations(("plant", "office")), ids=" then ".join)
def test_the_order_of_the_domains_makes_no_difference(root, ledger, domains):
    story = Story(root, ledger, domains)
    story.at(NOON, said(NOON, "missed"), stale(NOON, "missed"))
    live = [stored.incident for stored in story.incidents().values() if stored.incident.live]
    assert [(incident.name, incident.impacted) for incident in live] == [("readings#1", ("summary",))]


def test_an_owner_is_reminded_until_somebody_has_acknowledged_it(story):
    story.at(NOON, said(NOON, "missed"))
    story.at(NOON + HOUR)
    story.deliver(NOON + HOUR)
    story.at(NOON + 26 * HOUR)
    assert story.channels("reminder") == ["plant.alerts"]
    story.deliver(NOON + 26 * HOUR)
    with story.ledger.projecting() as connection:
        before = incident_store.board(connection)
        after, events = changed(before, "readings", lambda incident: acknowledged(incident, NOON + 27 * HOUR, "ana"))
        incident_store.keep_board(connection, before, after, events)
    story.at(NOON + 100 * HOUR)
    assert story.channels("reminder") == ["plant.alerts"]


def test_a_refresh_that_fails_is_an_incident_and_one_that_a_gate_stopped_is_not_one_by_itself(story):
    gate = "not published, the gate is closed; version v1 is still served"
    assert story.at(NOON, *run(NOON - HOUR, "failed", "readings__audit", gate, closed_gate=True)) == []
    assert story.at(NOON + HOUR, *run(NOON, "failed")) == ["readings#1 opened"]
    assert story.incidents()["readings#1"].title == "The refresh failed: dbt could not build readings"
    assert story.at(NOON + 2 * HOUR, *run(NOON + HOUR, "succeeded")) == ["readings#1 resolved auto-recovered"]


def test_an_audit_that_crashes_is_an_incident(story):
    assert story.at(NOON, *run(NOON - HOUR, "failed", "readings__audit", "duckdb.IOException: no space left")) == ["readings#1 opened"]
    assert story.incidents()["readings#1"].title == "The refresh failed: duckdb.IOException: no space left"


def test_a_changed_schema_is_told_once_with_its_difference_to_those_who_read_it(story):
    before, after = {"sensor": "varchar", "degrees": "decimal(6,2)"}, {"sensor": "varchar", "celsius": "double"}
    story.at(NOON, version(NOON, before), version(NOON, before, "measurements_file"))
    assert story.channels("schema") == []
    later = NOON + DAY
    story.at(later, version(later, after), version(later, after, "measurements_file"))
    story.at(later + HOUR)
    assert story.channels("schema") == ["office.alerts"]
    text = story.body("schema", "office.alerts")
    assert "degrees" in text and "celsius" in text and "removed" in text
    story.at(later + DAY, version(later + DAY, after), version(later + DAY, after, "measurements_file"))
    assert story.channels("schema") == ["office.alerts"]


def test_each_level_of_a_budget_is_told_once_to_the_owners(story):
    """20 days, 80 %: with nothing published after the first version, the first bad day spends all of the budget of one valid day."""
    story.at(NOON, version(NOON, {"sensor": "varchar"}), version(NOON, {"sensor": "varchar"}, "measurements_file"))
    for day in range(1, 6):
        for hour in (0, 6):
            story.at(NOON + day * DAY + hour * HOUR)
    assert [channel for channel in story.channels("budget") if channel == "plant.alerts"] == ["plant.alerts"]


def test_a_domain_has_one_digest_a_day_at_its_time(story):
    berlin_seven = datetime(2026, 3, 3, 6, tzinfo=UTC)
    story.at(berlin_seven)
    assert story.channels("digest") == []
    for hours in (1, 2, 3):
        story.at(berlin_seven + hours * HOUR)
    assert story.channels("digest") == ["plant.alerts"]
    story.at(berlin_seven + DAY + 2 * HOUR)
    assert story.channels("digest") == ["plant.alerts", "plant.alerts"]


def test_a_renamed_objective_keeps_its_history_and_its_incident_ends_as_nothing_is_watched_any_more(story):
    key = ("readings", "measurements")
    story.at(NOON, said(NOON, "missed", key, "most_readings_have_a_temperature", "objective", "half are empty"))
    edited(story.root, product_file("plant", "readings"), "Most readings have a temperature", "Temperatures are there")
    happened = story.at(NOON + HOUR)
    assert happened == ["readings#1 resolved no action: nothing that failed is watched any more"]
    with story.ledger.reading() as connection:
        known = {check.name: check.retired_at for check in known_checks(connection).values() if check.asset_key == "readings/measurements"}
    assert known["most_readings_have_a_temperature"] == NOON + HOUR
    assert known["temperatures_are_there"] is None


def test_a_product_whose_document_breaks_keeps_its_incident(story):
    story.at(NOON, said(NOON, "missed"))
    file = story.root / product_file("plant", "readings")
    whole = file.read_text()
    file.write_text("kind: [")
    assert story.at(NOON + HOUR) == []
    file.write_text(whole)
    assert story.at(NOON + 2 * HOUR) == []
    assert story.incidents()["readings#1"].incident.live


def test_a_product_that_is_removed_takes_its_incident_with_it(story):
    story.at(NOON, said(NOON, "missed"))
    for file in ("plant/readings/product.yaml", "office/summary/product.yaml"):
        (story.root / "dataproducts" / file).unlink()
    story.domains = ("plant",)
    assert story.at(NOON + HOUR) == ["readings#1 resolved no action: nothing that failed is watched any more"]


def test_the_incident_of_a_product_that_is_retired_ends_and_those_who_knew_it_are_told(story):
    story.at(NOON, said(NOON, "missed"))
    story.at(NOON + 30 * MINUTE)
    story.deliver(NOON + 30 * MINUTE)
    edited(story.root, product_file("plant", "readings"), "lifecycle: production", "lifecycle: retired")
    story.domains = ("office",)
    assert story.at(NOON + HOUR) == ["readings#1 resolved no action: nothing that failed is watched any more"]
    assert story.channels("recovery") == ["plant.alerts"]
    assert story.told("recovery")[0][2] == "Closed: Sensor readings (no action); it is not refreshed"
    assert "**Sensor readings** is not refreshed: it is retired, and nothing takes its place.\n" in story.body("recovery", "plant.alerts")


def test_those_who_knew_the_incident_of_a_product_that_is_removed_are_told_its_end_once(story):
    story.at(NOON, said(NOON, "missed"))
    story.at(NOON + 30 * MINUTE)
    story.deliver(NOON + 30 * MINUTE)
    (story.root / "dataproducts/plant/readings/product.yaml").unlink()
    story.at(NOON + HOUR)
    story.at(NOON + 2 * HOUR)
    assert [(channel, subject) for _, channel, subject in story.told("recovery")] == [("plant.alerts", "Closed: readings (no action)")]


def test_a_share_is_told_as_it_is_read_and_remembered_as_it_is(story):
    event = said(NOON, "missed", ("readings", "measurements"), "most_readings_have_a_temperature", "objective", "it has gaps")
    told = {**event.what.metadata, "value": 99.99996, "shown": "99.9 %", "threshold": "at least 100 %", "failing_rows": 4}
    story.at(NOON, replace(event, what=replace(event.what, metadata=told)))
    story.at(NOON + HOUR)
    assert "it has gaps; value 99.9 %; promised at least 100 %; 4 failing rows" in story.body("incident", "plant.alerts")
    with story.ledger.reading() as connection:
        number = check_id(("readings", "measurements"), "most_readings_have_a_temperature")
        assert [reading.value for reading in history.readings(connection, number, NOON, NOON + HOUR)] == [99.99996]


def test_a_clock_that_was_a_year_ahead_for_one_round_makes_nobody_deaf(story):
    story.at(NOON, version(NOON, {"sensor": "varchar"}))
    story.at(NOON + 365 * DAY)
    story.at(NOON + HOUR)
    with story.ledger.reading() as connection:
        heard = {check: signal.last_at for check, signal in incident_store.board(connection).signals.items()}
    assert heard["readings", "versions"] == NOON + HOUR
    assert all(at is None or at <= NOON + HOUR for at in heard.values())


def test_a_clock_that_steps_back_opens_and_ends_nothing_twice(story):
    story.at(NOON, said(NOON, "missed"))
    assert story.at(NOON - 2 * HOUR) == []
    well = NOON - HOUR
    assert story.at(NOON - HOUR, said(well, "met")) == [], "older than what was heard last"
    assert story.at(NOON + HOUR, said(NOON + HOUR, "met")) == ["readings#1 resolved auto-recovered"]
    assert story.at(NOON) == []


def test_a_log_that_lost_its_tail_changes_no_incident(story):
    story.at(NOON, said(NOON, "missed"))
    story.log.lose(1)
    assert story.at(NOON + HOUR) == []
    assert story.incidents()["readings#1"].incident.status == "open"


# Inputs from outside of the mesh


def test_other_columns_in_a_file_that_is_delivered_are_told_once_to_owners_and_subscribers(story):
    with story.ledger.writing() as connection:
        subscribe(connection, "readings", "ann", "ann@example.com", "low", NOON)
    story.at(NOON, pulled(NOON, {"reading_id": "BIGINT", "degrees": "DOUBLE"}))
    assert story.channels("schema") == []
    later = NOON + DAY
    story.at(later + MINUTE, pulled(later, {"reading_id": "VARCHAR", "operator": "VARCHAR"}))
    assert story.channels("schema") == ["ann@example.com", "plant.alerts"]
    subject = "Input changed: Sensor readings receives lost or changed columns"
    assert {told for _, _, told in story.told("schema")} == {subject}
    for line in (
        "removed: `degrees` (`DOUBLE`)",
        "type changed: `reading_id`, from `BIGINT` to `VARCHAR`",
        "added: `operator` (`VARCHAR`)",
    ):
        assert line in story.body("schema", "plant.alerts")
    story.at(later + HOUR, pulled(later + HOUR, {"reading_id": "VARCHAR", "operator": "VARCHAR"}))
    story.at(later + 8 * DAY)
    assert len(story.told("schema")) == 2


def test_a_change_across_a_version_or_a_pull_without_known_columns_is_told_once(story):
    """Once within one round, and once over three."""
    first, second = NOON + DAY, NOON + 2 * DAY
    story.at(NOON, version(NOON, {"sensor": "varchar", "degrees": "double"}))
    story.at(second + MINUTE, version(first, {}), version(second, {"sensor": "varchar"}))
    assert story.channels("schema") == ["office.alerts"]
    story.at(NOON + 3 * DAY, pulled(NOON + 3 * DAY, {"reading_id": "BIGINT"}))
    story.at(NOON + 4 * DAY, pulled(NOON + 4 * DAY, {}), version(NOON + 4 * DAY, {}))
    story.at(NOON + 6 * DAY, pulled(NOON + 5 * DAY, {"reading_id": "VARCHAR"}), version(NOON + 5 * DAY, {"sensor": "integer"}))
    assert sorted(story.channels("schema")) == ["office.alerts", "office.alerts", "plant.alerts"]


def test_other_columns_in_what_a_product_reads_of_another_are_that_products_news(story):
    story.at(NOON, pulled(NOON, {"reading_id": "BIGINT"}, "summary", "measurements"))
    story.at(NOON + DAY + MINUTE, pulled(NOON + DAY, {"reading_id": "VARCHAR"}, "summary", "measurements"))
    assert story.channels("schema") == []


def test_the_digest_names_inputs_with_other_columns(story):
    story.at(NOON, pulled(NOON, {"reading_id": "BIGINT"}))
    later = NOON + 18 * HOUR
    story.at(later, pulled(later, {"reading_id": "BIGINT", "operator": "VARCHAR"}))
    story.at(NOON + DAY)
    assert "**Sensor readings** receives new columns: deliveries" in story.digests()[-1]


# Refreshes that never end


def refreshed(at, minutes=5):
    """A whole refresh that ended well."""
    name, end = f"run of {at}", at + minutes * MINUTE
    card = Materialised(("readings", "scorecard"), {"outcome": "published", "measured_at": end.isoformat()})
    return (
        Event(0, at, name, RunStarted("readings", "refresh_readings")),
        Event(0, end, name, card),
        Event(0, end, name, RunEnded("succeeded", "readings", "refresh_readings")),
    )


def begun(at):
    return Event(0, at, f"run of {at}", RunStarted("readings", "refresh_readings"))


def test_a_killed_refresh_is_told_to_the_owner_until_another_one_has_ended(story):
    story.at(NOON, *(event for day in range(1, 6) for event in refreshed(NOON - day * DAY)))
    assert story.at(NOON + 14 * MINUTE, begun(NOON)) == []
    assert story.at(NOON + 16 * MINUTE) == ["readings#1 opened"]
    assert story.incidents()["readings#1"].title == (
        "The refresh does not end: the refresh that began at Mon 2 Mar, 13:00 CET has not ended after 16 min; usual is 5 min; "
        "if its process is gone, terminate its run in Dagster"
    )
    assert story.at(NOON + HOUR) == []
    assert story.channels("incident") == ["plant.alerts"]
    again = NOON + 2 * HOUR
    assert story.at(again + MINUTE, begun(again)) == [], "the next one may be killed too"
    assert story.at(again + 10 * MINUTE, *refreshed(again)[1:]) == ["readings#1 resolved auto-recovered"]


def test_a_refresh_that_is_terminated_is_over(story):
    story.at(NOON, *(event for day in range(1, 6) for event in refreshed(NOON - day * DAY)))
    assert story.at(NOON + HOUR, begun(NOON)) == ["readings#1 opened"]
    end = Event(0, NOON + HOUR, f"run of {NOON}", RunEnded("canceled", "readings", "refresh_readings"))
    assert story.at(NOON + 2 * HOUR, end) == ["readings#1 resolved auto-recovered"]


# A description that cannot be read


def broken_description(story):
    edited(story.root, product_file("plant", "readings"), "type: data-product", "type: data-produce")


def test_an_incident_of_a_product_whose_description_is_broken_is_reminded_of_by_its_domain_and_ends_once_it_is_mended(story):
    assert story.at(NOON, said(NOON, "missed")) == ["readings#1 opened"]
    story.at(NOON + HOUR)
    story.deliver(NOON + HOUR)
    broken_description(story)
    assert story.at(NOON + 2 * HOUR) == []
    story.at(NOON + DAY + HOUR)
    assert story.channels("reminder") == ["plant.alerts"]
    edited(story.root, product_file("plant", "readings"), "type: data-produce", "type: data-product")
    mended = NOON + DAY + 2 * HOUR
    assert story.at(mended, said(mended, "met")) == ["readings#1 resolved auto-recovered"]
    assert story.channels("recovery") == ["plant.alerts"]


def test_the_digest_of_a_domain_names_a_description_that_is_broken(story):
    broken_description(story)
    story.at(NOON)
    told = "- **readings** is of unknown health: its description is broken, so it is neither refreshed nor judged: dataproducts/plant/readings/product.yaml:"
    assert told in story.digests()[0]


def test_a_domain_without_a_readable_product_is_evaluated_if_it_has_anybody_to_tell(story):
    broken_description(story)
    plan = read_plan(story.root)[0]
    assert {domain: [p.name for p in products] for domain, products in products_to_evaluate(plan).items()} == {
        "office": ["summary"],
        "plant": [],
    }
    (story.root / "dataproducts/plant/domain.yaml").write_text("title: Plant")
    assert set(products_to_evaluate(read_plan(story.root)[0])) == {"office"}
