"""The pages of one mesh: what stands on them, and that nothing that teams write can do harm."""

import re
import shutil
from datetime import timedelta

import httpx
import pytest
from markupsafe import Markup

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.people.certifications import note_certified
from platform_resources.ledger.people.consumer_answers import ConsumerAnswer, write_answers
from platform_resources.ledger.queries.reads import note_use, record_read
from platform_resources.marketplace.display.phrases import VERDICTS
from platform_resources.marketplace.display.promise_rows import PromiseRow
from platform_resources.marketplace.product_page import clock_text, dagster_page, shown_promises
from platform_resources.promises.grades import CheckState
from tests.marketplace.shop_mesh import NOW, README, opened_ledger, served
from tests.meshes import edited, product_file
from tests.refresh.running import mesh

pytestmark = pytest.mark.slow


def text(html):
    """What a person reads of a page."""
    return re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style|svg).*?</\1>", " ", html, flags=re.S)))


@pytest.fixture(scope="module")
def readings(client):
    return client.get("/products/readings").text


def test_home_says_what_is_wrong_before_anything_else(client):
    home = client.get("/")
    assert home.status_code == 200
    assert "2 products, 2 domains: 1 use with care and 1 healthy." in text(home.text)
    assert home.text.index("Sensor readings") < home.text.index("Sensor summary")
    assert "Most readings have a temperature: 50\u00a0%; 60\u00a0% is promised." in text(home.text)


def test_a_product_page_opens_with_one_sentence_that_names_the_column_concerned(readings):
    assert "Use with care: 1 of 3 promises is missed. Everything but degrees is as promised." in text(readings)


def test_neighbours_are_in_the_lineage_and_not_among_similar_products(readings):
    (similar,) = re.findall(r'<section class="card" id="similar".*?</section>', readings, flags=re.S)
    assert "those that it reads, and those that read it, are in its lineage" in text(similar)
    assert "/products/summary" not in similar and "/products/summary" in readings


def test_each_letter_stands_beside_its_evidence_and_what_is_not_known_says_so(readings, client):
    (graded,) = re.findall(r'<section class="sec" id="grade".*?</section>', readings, flags=re.S)
    score = client.get("/api/v1/products/readings/score").json()
    assert f"{score['total']} of 100" in text(graded)
    assert f"the weakest letter decides it, {score['weakest']} with {min(score['letters'].values())}" in text(graded)
    assert "Declared: 1 sample queries. Seen: 1 of 1 give rows (100%)." in text(graded)
    assert "No evidence: it has run for less than 30 days." in text(graded)
    assert "What would raise it, the most for the least work first" in text(graded)
    assert "Not computed yet." in text(client.get("/products/summary").text)


def test_each_promise_stands_beside_its_proof(readings):
    rows = re.findall(r'<li id="promise-(\w+)">(.*?)</li>', readings, flags=re.S)
    assert [name for name, _ in rows] == ["most_readings_have_a_temperature", "refreshed_daily", "readings_are_never_deleted"]
    assert "50\u00a0% 60\u00a0% promised" in text(rows[0][1])
    assert "Missed:" in text(rows[0][1])
    assert "Stops publication" in text(rows[2][1])


def test_each_test_and_monitor_that_is_no_promise_is_listed_with_what_it_said(readings, shop):
    (listed,) = re.findall(r'<details class="fold sec-t" id="checks">(.*?)</details>', readings, flags=re.S)
    product = read_plan(shop)[0].product("readings")
    others = [check for check in product.checks if check.kind != "objective"]
    assert listed.count("<tr>") - 1 == len(others) + len(product.indicators)
    for check in others:
        assert check.title in text(listed)
    assert "Refreshed on most days Over a window" in text(listed)


def test_a_promise_over_a_window_is_a_strip_with_its_budget_in_words(readings):
    row = re.search(r'<li id="promise-refreshed_daily">(.*?)</li>', readings, flags=re.S).group(1)
    assert 'class="c strip"' in row
    assert re.search(r"Met on \d of \d counted days, 80 % promised\.", text(row))
    assert "Counted next at" in text(row)


def test_columns_have_their_profile_but_values_of_personal_ones_are_hidden(readings):
    assert re.search(r"degrees decimal\(6,2\) Temperature; empty when the sensor was off\. In C\.", text(readings))
    assert "Ada" not in readings
    assert "values hidden" in readings


def test_what_a_version_was_made_of_and_how_many_there_are_is_said(readings):
    assert text(readings).count("407 rows") >= 1
    assert "older versions that can be read" in readings or readings.count('class="when') >= 5


def test_a_readme_can_do_no_harm(readings):
    about = readings[readings.index('id="about"') :]
    assert "<script" not in about.replace("</main>", "").split("</section>")[0]
    assert 'href="javascript' not in about.split("</section>")[0]
    assert "&lt;script&gt;" in about, "it is shown as the text that it is"
    assert 'href="#readme-when-it-breaks"' in about and 'id="readme-when-it-breaks"' in about
    assert "https://example.com" in README and 'href="https://example.com"' in about


