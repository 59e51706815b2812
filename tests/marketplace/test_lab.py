"""The data lab: queries as the reader sees the data, within limits, recorded without results; and what a query cannot reach."""

import threading
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from platform_resources.ledger.people.lab_store import LabQuery, saved_queries
from platform_resources.ledger.people_tables import lab_queries
from platform_resources.marketplace.application import application, shown_as
from platform_resources.marketplace.kept_view import opened_market
from platform_resources.marketplace.lab import lab_queries as lab
from platform_resources.marketplace.lab.lab_queries import AT_ONCE, MOST_ROWS, LabQueue, QueryRefused
from platform_resources.marketplace.lab.result_charts import MOST_BARS, result_chart
from tests.marketplace.shop_mesh import opened_ledger
from tests.marketplace.test_people import as_, token
from tests.marketplace.test_product_pages import text

pytestmark = pytest.mark.slow
OWNER, EVE = as_("plant-lead@example.com"), as_("eve@example.com")
OPERATORS = "select distinct operator from readings.measurements"


def address(sql, page="/lab", **more):
    return f"{page}?{urlencode({'sql': sql, **more})}"


def csv(client, sql, who=OWNER, **more):
    return client.get(address(sql, "/lab/result.csv", **more), headers=who)


def test_each_reader_gets_their_own_view_at_the_same_address(pages, shop):
    assert csv(pages, OPERATORS).text == "operator\r\nAda\r\n"
    assert "readings.measurements" in text(pages.get("/lab", headers=OWNER).text)

    refused = pages.get(address(OPERATORS), headers=EVE)
    assert refused.status_code == 422 and "Ada" not in refused.text
    assert "eve@example.com has no grant for a role of readings" in text(refused.text)
    assert csv(pages, OPERATORS, EVE).status_code == 422
    assert "You may read nothing yet" not in pages.get("/lab", headers=OWNER).text

    app = application(opened_market(shop), watch=False, who=shown_as("product:summary"))
    with TestClient(app, base_url="http://127.0.0.1") as granted:
        answer = granted.get(address(OPERATORS, "/lab/result.csv"))
        assert answer.status_code == 200 and "Ada" not in answer.text


def test_a_sample_query_names_the_tables_of_its_product_without_the_product(pages):
    page = pages.get("/products/readings", headers=OWNER).text
    link = "/lab?" + page.partition('href="/lab?product=')[2].partition('"')[0].replace("&amp;", "&")
    link = link.replace("/lab?", "/lab?product=", 1)
    answer = text(pages.get(link, headers=OWNER).text)
    assert "3 rows" in answer and "24.00" in answer
    asked = pages.post("/api/v1/query", json={"sql": "select 1 from readings.measurements"}, headers=OWNER).json()
    (read,) = asked["read"]
    as_of = datetime.fromisoformat(read["as_of"]).astimezone(ZoneInfo("Europe/Berlin"))
    assert f"Sensor readings , data as of {as_of:%-d %b %H:%M} (version {read['version']})" in answer, answer


def test_a_result_is_paged_cut_and_shown_as_text(pages):
    many = "select m.reading_id, n, '<script>x</script>' as harm from readings.measurements m, range(100) as r(n)"
    page = pages.get(address(many, first=100), headers=OWNER).text
    assert f"More than {MOST_ROWS:,} rows" in text(page) and "Rows 101 to 200." in text(page)
    assert "<script>x" not in page and "&lt;script&gt;x" in page
    assert csv(pages, many).text.count("\r\n") == MOST_ROWS + 1
    assert "No row." in pages.get(address(f"{OPERATORS} where false"), headers=OWNER).text


CHARTS = {
    "names": (("sensor", "n"), [("north", "3"), ("south", "-1.5")], "n by sensor", "<rect", 2),
    "days": (("day", "n"), [("2024-06-02", "3"), ("2024-06-01", "4"), ("2024-06-03", None)], "n by day", "<path", 2),
    "numbers": (("year", "n", "m"), [("2024", "3", "1"), ("2025", "4", "2")], "n by year", "<path", 2),
    "the number behind": (("n", "sensor"), [("3", "north"), ("4", "south")], "n by sensor", "<rect", 2),
    "harm": (("<b>", "n"), [("<script>x</script>", "1"), ("b", "2")], "n by <b>", "<rect", 2),
}
NO_CHARTS = {
    "one row": (("sensor", "n"), [("north", "3")]),
    "no number": (("sensor", "operator"), [("north", "Ada"), ("south", "Ben")]),
    "nothing beside the number": (("n",), [("3",), ("4",)]),
    "a number beyond pictures": (("day", "n"), [("2024-06-01", "1.7e308"), ("2024-06-02", "-1.7e308")]),
    "no finite number": (("sensor", "n"), [("north", "inf"), ("south", "1")]),
    "one place": (("day", "n"), [("2024-06-01", "3"), ("2024-06-01", "4")]),
    "a column twice": (("n", "n"), [("3", "3"), ("4", "4")]),
    "nothing but null": (("sensor", "n"), [("north", None), ("south", None)]),
}


@pytest.mark.parametrize(("names", "rows", "title", "drawn", "times"), CHARTS.values(), ids=CHARTS)
def test_a_result_with_a_number_for_each_name_or_place_is_drawn(names, rows, title, drawn, times):
    chart = result_chart(names, rows)
    assert chart.title == title and chart.drawn.count(drawn) == times and "<script" not in chart.drawn
    assert result_chart(names, rows, "m").title == (title if len(names) < 3 else "m by year")


