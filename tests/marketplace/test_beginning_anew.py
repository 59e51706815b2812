"""A server begins with what a former one has read and judged, and shows what a server would that knows nothing."""

import pickle
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from platform_resources.ledger.queries import evidence
from platform_resources.ledger.records import CheckReading, check_id
from platform_resources.ledger.writing import write
from platform_resources.marketplace.kept_view import opened_market
from platform_resources.services.showing import kept_memories
from platform_resources.services.showing.kept_memories import FILE
from tests.marketplace.shop_mesh import MISSED
from tests.meshes import edited, product_file

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _what_pytest_says_of_itself_is_no_setting(monkeypatch):
    monkeypatch.setattr(kept_memories, "OF_THE_SHELL", kept_memories.OF_THE_SHELL | {"PYTEST_CURRENT_TEST"})


@pytest.fixture
def left(shop):
    """The view of a server that has ended and left what it knew."""
    market = opened_market(shop)
    view = market.view()
    market.keep()
    market.stop()
    return view


@pytest.fixture
def begun(shop):
    """The view of a server that begins now."""
    markets = []

    def view():
        markets.append(opened_market(shop))
        return markets[-1].view()

    yield view
    for market in markets:
        market.stop()


def test_what_was_judged_is_not_judged_again(left, begun, monkeypatch):
    monkeypatch.setattr("platform_resources.marketplace.kept_view.read_plan", None)
    asked = []
    real = evidence.evidence_of
    monkeypatch.setattr(evidence, "evidence_of", lambda *given: asked.extend(given[1]) or real(*given))
    view = begun()
    assert asked == []
    assert view.plan == left.plan
    assert view.known.standings == left.known.standings
    assert {name: each.status for name, each in view.health.items()} == {name: each.status for name, each in left.health.items()}


def test_long_histories_are_read_back_when_somebody_looks_into_them():
    long = tuple(range(1_000))
    later = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(kept_memories.later(long)))))
    assert later._there is None and len(pickle.dumps(later)) < 3_000
    assert (later == long, long == later, later == long[1:], hash(later)) == (True, True, False, hash(long))
    assert (len(later), later[3:5], [*later][-1]) == (1_000, (3, 4), 999)
    assert kept_memories.later(long[:3]) == long[:3] and kept_memories.later(later) is later


def test_the_file_is_for_its_owner_alone(left, shop):
    assert stat.S_IMODE((shop / FILE).stat().st_mode) == 0o600


def test_what_was_written_meanwhile_is_seen(left, begun, shop):
    market = opened_market(shop)
    with market.ledger.writing() as connection:
        check = next(each for each in left.plan.product("readings").checks if each.name == MISSED)
        number, at = check_id(check.key, check.name), datetime.now(UTC)
        write(connection, [CheckReading(number, at, "later", "missed", 41.0, "41", "", None, "filled in 41 %", 1, "%", 60.0)])
    market.stop()
    told = next(each for each in begun().health["readings"].checks if each.name == MISSED)
    assert told.value == 41.0


def test_a_text_that_changed_meanwhile_is_read_and_the_other_products_are_not_judged_again(left, begun, shop):
    edited(shop, product_file("plant", "readings"), "Every temperature that a sensor has sent.", "Every temperature.")
    view = begun()
    assert view.plan.product("readings").info.description == "Every temperature."
    assert view.known.standings == left.known.standings


@pytest.mark.parametrize("spoil", ["other environment", "other ledger", "no whole file", "written by others", "no whole pickle"])
def test_what_cannot_be_trusted_is_read_anew(left, begun, shop, monkeypatch, caplog, spoil):
    if spoil == "other environment":
        monkeypatch.setenv("SOME_SETTING", "of a source")
    if spoil == "other ledger":
        monkeypatch.setattr("platform_resources.marketplace.kept_view.ledger_identity", lambda _: "another one")
    if spoil == "no whole file":
        (shop / FILE).write_bytes((shop / FILE).read_bytes()[:5000])
    if spoil == "written by others":
        (shop / FILE).chmod(0o666)
    if spoil == "no whole pickle":
        with closing(sqlite3.connect(shop / FILE)) as database:
            database.execute("update products set kept = ?", (b"\x80\x05]\x94(K\x01e\x85R.",))
            database.commit()
    read = []
    real = kept_memories.KeptMemories.load

    def load(self, stamp):
        found = real(self, stamp)
        read.append((dict(found[0].real.kept), found[1]))
        return found

    monkeypatch.setattr(kept_memories.KeptMemories, "load", load)
    before = (shop / FILE).read_bytes()
    view = begun()
    assert read == [({}, None)]
    assert view.known.standings == left.known.standings
    assert spoil != "written by others" or ((shop / FILE).read_bytes() == before and "others own it or may write it" in caplog.text)
    (shop / FILE).unlink(missing_ok=True)  # other tests begin with a file of their own


def test_one_process_of_several_writes_and_another_goes_on_when_it_ends(shop):
    first, second = opened_market(shop), opened_market(shop)
    for market in (first, second):
        market.view()
    first.keep()
    written = (shop / FILE).stat().st_mtime_ns
    second.keep()
    assert (shop / FILE).stat().st_mtime_ns == written
    first.stop()
    view = second.view()
    second._view = replace(view, plan=replace(view.plan))
    second._stamp = "another"
    second.keep()
    assert (shop / FILE).stat().st_mtime_ns > written
    second.stop()