def test_a_description_can_do_no_harm(client):
    page = client.get("/products/summary").text
    assert "&lt;script&gt;document.title" in page
    assert "<script>document" not in page and "<img" not in page


def test_what_there_is_not_is_said_with_what_may_be_meant(client):
    answer = client.get("/products/reading")
    assert answer.status_code == 404
    assert "There is no product “reading”" in answer.text and "readings" in answer.text
    assert client.get("/nowhere").status_code == 404


def test_a_page_leads_to_dagster_where_its_address_is_known_and_holds_no_password(shop):
    product = read_plan(shop)[0].product("readings")
    assert dagster_page(product, {"MESH_DAGSTER_URL": "http://localhost:3000/"}) == "http://localhost:3000/assets/readings"
    for address in ("", "javascript:alert(1)", "https://ada:secret@dagster.example.com"):
        assert dagster_page(product, {"MESH_DAGSTER_URL": address}) == ""


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 5 * * *", "daily at 05:00"),
        ("30 * * * *", "hourly at minute 30"),
        ("*/5 * * * *", "by the clock: */5 * * * *"),
        ("0 6-8 * * *", "by the clock: 0 6-8 * * *"),
        ("0 5 * * 1", "by the clock: 0 5 * * 1"),
    ],
)
def test_a_schedule_is_said_in_words_where_it_is_a_time_of_each_day_or_hour(cron, words):
    assert clock_text(cron) == words


@pytest.mark.parametrize(
    ("missed", "watched", "met", "shown"),
    [(0, 0, 3, 6), (0, 0, 9, 6), (8, 0, 2, 8), (1, 7, 4, 8)],
)
def test_promises_are_folded_only_where_they_are_simply_met(missed, watched, met, shown):
    rows = [row("missed"), row("met", "Met on 3 of 3 days."), row("met")]
    assert shown_promises([rows[0]] * missed + [rows[1]] * watched + [rows[2]] * met) == shown


def row(verdict, caption=""):
    check = CheckState("share", "Share", "objective", "completeness", False, verdict, "words", None)
    return PromiseRow(VERDICTS[verdict], check, "", False, Markup(""), caption, "1", "", (), "")


def test_what_consumers_answered_and_what_is_newly_certified_is_shown(made_shop, tmp_path):
    mesh = shutil.copytree(made_shop, tmp_path / "mesh", symlinks=True)
    ledger = opened_ledger(mesh)
    with ledger.writing() as connection:
        write_answers(connection, [ConsumerAnswer("summary", "plant_dashboard", NOW, False, "3 of 40 cells fail, Ada says")])
        note_certified(connection, ["readings", "summary"], [], NOW)
    ledger.close()
    edited(mesh, product_file("plant", "readings"), "version: 1.1.0", "version: 1.1.0\n        certified: true")
    with served(mesh) as address, httpx.Client(base_url=address, timeout=300) as client:
        used = client.get("/products/summary").text
        consumers = text(used[used.index('id="consumers"') : used.index('id="used"')])
        assert "Broken reported" in consumers and "3 of 40 cells fail, Ada says." in consumers
        home = client.get("/").text
        certified = text(home[home.index('id="h-cert"') : home.index('id="h-dom"')])
        assert "Sensor readings" in certified and "Sensor summary" not in certified, "it is not certified any more"
        answer = client.get("/api/v1/products/summary/lineage").json()["consumers"][0]["answer"]
        assert (answer["answers"], answer["said"]) == (False, "3 of 40 cells fail, Ada says")


def test_how_often_columns_were_read_is_shown_as_far_as_a_warehouse_tells_it(made_shop, tmp_path):
    root = shutil.copytree(made_shop, tmp_path / "mesh", symlinks=True)
    read = {"product": "readings", "port": "measurements_sql", "reader": "ana@example.com", "at": NOW - timedelta(hours=1)}
    ledger = opened_ledger(root)
    with ledger.writing() as connection:
        note_use(connection, [{**read, "columns": ["degrees", "sensor"]}, {**read, "columns": ["degrees"]}], [], NOW)
        record_read(connection, "readings", "measurements_sql", "ben@example.com", NOW - timedelta(hours=1), "query")
    ledger.close()
    with served(root) as address, httpx.Client(base_url=address, timeout=300) as client:
        page, other = (text(client.get(f"/products/{name}").text) for name in ("readings", "summary"))
        assert "Columns, as the warehouse has noted it: degrees (2 reads) and sensor (1 read)." in page
        assert "How much it is used" in other and "as the warehouse has noted it" not in other
        reads = client.get("/api/v1/products/readings").json()["trust"]["reads"]["by_port"]["measurements_sql"]
        assert (reads["count"], reads["columns"]) == (3, {"degrees": 2, "sensor": 1})
    status = mesh(root, "status", "readings").stdout
    assert re.search(r"reads of columns in 30 days\s+column\s+reads noted by the warehouse\s+degrees\s+2\s+sensor\s+1\s", status), status
