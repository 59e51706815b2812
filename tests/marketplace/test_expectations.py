"""The page on which a consumer proposes a promise: tried as they see the data, decided by the owner, whose reason they read."""

import re
import subprocess

import pytest

from tests.marketplace.test_people import as_, token
from tests.marketplace.test_product_pages import text

pytestmark = pytest.mark.slow
PAGE = "/products/readings/expect"
ANA, OWNER = as_("ana@example.com"), as_("plant-lead@example.com")
FILLED = {"title": "Degrees are there", "dimension": "completeness", "fields": "data_set: measurements\ncolumns: [degrees]\nat_least: 95"}
WISH = {**FILLED, "purpose": "Weekly planning.", "to": "ana@example.com"}


def sent(pages, who=ANA, do="try", **changed):
    form = pages.get(PAGE, headers=who).text
    return pages.post(PAGE, data={**WISH, "token": token(form), "do": do, **changed}, headers=who)


def test_a_consumer_tries_a_promise_and_proposes_it_and_the_owner_declines(pages, shop):
    assert f'href="{PAGE}"' in pages.get("/products/readings", headers=ANA).text
    tried = text(sent(pages, OWNER, to="plant-lead@example.com").text)
    assert "Degrees are there would be missed now" in tried and "Nothing is proposed yet." in tried
    assert "Degrees are there" not in text(pages.get("/inbox", headers=OWNER).text)

    assert sent(pages, do="propose").status_code == 303
    assert "this is proposed already, as e1" in text(sent(pages, do="propose").text)
    inbox = pages.get("/inbox", headers=OWNER).text
    assert "ana@example.com expects of" in text(inbox) and "Weekly planning." in inbox
    patch = pages.get("/expectations/e1/patch", headers=OWNER)
    subprocess.run(["git", "apply", "--check"], cwd=shop, input=patch.content, check=True)

    answer = {"token": token(inbox), "why": "Sensors sleep."}
    assert pages.post("/expectations/e1", data=answer, headers=OWNER).status_code == 303
    assert "declined by plant-lead@example.com: Sensors sleep." in text(pages.get(PAGE, headers=ANA).text)


def test_what_a_consumer_may_not_see_is_not_told_by_a_trial(pages):
    """Ana has no role: whether a value is there that only others see would be told otherwise, one guess after another."""
    page = text(sent(pages, fields="dimension: custom-sql\ndata_set: measurements\nfailing_rows: operator = 'Ada'").text)
    assert "cannot be told now" in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"fields": "a: &x [1]\nb: *x"}, "without anchors, aliases and tags"),
        ({"fields": "[" * 3000}, "the fields"),
        ({"fields": "!!python/object:os.system {}"}, "without anchors, aliases and tags"),
        ({"fields": "data_set: measurements\ncolumns: [degreess]\nat_least: 95"}, "degreess"),
        ({"fields": "data_set: measurements\nrename: x\nat_least: 95"}, "would have errors with it"),
        ({"fields": "x" * 4001}, "longer than 4000 characters"),
        ({"fields": f"data_set: measurements\ncolumns: [degrees]\nat_least: 0x{'f' * 3800}"}, "a value that cannot be written"),
        ({"fields": f"data_set: measurements\nat_least: {'[' * 400}{']' * 400}"}, "a value that cannot be written"),
        ({"purpose": ""}, "say what the expectation is for"),
        ({"title": "x" * 201}, "give the expectation a name"),
    ],
)
def test_a_form_that_says_no_promise_is_given_back_with_what_is_wrong(pages, changed, said):
    answer = sent(pages, **changed)
    assert (answer.status_code, said in text(answer.text)) == (422, True), text(answer.text)
    assert "Weekly planning." in answer.text or "purpose" in changed, "nothing that was typed is lost"


def test_a_date_without_quotes_is_a_date(pages, shop):
    fields = "dimension: validity\ndata_set: measurements\ncolumn: measured_at\nmin: 2024-01-01"
    assert sent(pages, OWNER, to="plant-lead@example.com", do="propose", title="None is old", fields=fields).status_code == 303
    answer = pages.get("/api/v1/products/readings/access", headers=OWNER).json()["expected"]
    assert [each["component"]["properties"]["min"] for each in answer if each["title"] == "None is old"] == ["2024-01-01"]
    name = next(each["name"] for each in answer if each["title"] == "None is old")
    patch = pages.get(f"/expectations/{name}/patch", headers=OWNER)
    subprocess.run(["git", "apply", "--check"], cwd=shop, input=patch.content, check=True)


def test_nobody_proposes_for_others_and_nobody_else_decides(pages):
    assert sent(pages, to="bob@example.com").status_code == 403
    sent(pages, do="propose", title="Another")
    name = re.search(r'class="sub mono">(e\d+)<', pages.get(PAGE, headers=ANA).text).group(1)
    form = {"token": token(pages.get(PAGE, headers=as_("eve@example.com")).text), "why": "No."}
    assert pages.post(f"/expectations/{name}", data=form, headers=as_("eve@example.com")).status_code == 403
    assert pages.get(f"/expectations/{name}/patch", headers=as_("eve@example.com")).status_code == 403
    assert pages.get("/expectations/e99/patch", headers=OWNER).status_code == 404
