"""Changes of a port: a consumer that takes all of them, from nothing or from any version, has exactly the newest version as it may see it."""

from datetime import timedelta

import duckdb
import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.marketplace.people.auth_settings import auth_settings
from platform_resources.publications.port_changes import ChangeCursor, change_cursor, change_of, changes_sql
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.publishing import Candidate, publish
from platform_resources.warehouses.duckdb.product_database import opened
from tests.marketplace.shop_mesh import NOW
from tests.marketplace.test_people import BEHIND_PROXY, as_, browser
from tests.meshes import edited, product_file

pytestmark = pytest.mark.slow
OWNER, EVE, ANA = as_("plant-lead@example.com"), as_("eve@example.com"), as_("ana@example.com")
PORT = "/api/v1/ports/plant/readings/measurements_file"


@pytest.fixture(scope="module")
def pages(shop):
    granted = "{role: analyst, to: ana@example.com, purpose: Reporting., approved_by: plant-lead@example.com}"
    edited(shop, product_file("plant", "readings"), "grants: [", f"grants: [{granted}, ")
    with browser(shop, auth_settings(BEHIND_PROXY)) as client:
        yield client


def ask(pages, who=OWNER, **query):
    answer = pages.get(f"{PORT}/changes", params=query, headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()


def taken(pages, who, rows, cursor, limit):
    """Apply all changes behind the cursor to the rows, which are kept by key; gives the cursor behind them and how many there were."""
    count = 0
    while True:
        answer = ask(pages, who, after=cursor, limit=limit)
        for change in answer["changes"]:
            key = change["key"]["reading_id"]
            assert rows.get(key) == change["before"], "what was before is what the consumer has"
            if change["op"] == "delete":
                del rows[key]
            else:
                assert (change["op"] == "insert") == (key not in rows)
                rows[key] = change["after"]
        count += len(answer["changes"])
        cursor = answer["next"]
        if answer["is_newest"]:
            return cursor, count


def records(pages, who):
    """The newest version as the person sees it, by key."""
    rows = pages.get(f"{PORT}/records", params={"limit": 10_000}, headers=who).json()["rows"]
    return {row["reading_id"]: row for row in rows}


def seen_at(pages, who, version):
    return {
        row["reading_id"]: row
        for row in pages.get(f"{PORT}/records", params={"limit": 10_000, "version": version}, headers=who).json()["rows"]
    }


@pytest.mark.parametrize("limit", [1000, 150])
@pytest.mark.parametrize("who", [OWNER, ANA], ids=["owner", "masked"])
def test_who_replays_from_nothing_has_exactly_the_newest_version(pages, who, limit):
    rows = {}
    cursor, _ = taken(pages, who, rows, "", limit)
    assert rows == records(pages, who) and len(rows) > 400
    assert taken(pages, who, rows, cursor, limit) == (cursor, 0)


@pytest.fixture(scope="module")
def later(shop, pages):
    """Two versions after those of the shop: rows are gone, new, and different; then a column has another type and one is new."""
    product, before = read_plan(shop)[0].product("readings"), []
    for minutes, sql in enumerate(
        (
            "delete from internal.measurements where reading_id % 5 = 0; insert into internal.measurements select 1000 + reading_id, sensor, "
            "null, measured_at, operator, processed_at from internal.measurements where reading_id < 20; "
            "update internal.measurements set degrees = null where reading_id = 3",
            "alter table internal.measurements alter degrees type double; update internal.measurements set degrees = 0.5 where reading_id = 8",
        ),
        1,
    ):
        before.append(shelf(shop, "plant", "readings").latest().id)
        with opened(shop / "warehouse/plant/readings.duckdb") as database:
            database.connection.execute(sql)
            publish(database, Candidate(product, shop, NOW + timedelta(minutes=minutes), f"run{minutes}", "print"), {})
    return before


@pytest.mark.parametrize("who", [OWNER, ANA], ids=["owner", "masked"])
def test_who_goes_on_from_any_version_that_is_kept_has_exactly_the_newest(pages, shop, later, who):
    published = shelf(shop, "plant", "readings").published()
    version = published[-4 if who == OWNER else -3].id
    rows = seen_at(pages, who, version)
    as_seen = change_cursor(ask(pages, who, limit=1)["next"]).seen_until
    _, count = taken(pages, who, rows, ChangeCursor(version, as_seen).text, 10_000)
    assert rows == records(pages, who) and count > 100


def test_a_change_tells_what_was_done_to_which_row(pages, later):
    answer = ask(pages, after=ChangeCursor(later[0]).text, limit=10_000)
    assert (answer["since"], answer["until"], answer["key"], answer["is_newest"]) == (later[0], later[1], ["reading_id"], False)
    by_key = {change["key"]["reading_id"]: change for change in answer["changes"]}
    assert {change["op"] for key, change in by_key.items() if key % 5 == 0 and key < 1000} == {"delete"}
    assert {change["op"] for key, change in by_key.items() if key >= 1000} == {"insert"}
    assert (by_key[3]["op"], by_key[3]["before"]["degrees"], by_key[3]["after"]["degrees"]) == ("update", "21.00", None)
    assert by_key[3]["before"]["processed_at"] == by_key[3]["after"]["processed_at"]
    assert 8 not in by_key
    following = ask(pages, after=answer["next"])
    assert [
        (change["key"]["reading_id"], change["after"]["degrees"]) for change in following["changes"] if change["key"]["reading_id"] == 8
    ] == [(8, 0.5)]
    assert following["is_newest"]


@pytest.mark.parametrize(
    ("who", "query", "status", "told"),
    [
        (EVE, {}, 403, "no grant"),
        (OWNER, {"after": "nonsense"}, 400, "this is no cursor"),
        (OWNER, {"after": ChangeCursor("20200101T000000.000000Z").text}, 410, "version 20200101T000000.000000Z is not kept any more"),
        (OWNER, {"limit": 0}, 400, "limit"),
    ],
)
def test_what_cannot_be_told_is_refused_with_what_to_do(pages, who, query, status, told):
    answer = pages.get(f"{PORT}/changes", params=query, headers=who)
    assert answer.status_code == status and told in answer.text


def test_who_sees_something_else_than_before_begins_anew(pages):
    everything = ask(pages, OWNER, limit=10_000)["next"]
    answer = pages.get(f"{PORT}/changes", params={"after": everything}, headers=ANA)
    assert answer.status_code == 410
    assert answer.json()["error"] == "what you may see of this port has changed"


def test_a_column_may_be_called_as_it_likes():
    columns = {"id": "integer", "there": "varchar", "a": "varchar", "b": "varchar"}
    with duckdb.connect() as connection:
        connection.execute("create table before as select 1 as id, 'x' as there, 'a' as a, 'b' as b")
        connection.execute("create table after as select 1 as id, 'y' as there, 'a' as a, 'b' as b")
        found = connection.sql(changes_sql(columns, columns, ("id",), 10, 0))
        (row,) = [change_of(dict(zip(found.columns, row, strict=True)), ("id",)) for row in found.fetchall()]
    assert (row["op"], row["before"]["there"], row["after"]) == ("update", "x", {"id": 1, "there": "y", "a": "a", "b": "b"})


@pytest.mark.parametrize(
    ("before", "after", "is_told"),
    [
        ("cast(0.0 as double)", "-cast(0.0 as double)", True),
        ("cast('nan' as double)", "cast('nan' as double)", False),
        ("{'x': cast(0.0 as double)}", "{'x': -cast(0.0 as double)}", True),
        ("interval 30 days", "interval 1 month", True),
        ("cast(7 as integer)", "cast(7 as bigint)", False),
        ("cast(1.5 as decimal(4,1))", "cast(1.5 as decimal(6,1))", False),
        ("cast(1.5 as decimal(4,1))", "cast(1.5 as double)", True),
        ("cast(7 as integer)", "'7'", True),
        ("true", "'true'", True),
        ("cast(null as integer)", "cast(null as varchar)", False),
        ("cast('2024-06-01 00:00+00' as timestamptz)", "'2024-06-01 00:00:00+00'", True),
    ],
)
def test_a_value_that_is_written_otherwise_is_told_though_it_may_be_equal(before, after, is_told):
    with duckdb.connect() as connection:
        connection.execute(f"create table before as select 1 as id, {before} as v; create table after as select 1 as id, {after} as v")
        kinds = [
            {name: str(kind).lower() for name, kind, *_ in connection.sql(f"describe {table}").fetchall()} for table in ("before", "after")
        ]
        assert bool(connection.sql(changes_sql(kinds[0], kinds[1], ("id",), 10, 0)).fetchall()) is is_told


def test_who_has_a_version_that_does_not_show_what_is_offered_now_begins_anew(pages, shop, later):
    """Once a role sees less, no former version shows just that; the newest can be read."""
    answer = ask(pages, ANA, limit=10)
    until, seen = answer["until"], change_cursor(answer["next"]).seen_until
    edited(shop, product_file("plant", "readings"), "masked: [personal]", "masked: []")
    cursors = (ChangeCursor(until, seen), ChangeCursor(later[0], seen), ChangeCursor(later[0], seen, until, seen, 10))
    with browser(shop, auth_settings(BEHIND_PROXY)) as market:
        without = market.get(f"{PORT}/changes", params={"after": cursors[0].text}, headers=ANA)
        assert without.status_code == 403, "nothing is published yet that shows this"
        with opened(shop / "warehouse/plant/readings.duckdb") as database:
            product = read_plan(shop)[0].product("readings")
            publish(database, Candidate(product, shop, NOW + timedelta(minutes=9), "run9", "print"), {})
        for cursor in cursors:
            answer = market.get(f"{PORT}/changes", params={"after": cursor.text}, headers=ANA)
            assert (answer.status_code, answer.json()["error"]) == (410, "what you may see of this port has changed")
        assert "operator" not in ask(market, ANA)["columns"]


def test_who_has_rows_by_another_key_begins_anew(pages, shop, later):
    held = ask(pages, OWNER, limit=10_000)["next"]
    with opened(shop / "warehouse/plant/readings.duckdb") as database:
        database.connection.execute("alter table internal.measurements alter reading_id type varchar")
        publish(database, Candidate(read_plan(shop)[0].product("readings"), shop, NOW + timedelta(minutes=12), "run12", "print"), {})
    of_another_type = pages.get(f"{PORT}/changes", params={"after": held}, headers=OWNER)
    held = ask(pages, OWNER, limit=10_000)["next"]
    edited(shop, product_file("plant", "readings"), "primary_key: [reading_id]", "primary_key: [reading_id, sensor]")
    with browser(shop, auth_settings(BEHIND_PROXY)) as market:
        of_more_columns = market.get(f"{PORT}/changes", params={"after": held}, headers=OWNER)
        assert ask(market, OWNER, limit=1)["key"] == ["reading_id", "sensor"]
    for answer in (of_another_type, of_more_columns):
        assert (answer.status_code, answer.json()["error"]) == (410, "the key of this port has changed")
