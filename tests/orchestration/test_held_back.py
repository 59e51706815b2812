"""A gate that holds a version back, and what a person has accepted: from Dagster's log to what is told."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from platform_resources.capabilities.registry import installed_registry
from platform_resources.dbt.planning import read_plan
from platform_resources.incidents.board import changed
from platform_resources.incidents.life_cycle import resolved
from platform_resources.ledger.database import open_ledger
from platform_resources.ledger.events import Checked, Event, Materialised, RunEnded, RunStarted
from platform_resources.ledger.people import incident_store, outbox
from platform_resources.ledger.people.acceptances import Acceptance, acceptances
from platform_resources.ledger.people.subscriptions import subscribe
from platform_resources.ledger.queries import history
from platform_resources.ledger.queries.candidates import is_of_candidate
from platform_resources.ledger.records import check_id
from platform_resources.ledger.syncing import sync
from platform_resources.plan.routes import DigestPlan
from platform_resources.plan.zones import shown_zone
from platform_resources.services.evaluation_round import evaluate
from platform_resources.services.product_status import looked_at
from platform_resources.spec.components import Refresh
from tests.ledger.event_logs import MemoryLog
from tests.meshes import tiny_mesh

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MODEL = ("readings", "measurements")
GATE, GAPS = "readings_are_never_deleted", "most_readings_have_a_temperature"
CLOSED = "dagster._core.errors.DagsterAssetCheckFailedError: 1 blocking asset check failed with ERROR severity:"


def said(at, run, name, verdict):
    told = {"verdict": verdict, "kind": "objective", "reason": f"{name} is {verdict}", "measured_at": at.isoformat()}
    return Event(0, at, run, Checked(MODEL, name, verdict == "met", told["reason"], told))


def version(at, run):
    told = {"version": f"{at:%Y%m%dT%H%M%S}", "product_version": "1.1.0", "published_at": at.isoformat(), "watermark": at.isoformat()}
    return Event(0, at, run, Materialised(("readings", "outputs", "measurements_sql"), told, {}))


def ended(at, run, status):
    failed = ("readings__audit", CLOSED) if status == "failed" else ("", "")
    return (
        Event(0, at - MINUTE, run, RunStarted("readings", "refresh_readings")),
        Event(0, at, run, RunEnded(status, "readings", "refresh_readings", *failed, closed_gate=status == "failed")),
    )


def published(at, run, gaps="met"):
    """A refresh whose gate is open."""
    return said(at, run, GATE, "met"), said(at, run, GAPS, gaps), version(at, run), *ended(at, run, "succeeded")


def held_back(at, run, gaps="missed"):
    return said(at, run, GATE, "missed"), said(at, run, GAPS, gaps), *ended(at, run, "failed")


class Mesh:
    """The tiny mesh with its ledger, in which ann reads of the readings."""

    def __init__(self, root, ledger):
        self.root, self.ledger, self.log = root, ledger, MemoryLog()
        self.plan = read_plan(root)[0]
        with ledger.writing() as connection:
            subscribe(connection, "readings", "ann", "ann@example.com", "low", NOON)

    def at(self, now, *events):
        self.log.add(*events)
        sync(self.ledger, self.log, now)
        evaluate(self.ledger, self.root, self.plan, self.plan.products, installed_registry(), now)

    def message(self, kind="incident"):
        with self.ledger.reading() as connection:
            (found,) = [e.message for e in outbox.messages(connection) if (e.message.kind, e.message.channel) == (kind, "ann@example.com")]
        return found

    def resolve(self, how, at, note):
        with self.ledger.projecting() as connection:
            before = incident_store.board(connection)
            after, events = changed(before, "readings", lambda incident: resolved(incident, how, at, "ana", note))
            incident_store.keep_board(connection, before, after, events)

    def trust(self, now):
        return looked_at(self.ledger, self.root, self.plan, self.plan.products, now)[1]["readings"]


@pytest.fixture
def mesh(tmp_path):
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    yield Mesh(tiny_mesh(tmp_path / "mesh"), ledger)
    ledger.close()


def test_readers_of_a_version_before_a_closed_gate_hear_that_they_still_read_it(mesh):
    mesh.at(NOON, *published(NOON - MINUTE, "monday"))
    mesh.at(NOON + HOUR, *held_back(NOON + HOUR, "tuesday"))
    mesh.at(NOON + 2 * HOUR)
    told = mesh.message()
    assert told.subject == "Sensor readings held back its new version"
    assert "Consumers of Sensor readings still read its last good version, as of Mon 2 Mar, 12:59 CET." in told.body
    assert "it was held back because it does not have the expected number of rows" in told.body
    assert "has gaps" not in told.body, "it is no gate, and nobody has read that version"


@pytest.mark.parametrize("end", ["failed", "canceled", None])
def test_a_version_that_was_never_published_has_reached_nobody_however_its_refresh_ended(mesh, end):
    mesh.at(NOON, *published(NOON - MINUTE, "monday"))
    later = NOON + HOUR
    run = ended(later, "tuesday", end or "failed")
    mesh.at(later, said(later, "tuesday", GATE, "missed"), said(later, "tuesday", GAPS, "missed"), *run[: 2 if end else 1])
    mesh.at(NOON + 2 * HOUR)
    assert mesh.message().subject == "Sensor readings held back its new version"
    assert "has gaps" not in mesh.message().body


@pytest.mark.parametrize(("job", "candidate"), [("refresh_readings", True), ("__ASSET_JOB", True), ("evaluate_plant", False)])
def test_what_is_looked_at_between_refreshes_is_of_no_candidate(mesh, job, candidate):
    mesh.at(NOON, *published(NOON - MINUTE, "monday"))
    told = Event(0, NOON, "tuesday", RunStarted("readings", job))
    mesh.at(NOON + MINUTE, said(NOON, "tuesday", GAPS, "missed"), told)
    with mesh.ledger.reading() as connection:
        (found,) = history.readings(connection, check_id(MODEL, GAPS), NOON, NOON + HOUR)
        (served,) = history.newest_publications(connection, NOON)
        assert is_of_candidate(connection, found, served) == candidate
        assert not is_of_candidate(connection, replace(found, run_id="imported"), served), "nobody knows of a run"


def test_what_was_wrong_with_the_version_before_is_told_as_before(mesh):
    mesh.at(NOON, *published(NOON - MINUTE, "monday", gaps="missed"))
    mesh.at(NOON + MINUTE, *held_back(NOON + MINUTE, "tuesday"))
    mesh.at(NOON + 2 * HOUR)
    assert mesh.message().subject == "Sensor readings has gaps and held back its new version"


def test_a_version_that_is_published_with_a_fault_has_reached_its_readers(mesh):
    mesh.at(NOON, *published(NOON - MINUTE, "monday"))
    mesh.at(NOON + HOUR, *published(NOON + HOUR, "tuesday", gaps="missed"))
    mesh.at(NOON + 2 * HOUR)
    assert mesh.message().subject == "Sensor readings has gaps"
    assert "still read" not in mesh.message().body


def test_who_has_accepted_a_weakness_is_known_until_it_was_well(mesh):
    mesh.at(NOON, *published(NOON - MINUTE, "monday", gaps="missed"))
    mesh.resolve("expected", NOON + HOUR, "the sensors in the south are off")
    found = Acceptance(
        f"measurements:{GAPS}", "readings#1", "expected", "ana", NOON + HOUR, "the sensors in the south are off"
    )  # fmt: skip
    (accepted,) = mesh.trust(NOON + HOUR).accepted
    assert (accepted.title, accepted.acceptance) == ("Most readings have a temperature", found)
    mesh.at(NOON + 2 * HOUR, *published(NOON + 2 * HOUR, "tuesday"))
    with mesh.ledger.reading() as connection:
        assert acceptances(connection) == {}


def test_what_was_fixed_is_not_accepted(mesh):
    mesh.at(NOON, *published(NOON - MINUTE, "monday", gaps="missed"))
    mesh.resolve("fixed", NOON + HOUR, "")
    assert mesh.trust(NOON + HOUR).accepted == ()


def test_every_check_of_a_product_is_one_of_its_tests_and_monitors(mesh):
    mesh.at(NOON, *published(NOON - MINUTE, "monday"))
    product = mesh.plan.product("readings")
    wanted = len(product.checks) + len(product.indicators)
    assert (mesh.trust(NOON).coverage.tests_and_monitors, wanted) == (7, 7)


def test_messages_go_by_the_time_zone_that_the_product_declares(mesh):
    product = mesh.plan.product("readings")
    by_inputs = replace(product, refresh=Refresh(on="inputs"), indicators=())
    indicator = replace(product.indicators[0], spec=product.indicators[0].spec.model_validate({**WINDOW, "timezone": "Asia/Tokyo"}))
    zones = {
        "its refresh": product,
        "its refresh by inputs": replace(by_inputs, refresh=Refresh(on="inputs", timezone="America/Lima")),
        "its indicator": replace(by_inputs, indicators=(product.indicators[0], indicator)),
        "its domain": by_inputs,
    }
    digest = DigestPlan("plant.alerts", time(8), "Europe/Paris")
    plan = replace(mesh.plan, domains=tuple(replace(domain, digest=digest) for domain in mesh.plan.domains))
    assert {name: shown_zone(plan, each) for name, each in zones.items()} == {
        "its refresh": "Europe/Berlin",
        "its refresh by inputs": "America/Lima",
        "its indicator": "Asia/Tokyo",
        "its domain": "Europe/Paris",
    }


WINDOW = {"service_level_name": "Refreshed daily", "interval": "1d", "window": "20d", "target": 80}