@pytest.mark.parametrize(("names", "rows"), NO_CHARTS.values(), ids=NO_CHARTS)
def test_what_a_picture_would_say_nothing_of_is_not_drawn(names, rows):
    assert result_chart(names, rows) is None


def test_many_names_are_drawn_as_far_as_one_can_read_them():
    chart = result_chart(("name", "n"), [(f"of a name {number}", str(number)) for number in range(1000)])
    assert (chart.drawn.count("<rect"), chart.note) == (MOST_BARS, "The first 30 of 1,000 rows.")


def test_null_and_the_empty_text_stay_two_things_in_a_file(pages):
    values = "(values (null, ''), ('a, b', ' x')) as v(one, two), (select 1 from readings.measurements limit 1)"
    assert csv(pages, f"select one, two from {values}").text == 'one,two\r\n,""\r\n"a, b"," x"\r\n'


def test_a_query_that_takes_too_long_is_ended(pages, monkeypatch):
    monkeypatch.setattr(lab, "TIME", timedelta(seconds=2))
    endless = (
        "select count(*) from readings.measurements m, range(100000000) a(n), range(100000000) b(n) where m.reading_id + a.n + b.n < 0"
    )
    answer = csv(pages, endless)
    assert answer.status_code == 422 and answer.text.startswith("broken off after 2s")


def test_what_was_asked_is_recorded_and_what_came_of_it_is_not(pages, shop):
    sql = "select max(degrees) as warmest from readings.measurements where 'asked once' <> ''"
    assert csv(pages, sql).text == "warmest\r\n24.00\r\n"
    ledger = opened_ledger(shop)
    with ledger.reading() as connection:
        (row,) = connection.execute(lab_queries.select().where(lab_queries.c.query == sql)).mappings().all()
    ledger.close()
    assert (row["person"], row["title"]) == ("plant-lead@example.com", "")
    assert "24.00" not in map(str, row.values())
    assert pages.get("/api/v1/products/readings", headers=OWNER).status_code == 200


def test_a_saved_query_is_found_by_others_and_taken_back_by_its_author_alone(pages, shop):
    def form(who, **fields):
        data = {"token": token(pages.get("/products/readings/access", headers=who).text), "title": "Operators", "sql": OPERATORS, **fields}
        return pages.post("/lab/saved", data=data, headers=who)

    assert form(OWNER).headers["location"] == address(OPERATORS)
    other = as_("other@example.com", "plant-data")
    assert "Operators" in pages.get("/lab", headers=other).text and "Operators" in pages.get("/lab?of=readings", headers=other).text
    assert "Operators" not in pages.get("/lab?of=summary", headers=other).text
    assert "Operators" not in pages.get("/lab", headers=EVE).text, "what a query says of a product is for those who may read the product"
    form(other, do="forget")
    assert "Operators" in pages.get("/lab", headers=other).text
    assert form(OWNER, title=" ").status_code == 403
    form(OWNER, do="forget")
    ledger = opened_ledger(shop)
    with ledger.reading() as connection:
        assert saved_queries(connection) == ()
    ledger.close()
    assert LabQuery.__slots__[-1] == "title"


ESCAPES = {
    "a file": "select * from readings.measurements, read_text('/etc/passwd')",
    "a file by its name": "select * from '/etc/passwd', readings.measurements",
    "a pattern": "select * from readings.measurements, glob('/**')",
    "two statements": f"{OPERATORS}; drop view readings.measurements",
    "writing": "copy (select * from readings.measurements) to '/tmp/lab_escape.csv'",
    "writing by explaining": "explain analyze copy (select * from readings.measurements) to '/tmp/lab_escape.csv'",
    "attaching": "attach '/tmp/lab_escape.duckdb' as readings",
    "settings": "set enable_external_access = true; select * from readings.measurements",
    "an extension": "install httpfs; select * from readings.measurements",
    "memory": "select length(repeat('x', 2000000000)) from readings.measurements",
    "no product": "select 1",
}


@pytest.mark.parametrize("sql", ESCAPES.values(), ids=ESCAPES)
def test_a_query_reaches_nothing_else(pages, sql):
    answer = csv(pages, sql)
    assert answer.status_code == 422, answer.text[:200]
    assert "root:" not in answer.text


def test_what_is_no_name_of_a_product_leads_to_no_file(pages, tmp_path):
    (tmp_path / "latest.json").write_text("no record")
    answer = csv(pages, "select 1", product=f"../../..{tmp_path}")
    assert answer.status_code == 422
    assert answer.text.endswith("is no name of a product\n")


def test_one_person_has_one_query_at_a_time_and_keeps_nobody_else_waiting(tmp_path):
    queue, of_another_process = LabQueue(tmp_path), LabQueue(tmp_path)
    with queue.place("eve"):
        with pytest.raises(QueryRefused, match="your former query still runs"), queue.place("eve"):
            pass
        with pytest.raises(QueryRefused, match="your former query still runs"), of_another_process.place("Eve"):
            pass
        with queue.place("ada"):
            pass
    with queue.place("eve"):
        pass


def test_more_queries_than_places_wait_and_are_told_when_it_takes_too_long(tmp_path):
    queue, entered = LabQueue(tmp_path), []
    with queue.place("a"), queue.place("b"):
        assert AT_ONCE == 2
        with pytest.raises(QueryRefused, match="take all places"), queue.place("c", wait=0.01):
            pass
        waiting = threading.Thread(target=lambda: entered.append(queue.place("c", wait=60).__enter__()()))
        waiting.start()
    waiting.join(300)
    assert entered == [False]
