"""What is kept from look to look equals what is read and judged anew for the same moment, whatever was written in between."""

import random
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy.event import listen

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.changes import changes
from platform_resources.ledger.made_up import RUN_PREFIX, remove_made_up
from platform_resources.ledger.people.checks import retire
from platform_resources.ledger.queries.evidence import Memory, evidence_of
from platform_resources.ledger.queries.standing import judged, standings
from platform_resources.ledger.syncing import rebuild, sync
from platform_resources.spec.indicators import Exclusion
from tests.ledger.event_logs import MemoryLog
from tests.ledger.test_standing import FIRST, SPEC, pulled, verdict, version
from tests.meshes import component, edited, tiny_mesh

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUALITY = "service_level_name: Most readings have a temperature"
FRESH = "service_level_name: Refreshed daily"
INDICATORS = (
    ("Filled by the day", f"{QUALITY}\ninterval: 1d\nwindow: 10d\ntarget: 50"),
    ("Filled once all is there", f"{QUALITY}\ninterval: 1d\nwindow: 10d\ntarget: 50\nfinal_after: 2d"),
    ("Filled by the hour", f"{QUALITY}\ninterval: 1h\nwindow: 3d\ntarget: 90\nunmeasured: unknown"),
    ("Fresh by the hour", f"{FRESH}\ninterval: 1h\nwindow: 3d\ntarget: 90"),
    ("Fresh in the morning", f"{FRESH}\ninterval: 1d\nwindow: 10d\ntarget: 50\ndue_after: 6h"),
)


@pytest.fixture(scope="module")
def readings(tmp_path_factory):
    """The product readings, with each kind of indicator."""
    root = tiny_mesh(tmp_path_factory.mktemp("kept"))
    written = "\n".join(component(name, "service-level-indicator", told) for name, told in INDICATORS).replace("\n", "\n    ")
    edited(root, SPEC, "    - name: Company use", f"    {written}\n    - name: Company use")
    plan, problems = read_plan(root)
    assert problems == ()
    return plan.product("readings")


def without_hours(product, first: date):
    """The same product, one of whose indicators leaves two days out."""
    away = Exclusion.model_validate({"from": first, "to": first + DAY, "reason": "moving", "owner": "ada@example.com"})
    specs = [each.spec.model_copy(update={"exclusions": (away,)}) for each in product.indicators]
    changed = tuple(replace(each, spec=spec) for each, spec in zip(product.indicators, specs, strict=True))
    return replace(product, indicators=changed)


def random_events(chance: random.Random, now: datetime):
    """What came since the last look: results of now, late ones of up to four days ago, and one of a clock that is ahead."""
    for _ in range(chance.randrange(4)):
        at = now - chance.choice((timedelta(minutes=3), 2 * HOUR, 30 * HOUR, 4 * DAY, -3 * HOUR)) - timedelta(minutes=chance.randrange(50))
        match chance.choice(("verdict", "verdict", "version", "pull")):
            case "verdict":
                yield verdict(at, chance.choice(("met", "met", "missed", "unknown")))
            case "version":
                yield version(at, chance.choice(("measurements_sql", "measurements_file")), at - chance.choice((HOUR, DAY)))
            case _:
                yield pulled(at, chance.choice(("", "no file matches")))


def assert_kept_as_anew(ledger, memory, product, now):
    with ledger.reading() as connection:
        memory.look(connection, [product], now)
        assert memory.standings(product.name) == standings(connection, product, now)
        anew = evidence_of(connection, [product], now)[product.name]
    found = memory.evidence(product.name)
    assert (found.checks, found.ended, found.running, found.scorecard) == (anew.checks, anew.ended, anew.running, anew.scorecard)


