"""Places in the data lab: what is kept, stopped, refused for one person's many queries, and given in other forms."""

import threading

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.marketplace.api import record_routes
from platform_resources.marketplace.lab import lab_queries as lab
from platform_resources.marketplace.lab.lab_queries import MOST_WAITING, LabQueue, QueryRefused
from platform_resources.marketplace.people.auth_settings import auth_settings
from tests.marketplace.test_lab import EVE, OWNER, address, csv
from tests.marketplace.test_people import BEHIND_PROXY, browser, token
from tests.marketplace.test_records import rows_of
from tests.meshes import edited, product_file

pytestmark = pytest.mark.slow


def test_what_a_product_names_is_kept_for_its_version_and_view_and_counted_each_time(pages, shop, monkeypatch):
    sample = next(query for product in read_plan(shop)[0].products if product.name == "readings" for query in product.sample_queries)
    first = pages.get(address(sample.sql, product="readings"), headers=OWNER)
    monkeypatch.setattr(lab, "answer_over", lambda *_: pytest.fail("it was run anew"))
    again = pages.get(address(sample.sql, product="readings"), headers=OWNER)
    assert first.status_code == again.status_code == 200 and "24.00" in again.text
    assert pages.get(address(sample.sql, product="readings"), headers=EVE).status_code == 422
    monkeypatch.undo()
    moving = "select now() - timestamptz '2020-01-01' as since from measurements limit 1"
    edited(shop, product_file("plant", "readings"), sample.sql, moving)
    with browser(shop, auth_settings(BEHIND_PROXY)) as later:
        (first, again) = (later.get(address(moving, product="readings"), headers=OWNER).text for _ in range(2))
    assert "since" in first and first != again, "what another moment answers otherwise is not kept"


def test_an_answer_of_few_and_long_rows_does_not_fill_the_memory_of_the_server(pages, shop):
    """In the form of a file it is sent from the disk."""
    port = "/api/v1/ports/plant/readings/measurements_file/records"
    long = "select repeat('x', 40000) as a from (select 1 from readings.measurements limit 1), range(2000)"
    refused = pages.get(address(long), headers=OWNER)
    assert refused.status_code == 422 and "the answer is larger than 64 MiB; read fewer rows or columns" in refused.text
    assert len(csv(pages, long).content) > 2**26
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_routes, "LARGEST_JSON", 10)
        refused = pages.get(port, headers=OWNER)
        assert refused.status_code == 422 and "take a smaller limit, or another form, such as ndjson" in refused.json()["error"]
        assert pages.get(port, params={"format": "ndjson"}, headers=OWNER).status_code == 200


def test_a_person_stops_their_query_from_anywhere(pages):
    endless = (
        "select count(*) from readings.measurements m, range(100000000) a(n), range(100000000) b(n) where m.reading_id + a.n + b.n < 0"
    )
    form = token(pages.get("/products/readings/access", headers=OWNER).text)
    answers = []
    running = threading.Thread(target=lambda: answers.append(csv(pages, endless)))
    running.start()
    while running.is_alive():
        assert pages.post("/lab/stop", data={"token": form}, headers=OWNER).status_code == 303
        running.join(0.5)
    assert answers[0].text.startswith("stopped")


def test_whoever_sends_many_queries_takes_no_place_from_others(tmp_path):
    queue, refused = LabQueue(tmp_path), []

    def ask():
        try:
            with queue.place("eve", own_wait=60):
                pass
        except QueryRefused as error:
            refused.append(str(error))

    with queue.place("eve"):
        waiting = [threading.Thread(target=ask) for _ in range(10)]
        for each in waiting:
            each.start()
        while len(refused) < 10 - MOST_WAITING:
            threading.Event().wait(0.01)
        with queue.place("ada", wait=0.01):
            pass
    for each in waiting:
        each.join(300)
    assert refused == [f"{MOST_WAITING} of your queries wait already"] * (10 - MOST_WAITING)


@pytest.mark.parametrize("form", ["parquet", "arrow", "ndjson"])
def test_a_result_is_given_in_the_forms_of_programs_too(pages, form):
    answer = pages.get(address("select count(*) as n from readings.measurements", f"/lab/result.{form}"), headers=OWNER)
    assert answer.status_code == 200 and rows_of(form, answer.content) == [{"n": 407}]
