"""A made-up past: what charts see of it, what nothing else does, and how it goes away."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from platform_resources.access.grants import Grant, KnownGrants
from platform_resources.access.reader_standing import OfferedRole, Reader, standing
from platform_resources.dbt.planning import read_plan
from platform_resources.incidents.board import Board
from platform_resources.ledger import people_tables, tables
from platform_resources.ledger.made_up import MADE_UP, is_made_up, is_made_up_person, made_up_history, write_made_up
from platform_resources.ledger.people import incident_store, outbox
from platform_resources.ledger.people.grant_store import grants_of, request
from platform_resources.ledger.people.review_store import reviews_of, write_review
from platform_resources.ledger.queries import history
from platform_resources.ledger.queries.evidence import evidence_of
from platform_resources.ledger.queries.objective_history import histories, publication_times, refreshes, spent
from platform_resources.ledger.queries.reads import pulls_of, reads_of_products, record_read
from platform_resources.ledger.queries.standing import standings
from platform_resources.ledger.records import Check, CheckReading, InputState, PortPublication, Run, Scorecard, check_id
from platform_resources.ledger.writing import write
from platform_resources.services.access.requests import act_on_grant
from platform_resources.services.announcements import Round, announce
from platform_resources.services.catalog.demo_history import NothingRefreshed, RealHistory, make_up_history, remove_history
from platform_resources.services.catalog.reviewing import product_reviews
from platform_resources.services.catalog.use_of_products import mesh_use
from platform_resources.services.product_status import looked_at
from platform_resources.spec.values.grantees import subject
from tests.meshes import tiny_mesh

pytestmark = pytest.mark.slow
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DEGREES = "most_readings_have_a_temperature"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tiny_mesh(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def plan(root):
    return read_plan(root)[0]


def refreshed(ledger, plan, at=NOW - HOUR):
    """One real refresh of both products."""
    with ledger.writing() as connection:
        write(connection, [record for name in ("readings", "summary") for record in _refresh(plan.product(name), at)])


def _refresh(product, at):
    run = f"run-{product.name}-{at:%d}"
    yield Run(run, product.name, f"refresh_{product.name}", "succeeded", at - timedelta(seconds=30), at, "", "", 1)
    yield Scorecard(product.name, at, run, "published version x", 3, 3, 0, 0, 5, 1)
    for port in product.outputs:
        yield PortPublication(product.name, port.name, f"{at:%Y%m%dT%H%M%S}", at, "1.0.0", at - HOUR, 1000, 5000, {"a": "bigint"}, run, 1)
    for port in product.inputs:
        yield InputState(product.name, port.name, at, run, True, "", "v1", 1000, {"a": "bigint"}, 1)
    for objective in product.audited:
        check = objective.check
        number, promised = check_id(check.key, check.name), 60.0 if check.name == DEGREES else 3.0
        yield Check(number, "/".join(check.key), check.name, product.name, "objective", objective.dimension, check.title)
        yield CheckReading(
            number, at, run, "met", 75.0 if check.name == DEGREES else 1000.0, "", f"at least {promised:g}", None, "fine", 1, "", promised
        )


def everything(ledger):
    """But for the numbers of changes, which only grow."""
    with ledger.reading() as connection:
        listed = [table for table in tables.TABLES.sorted_tables if table.name != "product_changes"]
        return {table.name: sorted(map(str, connection.execute(select(table)).all())) for table in listed}


def decisions(ledger, plan, root, now=NOW):
    """What is judged, learned, counted and expected of every product."""
    with ledger.reading() as connection:
        found = {
            product.name: (
                standings(connection, product, now),
                histories(connection, product, now),
                publication_times(connection, product.name, now),
                spent(connection, product.name, now),
                refreshes(connection, product.name, now, 20),
                reads_of_products(connection, {product.name}, now - 30 * DAY, now, pulls_of(plan)),
                history.publications(connection, product.name, now - 90 * DAY, now),
                history.runs(connection, product.name, now - 90 * DAY, now),
                history.scorecards(connection, product.name, now - 90 * DAY, now),
                history.input_states(connection, product.name, now - 90 * DAY, now),
            )
            for product in plan.products
        }
        live = Board(incident_store.board(connection).signals, {})
    health, trust = looked_at(ledger, root, plan, plan.products, now)
    return found, live, health, trust


def test_charts_see_twenty_days_and_nothing_else_sees_any(ledger, plan, root):
    refreshed(ledger, plan)
    before = decisions(ledger, plan, root)
    made = make_up_history(ledger, plan, NOW)
    assert made.products == ("readings", "summary") and made.until < NOW - HOUR
    assert timedelta(days=19) < made.until - made.since < timedelta(days=21)
    assert decisions(ledger, plan, root) == before, "no verdict, lesson, duration, count or health follows from what is made up"
    readings = plan.product("readings")
    check = check_id(readings.audited[0].check.key, readings.audited[0].check.name)
    with ledger.reading() as connection:
        (alone,) = standings(connection, readings, NOW)
        (standing,) = standings(connection, readings, NOW, made_up=True)
        shown = history.readings(connection, check, NOW - 30 * DAY, NOW, made_up=True)
        versions = history.publications(connection, "readings", NOW - 30 * DAY, NOW, made_up=True)
        use = mesh_use(connection, plan, NOW, evidence_of(connection, plan.products, NOW))
    assert alone.attainment.known <= 1 and standing.attainment.known >= 18
    assert standing.attainment.bad == 1 and alone.attainment.bad == 0
    assert use.published_first["readings"] == NOW - HOUR, "no version was really published before"
    assert len(shown) == 20 and len({version.version for version in versions}) == 20, "on one day the refresh failed"
    assert {is_made_up(reading.run_id) for reading in shown[:-1]} == {True} and not is_made_up(shown[-1].run_id)
    assert all(reading.reason.startswith(MADE_UP) for reading in shown[:-1])
    assert use.uses["readings"].products == {"summary": 20}
    assert use.uses["readings"].people and all(MADE_UP in reader for reader in use.uses["readings"].people)
    assert use.scores["readings"].score > 0


def test_removing_it_leaves_exactly_what_was_there(ledger, plan, root):
    refreshed(ledger, plan)
    with ledger.writing() as connection:
        record_read(connection, "readings", "measurements_sql", "ada", NOW - HOUR, "query")
    before = everything(ledger)
    made = make_up_history(ledger, plan, NOW)
    assert everything(ledger) != before
    assert remove_history(ledger) == made
    assert everything(ledger) == before
    assert remove_history(ledger) is None
    with ledger.reading() as connection:
        assert made_up_history(connection) is None


def test_reviews_are_marked_by_the_name_of_who_never_wrote_them_and_real_ones_stay(ledger, plan):
    refreshed(ledger, plan)
    with ledger.writing() as connection:
        write_review(connection, "readings", "Ada", 2, "Too warm.", NOW)
    make_up_history(ledger, plan, NOW)
    make_up_history(ledger, plan, NOW)
    with ledger.reading() as connection:
        reviews = {name: product_reviews(connection, plan, name, NOW).shown for name in ("readings", "summary")}
    assert all(1 <= len(shown) - (name == "readings") <= 3 for name, shown in reviews.items())
    invented = [each for shown in reviews.values() for each in shown if each.review.person != "Ada"]
    assert all(is_made_up_person(each.review.person) and not each.verified and each.review.said for each in invented)
    with pytest.raises(ValueError):
        subject(invented[0].review.person)
    remove_history(ledger)
    with ledger.reading() as connection:
        assert [each.person for each in reviews_of(connection, "readings")] == ["Ada"]


def test_making_it_up_again_changes_nothing(ledger, plan):
    refreshed(ledger, plan)
    first = make_up_history(ledger, plan, NOW), everything(ledger)["readings"]
    assert (make_up_history(ledger, plan, NOW), everything(ledger)["readings"]) == first


def test_a_real_history_of_before_today_is_left_alone_unless_told(ledger, plan):
    refreshed(ledger, plan, NOW - DAY)
    before = everything(ledger)
    with pytest.raises(RealHistory, match="since 2026-11-19"):
        make_up_history(ledger, plan, NOW)
    assert everything(ledger) == before
    made = make_up_history(ledger, plan, NOW, beside_real=True)
    assert made.until < NOW - DAY, "it ends before the real one begins"


def test_without_a_version_there_is_nothing_to_make_a_past_from(ledger, plan):
    with pytest.raises(NothingRefreshed, match="mesh refresh"):
        make_up_history(ledger, plan, NOW)


def test_an_incident_is_marked_over_and_only_where_there_was_none(ledger, plan):
    refreshed(ledger, plan)
    with ledger.writing() as connection:
        connection.execute(
            people_tables.incidents.insert().values(
                cause="summary",
                number=1,
                began_at=NOW,
                opened_at=NOW,
                changed_at=NOW,
                status="open",
                reopened=0,
                moved_to=[],
                severity="low",
                title="real",
            )
        )
    made = make_up_history(ledger, plan, NOW)
    assert made.incidents == {"readings#1"}
    with ledger.reading() as connection:
        stored = incident_store.incident_named(connection, "readings#1")
        events = incident_store.events_of(connection, "readings#1")
        board = incident_store.board(connection)
    assert stored.title == f"{MADE_UP}: Most readings have a temperature"
    assert (stored.incident.live, stored.incident.resolution) == (False, "fixed")
    assert NOW - stored.incident.resolved_at > 2 * DAY, "nothing that breaks now is taken for it again"
    assert [event.kind for event in events] == ["opened", "acknowledged", "resolved"]
    assert board.incidents["summary"].live and not board.incidents["readings"].live


def test_on_one_day_the_promise_of_the_incident_was_missed(ledger, plan):
    refreshed(ledger, plan)
    make_up_history(ledger, plan, NOW)
    with ledger.reading() as connection:
        (check,) = [o.check for o in plan.product("readings").audited if o.check.name == DEGREES]
        verdicts = history.readings(connection, check_id(check.key, check.name), NOW - 30 * DAY, NOW, made_up=True)
        incident = incident_store.incident_named(connection, "readings#1").incident
    (missed,) = [reading for reading in verdicts if reading.verdict == "missed"]
    assert missed.value < 60 and missed.threshold in missed.reason
    assert abs(missed.at - incident.began_at) < HOUR


def certified(plan):
    """The plan with a product whose owners decide about a role."""
    role = OfferedRole("analyst", "Internal use", "owner", None, (("region", ("EU", "US")),))
    readings = plan.product("readings")
    changed = replace(readings, info=readings.info.model_copy(update={"certified": True}), offers=replace(readings.offers, roles=(role,)))
    return replace(plan, products=tuple(changed if each is readings else each for each in plan.products))


def test_of_a_certified_product_somebody_asks_for_a_role_and_nobody_is_told(ledger, plan, root):
    offered = certified(plan)
    refreshed(ledger, offered)
    make_up_history(ledger, offered, NOW)
    make_up_history(ledger, offered, NOW)
    with ledger.reading() as connection:
        (asked,) = grants_of(connection)
    assert (asked.product, asked.role, asked.attributes, asked.state(NOW)) == ("readings", "analyst", (("region", "EU"),), "requested")
    assert asked.purpose.startswith(f"{MADE_UP}: ") and asked.requested_by == asked.subject
    person = asked.subject.removesuffix(f" ({MADE_UP})")
    assert person != asked.subject
    with pytest.raises(ValueError, match="cannot have a role"):
        subject(asked.subject)
    with ledger.writing() as connection:
        announce(connection, Round(offered, offered.products, (), {}, NOW))
        assert outbox.keys_about(connection, "access", ["readings"]) == {}
    act_on_grant(ledger, offered, asked.name, "approved", offered.product("readings").offers.owners[0], "", NOW)
    with ledger.reading() as connection:
        known = KnownGrants(grants_of(connection))
    namesake = standing(offered.product("readings").offers, Reader(person), known, NOW)
    assert (known.grants[0].state(NOW), namesake.sees) == ("approved", "nothing"), "somebody real of that name gets nothing by it"
    real = Grant("", "readings", "analyst", "eva", "Real.", (("region", "EU"),), "eva", NOW, "requested", "eva", NOW)
    kept = request(ledger, real)
    remove_history(ledger)
    with ledger.reading() as connection:
        assert grants_of(connection) == (kept,)
        assert connection.execute(select(people_tables.grant_events)).all() == []


def test_a_record_that_does_not_carry_the_mark_is_refused(ledger):
    with ledger.writing() as connection, pytest.raises(ValueError, match="would be taken for real"):
        write_made_up(connection, [Run("run", "a", "job", "succeeded", NOW, NOW, "", "", 1)], [], [])


def test_the_mark_is_not_mistaken_for_a_word_like_it(ledger, plan):
    refreshed(ledger, plan)
    with ledger.writing() as connection:
        write(connection, [Run("MADE_UP_run", "readings", "job", "succeeded", NOW - HOUR, NOW, "", "", 1)])
    with ledger.reading() as connection:
        assert made_up_history(connection) is None
        assert len(history.runs(connection, "readings", NOW - DAY, NOW)) == 2