@pytest.mark.parametrize("seed", range(3))
def test_a_kept_standing_equals_one_judged_anew_over_a_story_of_late_deleted_and_excluded_things(ledger, readings, seed):
    chance, log, memory, now, product = random.Random(seed), MemoryLog(), Memory(), FIRST, readings
    log.add(version(FIRST - HOUR), verdict(FIRST - HOUR, "met"))
    for step in range(40):
        now += chance.choice((timedelta(seconds=20), timedelta(minutes=7), HOUR, 5 * HOUR, DAY, timedelta()))
        log.add(*random_events(chance, now))
        sync(ledger, log, now)
        if step % 20 == 11:
            product = without_hours(readings, (now - DAY).date())
        if step % 20 == 15:
            product = readings
            with ledger.writing() as connection:
                retire(connection, [check.check.id for check in memory.evidence("readings").checks][:1], now)
        if step % 20 == 18:
            log.events = [each for each in log.events if chance.random() < 0.9]
            rebuilt = MemoryLog()
            rebuilt.add(*log.events)
            log = rebuilt
            with ledger.writing() as connection:
                connection.exec_driver_sql("delete from marks")
            rebuild(ledger, log, now)
        assert_kept_as_anew(ledger, memory, product, now)


def test_what_is_taken_away_is_no_longer_counted(ledger, readings):
    log, memory, now = MemoryLog(), Memory(made_up=True), FIRST + 3 * DAY
    made_up = [replace(version(FIRST + n * HOUR), run_id=f"{RUN_PREFIX}{n}") for n in range(3)]
    log.add(version(FIRST), *made_up)
    sync(ledger, log, now)
    with ledger.writing() as connection:
        memory.look(connection, [readings], now)
        before = len(memory.evidence("readings").indicators.publications)
        remove_made_up(connection)
        memory.look(connection, [readings], now)
        assert (before, len(memory.evidence("readings").indicators.publications)) == (3, 1)


def test_a_product_of_which_nothing_was_written_is_neither_read_nor_judged_again(ledger, readings, monkeypatch):
    log, memory, now = MemoryLog(), Memory(), FIRST + 3 * DAY + timedelta(minutes=10)
    log.add(*(version(FIRST + n * DAY) for n in range(3)), *(verdict(FIRST + n * HOUR, "met") for n in range(48)))
    sync(ledger, log, now)
    statements = []
    with ledger.reading() as connection:
        memory.look(connection, [readings], now)
        first = memory.standings("readings")
        listen(connection, "before_cursor_execute", lambda _, __, statement, *___: statements.append(statement))
        memory.look(connection, [readings], now + timedelta(minutes=5))
    assert len(statements) == 1 and "product_changes" in statements[0]
    same = [one is other for one, other in zip(memory.standings("readings"), first, strict=True)]
    assert same.count(False) == 1, "but for the one whose next deadline depends on the clock"


def test_an_hour_later_only_slices_that_may_have_changed_are_judged(ledger, readings, monkeypatch):
    log, memory, now = MemoryLog(), Memory(), FIRST + 3 * DAY + timedelta(minutes=10)
    log.add(version(FIRST - DAY), *(verdict(FIRST + n * HOUR, "met") for n in range(70)))
    sync(ledger, log, now)
    with ledger.reading() as connection:
        memory.look(connection, [readings], now)
        first = {each.indicator.check.name: each.slices for each in memory.standings("readings")}
        memory.look(connection, [readings], now + HOUR)
    assert memory.standings("readings") == judged(readings, memory.evidence("readings").indicators, now + HOUR)
    taken_over = {
        each.indicator.check.name: len({*map(id, first[each.indicator.check.name])} & {*map(id, each.slices)})
        for each in memory.standings("readings")
    }
    assert taken_over["filled_by_the_hour"] >= 70
    assert taken_over["fresh_by_the_hour"] >= 70


def test_each_write_gives_its_products_a_greater_number_and_leaves_others(ledger):
    log = MemoryLog()
    log.add(version(FIRST), verdict(FIRST, "met"))
    sync(ledger, log, FIRST)
    with ledger.reading() as connection:
        first = changes(connection)
    sync(ledger, log, FIRST + DAY)
    with ledger.reading() as connection:
        assert changes(connection) == first, "reading events again changes nothing"
    log.add(verdict(FIRST + HOUR, "met"))
    sync(ledger, log, FIRST + DAY)
    with ledger.reading() as connection:
        after = changes(connection)
    assert {name for name in after if after[name] != first.get(name)} == {"readings"}
    assert after["readings"].number > first["readings"].number
    assert after["readings"].latest_at == FIRST + HOUR
