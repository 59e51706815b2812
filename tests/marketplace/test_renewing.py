"""When pages are read anew: never by each request, always after something has changed, and never later than a minute."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from platform_resources.access.grants import KnownGrants, requested
from platform_resources.access.reader_standing import Reader
from platform_resources.incidents import life_cycle
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.ledger.people.incident_store import incidents_of
from platform_resources.ledger.people.review_store import write_review
from platform_resources.ledger.queries.reads import record_read
from platform_resources.ledger.records import CheckReading, check_id
from platform_resources.ledger.writing import write
from platform_resources.marketplace import kept_pages
from platform_resources.marketplace.ahead.page_maker import due
from platform_resources.marketplace.ahead.shared_pages import KeptPage, LastAsked, SeenLast
from platform_resources.marketplace.application import application
from platform_resources.marketplace.display.rendering import environment
from platform_resources.marketplace.kept_pages import KeptPages
from platform_resources.marketplace.kept_view import TOO_OLD, opened_market
from platform_resources.marketplace.page_routes import candidates_page, page_routes
from platform_resources.marketplace.security import FormToken
from platform_resources.marketplace.shop import Shop, around
from platform_resources.repository.change_stamp import change_stamp
from platform_resources.services.catalog.demo_history import make_up_history
from platform_resources.services.showing.incident_acts import act_on
from platform_resources.services.showing.mesh_overview import mesh_overview
from tests.marketplace.shop_mesh import MISSED, NOW
from tests.meshes import edited, product_file

pytestmark = pytest.mark.slow


@pytest.fixture
def market(shop):
    found = opened_market(shop)
    yield found
    found.stop()


def test_requests_share_one_view_of_the_mesh(market):
    with ThreadPoolExecutor(8) as pool:
        assert len({id(view) for view in pool.map(lambda _: market.view(), range(8))}) == 1, "the first ones too, who ask at once"
    assert market.view() is market.view()


def test_a_view_older_than_a_minute_is_shown_to_nobody(market):
    old = replace(market.view(), at=market.view().at - TOO_OLD - timedelta(seconds=1))
    market._view = old
    assert market.view().at > old.at


def test_a_clock_that_was_set_back_leaves_no_view_and_no_page_of_the_hour_ahead(market):
    ahead = replace(market.view(), at=market.view().at + timedelta(hours=1))
    market._view = ahead
    assert market.is_old() and market.view_at_hand() is None
    kept = KeptPages(market, lambda _: None)
    kept.seen_last = SeenLast(ahead.at, ahead.mark, ahead.same, ahead.changed, ahead.at + TOO_OLD, market.read_after)
    assert kept.current() is None, "nor what another process saw"
    view = market.view()
    assert view.at < ahead.at
    kept.pages["one"] = KeptPage(b"", ahead.at, "", view.mark, view.same, frozenset({"readings"}), "text/html")
    assert kept.get("one", view) is None
    kept.pages["one"] = replace(kept.pages["one"], at=view.at)
    assert kept.get("one", view) is kept.pages["one"]


def test_a_mesh_that_takes_long_to_read_is_not_read_by_each_request(market):
    old = replace(market.view(), at=market.view().at - TOO_OLD - timedelta(seconds=1))
    market._view, market._took = old, timedelta(minutes=2)
    assert market.view() is old
    market._view = replace(old, at=old.at - timedelta(minutes=6))
    assert market.view().at > old.at


def test_a_text_that_changed_is_noticed_and_data_beside_it_is_not(market, shop):
    before = market.view()
    assert not market.has_changed()
    csv = shop / "dataproducts/plant/readings/landing/readings.csv"
    csv.write_text(csv.read_text() + "9,north,1,2024-06-01 06:00:00,\n")
    assert not market.has_changed()
    edited(shop, product_file("plant", "readings"), "Every temperature that a sensor has sent.", "Every temperature.")
    assert market.has_changed()
    assert market.renew().plan.product("readings").info.description == "Every temperature."
    assert before.plan.product("readings").info.description == "Every temperature that a sensor has sent."


def test_an_unchanged_plan_is_not_read_again(market):
    assert market.renew().plan is market.renew().plan


def test_what_somebody_did_to_an_incident_is_noticed(market):
    market.view()
    with market.ledger.reading() as connection:
        (incident,) = incidents_of(connection, "readings")
    act_on(market.ledger, incident.incident.name, lambda one, at: life_cycle.acknowledged(one, at, "Ada"), NOW)
    assert market.has_changed()
    assert market.renew().live[0].incident.status == "acknowledged"


def test_what_one_process_has_written_is_shown_by_the_next_answer_of_another(market, shop):
    other = opened_market(shop)
    before = other.view()
    assert other.view_at_hand() is before
    market.written()
    assert other.view_at_hand() is None
    assert other.view().at > before.at
    assert other.view_at_hand() is not None
    other.stop()


def test_a_stamp_depends_on_names_sizes_and_times_only(shop):
    assert change_stamp(shop) == change_stamp(shop)
    before = change_stamp(shop)
    os.utime(shop / "dataproducts/plant/readings/README.md", (1, 1))
    assert change_stamp(shop) != before


def test_history_that_is_made_up_is_charted_and_marked_and_judged_nowhere(market):
    real = market.renew()
    make_up_history(market.ledger, real.plan, real.at, beside_real=True)
    view = market.renew()
    assert view.made_up is not None
    slices = [len(each.known.standings["readings"][0].slices) for each in (real, view)]
    assert slices[0] == slices[1]
    assert len(view.charted["readings"][0].slices) > slices[1]
    assert {each.incident.name for each in view.real_incidents} == {each.incident.name for each in real.incidents}


def test_a_page_is_made_once_and_made_anew_when_something_is_written(market, shop):
    with TestClient(application(market, watch=False), base_url="http://127.0.0.1") as client:
        market.renew()
        first = client.get("/products/readings")
        market.renew()
        again = client.get("/products/readings")
        assert (again.text, again.headers["etag"]) == (first.text, first.headers["etag"])
        assert client.get("/products/readings", headers={"if-none-match": first.headers["etag"]}).status_code == 304
        packed = client.get("/products/readings", headers={"accept-encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip" and packed.text == first.text
        ledger = open_ledger(ledger_url(shop, {}))
        with ledger.writing() as connection:
            check = next(each for each in market.view().plan.product("readings").checks if each.name == MISSED)
            number, at = check_id(check.key, check.name), datetime.now(UTC)
            write(connection, [CheckReading(number, at, "later", "missed", 41.0, "41", "", None, "filled in 41 %", 1, "%", 60.0)])
        ledger.close()
        assert market.has_changed()
        market.renew()
        assert "41 %" not in first.text.replace("\xa0", " ")
        assert "41 %" in client.get("/products/readings").text.replace("\xa0", " ")


def test_many_who_ask_at_once_get_one_page(market):
    shop, made = Shop(market, environment(), FormToken(), KeptPages(market, lambda _: None)), []
    request = Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []})

    def home(view):
        made.append(view.at)
        return "candidates.html", candidates_page(view)

    market.renew()
    with ThreadPoolExecutor(8) as pool:
        bodies = {answer.body for answer in pool.map(lambda _: shop.kept_page(request, home), range(8))}
    assert (len(made), len(bodies)) == (1, 1)


def test_a_kept_page_is_sent_for_a_minute_at_most_unless_there_is_no_newer_view(market):
    kept, view = KeptPages(market, lambda _: None), market.renew()
    before = {seconds: replace(view, at=view.at - timedelta(seconds=seconds)) for seconds in (30, 70)}
    for seconds, earlier in before.items():
        kept.put(f"page of {seconds}", earlier, f"as of {seconds} seconds ago")
    assert kept.get("page of 30", view).body == b"as of 30 seconds ago"
    assert kept.get("page of 70", view) is None
    assert kept.get("page of 70", before[70]).body == b"as of 70 seconds ago"
    assert kept.get("page of 30", replace(view, mark=(*view.mark[:2], view.mark[2] + 1))) is None
    assert kept.get("another page", view) is None


def test_a_grant_ends_by_itself_also_while_the_ledger_does_not_answer(market):
    now, ana = datetime.now(UTC), Reader("ana@example.com")
    asked = requested("g1", "readings", "analyst", ana.name, "Planning.", (), ana.name, now - timedelta(days=2))
    grant = replace(asked, last="approved", until=now - timedelta(hours=1))
    view = replace(market.renew(), at=now - timedelta(hours=2), grants=KnownGrants((grant,)))
    kept = KeptPages(market, lambda _: ana)
    before = kept.seen(view, ana)
    product, address = view.plan.product("readings"), kept.address({"path": "/", "query_string": b"", "headers": []})
    assert before.reading.standing(product).sees == "role"
    kept.put(address, before, "as an analyst sees it")
    market.patient.away_since = now
    try:
        assert kept.seen(view, ana).reading.standing(product).sees == "nothing"
        assert kept.get(address, kept.seen(view, ana)) is None
    finally:
        market.patient.away_since = None


def test_a_page_about_some_products_is_kept_until_something_changes_of_these(market):
    kept, view = KeptPages(market, lambda _: None), market.renew()
    ago = {minutes: replace(view, at=view.at - timedelta(minutes=minutes)) for minutes in (5, 11)}
    for minutes, earlier in ago.items():
        kept.put(f"page of {minutes}", earlier, "text", about=["readings"])
    kept.put("whole", ago[5], "text")
    kept.put("a reader's", replace(ago[5], reader=Reader("ada")), "text", about=["readings"])
    later = replace(view, mark=(*view.mark[:2], view.mark[2] + 1), changed={"readings": ago[5].at, "summary": view.at})
    assert kept.get("page of 5", later).body == b"text", "something was written, and not about it"
    assert [kept.get(page, later) for page in ("page of 11", "whole", "a reader's")] == [None] * 3
    assert kept.get("page of 5", replace(later, changed={"readings": view.at})) is None
    assert kept.get("page of 5", replace(later, changed={})) is None, "it is gone"
    assert kept.get("page of 5", replace(later, same="somebody has decided of a grant")) is None


def test_pages_of_products_are_made_before_anybody_asks_and_again_when_something_has_changed(market):
    shop = Shop(market, environment(), FormToken(), KeptPages(market, lambda _: None))
    page_routes(shop)
    products = sorted(market.view().plan.by_name)
    assert list(due(shop)) == [], "nobody has asked for anything, so nobody knows how this server is called"
    shop.kept.asked = LastAsked(NOW, "", "http", "shop")
    asked_at = market._asked_at
    made = {request.url.path: answer(request, name).body for name, request, answer in due(shop)}
    assert sorted(made) == sorted(["/", "/domains", "/map", *(f"/products/{name}" for name in products)])
    assert all(b"http://shop/api" in made[f"/products/{name}"] for name in products)
    assert list(due(shop)) == []
    assert market._asked_at == asked_at, "what is made ahead is asked by nobody"
    with market.ledger.writing() as connection:
        write_review(connection, "readings", "Grace", 5, "", NOW)
    market.renew()
    assert {"", "readings"} <= {name for name, *_ in due(shop)}, "pages of the whole mesh are made of each snapshot"
    market._asked_at = datetime.now(UTC) - timedelta(minutes=11)
    assert list(due(shop)) == [], "nobody looks any more"


def test_what_was_made_first_goes_first_where_there_is_no_room(market, monkeypatch):
    kept, view = KeptPages(market, lambda _: None), market.renew()
    sizes = [len(kept.put(f"page {number}", view, f"{number}" * 100).packed) for number in range(3)]
    monkeypatch.setattr(kept_pages, "MOST_BYTES", sum(sizes))
    kept.put("page 1", view, "1" * 100)
    assert (len(kept.pages), kept.size) == (3, sum(sizes))
    kept.put("page 3", view, "3" * 100)
    assert list(kept.pages) == ["page 2", "page 1", "page 3"]


def test_the_clock_changes_a_product_too(market):
    first = market.renew()
    again = market.renew()
    assert dict(again.changed) == dict(first.changed) and max(first.changed.values()) <= first.at < again.at
    at = again.at + timedelta(seconds=5)
    moved = {name: replace(health, checks=tuple(replace(check, at=at) for check in health.checks)) for name, health in again.health.items()}
    later = replace(again, at=at, known=replace(again.known, health=moved))
    assert market._memories.changed(later) == again.changed, "what is judged by the clock is judged anew at each moment"
    late = mesh_overview(market.ledger, market.state, market.state, again.plan, again.at + timedelta(days=400), market._memories)
    assert late.changed["readings"] == late.at, "what was fresh is late"


def test_the_page_of_a_product_is_about_all_whose_health_it_shows(market):
    view = market.renew()
    assert around(view, "summary") >= {"summary", "readings"}


def test_reads_are_counted_in_the_next_view(market):
    before = market.renew().use.uses["readings"].reads
    with market.ledger.writing() as connection:
        record_read(connection, "readings", "measurements_file", "Ada", market.view().at, "download")
    assert market.renew().use.uses["readings"].reads == before + 1
