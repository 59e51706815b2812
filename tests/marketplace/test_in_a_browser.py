"""The pages in a real browser: by mouse, by keyboard only, without JavaScript, on a phone, in the dark, and as a screen reader is told."""

import re
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from benchmarks.five_minutes import MOST_SECONDS, Story, five_minutes, told

CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt-get install chromium")]
ARGUMENTS = "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync --no-first-run"
PAGES = (
    "/",
    "/products/readings",
    "/products/summary/columns/warmest",
    "/search?q=temprature",
    "/compare?p=readings&p=summary",
    "/domains",
    "/domains/plant",
    "/map",
    "/map/plant",
    "/incidents",
    "/incidents/readings/1",
    "/candidates",
    "/inbox",
    "/new",
    "/tokens",
    "/lab",
    "/lab?sql=select+*+from+readings.measurements",
    "/products/readings/access",
    "/products/readings/expect",
    "/sign-in",
    "/api",
    "/nowhere",
)
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# Both widths and both themes, each once.
SCREENS = {"desktop": {"viewport": DESKTOP}, "phone in the dark": {"viewport": PHONE, "color_scheme": "dark"}}


@pytest.fixture(scope="module")
def browser():
    expect.set_options(timeout=60_000)  # a page that is slow is no page that is wrong
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        yield found
        found.close()


@pytest.fixture
def opened(browser, address):
    """Opens a page of the marketplace; whatever a page complains about fails the test."""
    contexts, complaints = [], []

    def open_page(path="/", **settings):
        context = browser.new_context(base_url=address, **{"viewport": DESKTOP, **settings})
        contexts.append(context)
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [each for each in complaints if "404" not in each] == []


def focused(page):
    return page.evaluate("document.activeElement.outerHTML.slice(0, 200)")


def test_a_person_without_access_has_a_file_of_the_data_within_five_minutes(browser, address):
    """The way that `make five-minutes` measures at a person's pace; here nobody takes their time."""
    words = {"words": "temprature", "product": "Sensor readings", "role": "analyst", "purpose": "Is it warm?", "query": "Warmest first"}
    watch, download = five_minutes(browser, address, Story("newcomer@example.com", "plant-lead@example.com", **words), pace=0)
    header, *rows = download.path().read_text().splitlines()
    assert header.startswith("reading_id,sensor,degrees") and len(rows) == 3 and "Ada" not in "".join(rows)
    assert len(watch.steps) == 7 and watch.seconds < MOST_SECONDS and "3 rows in a file after 0." in told(watch, 3)


def test_the_lab_completes_tables_and_columns_and_runs_by_keyboard(opened):
    page = opened("/lab")
    editor, offered = page.get_by_label("SQL"), page.locator(".cm-tooltip-autocomplete")
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.type("select count(*) from readings.", delay=20)
    expect(offered).to_contain_text("measurements")
    page.wait_for_timeout(100)  # an Enter that comes sooner is not meant for what is offered
    page.keyboard.press("Enter")
    page.keyboard.type(" m where m.deg", delay=20)
    expect(offered).to_contain_text("degrees")
    page.wait_for_timeout(100)
    page.keyboard.press("Tab")
    page.keyboard.type(" > 0 and oper", delay=20)
    expect(offered).to_contain_text("readings.measurements")
    page.wait_for_timeout(100)
    page.keyboard.press("Enter")
    page.keyboard.type(" = 'Ada'")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Result")).to_be_visible()
    expect(editor).to_have_text("select count(*) from readings.measurements m where m.degrees > 0 and operator = 'Ada'")
    plain = opened("/lab", java_script_enabled=False)
    plain.get_by_label("SQL").fill("select sensor, count(*) as n from readings.measurements group by sensor")
    plain.get_by_role("button", name="Run", exact=True).click()
    expect(plain.get_by_role("img", name="n by sensor")).to_be_visible()


def test_from_a_typing_error_to_the_columns_and_a_download(opened):
    page = opened()
    page.get_by_label("Search products, columns and queries").fill("temprature")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("was looked for")).to_contain_text("temperature")
    page.get_by_role("heading", name="Sensor readings").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sensor readings")
    expect(page.get_by_text("Everything but degrees is as promised.")).to_be_visible()
    page.get_by_role("link", name="Columns", exact=True).click()
    expect(page.locator("#column-measurements-degrees")).to_be_in_viewport()
    with page.expect_download() as download:
        page.locator("#port-measurements_file").get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "measurements.parquet"
    assert download.value.path().read_bytes()[:4] == b"PAR1"


def test_search_answers_while_one_types_and_facets_narrow_down_at_once(opened):
    page = opened("/search")
    expect(page.locator("h1")).to_have_text("2 products")
    page.locator("#q").press_sequentially("sumary", delay=20)
    expect(page.locator("h1")).to_have_text("1 product for “sumary”")
    assert "q=sumary" in page.url
    page.locator("#q").fill("")
    expect(page.locator("h1")).to_have_text("2 products")
    page.get_by_role("group", name="Domain").get_by_label("plant").check()
    expect(page.locator("h1")).to_have_text("1 product")
    expect(page.get_by_role("group", name="Domain").get_by_role("checkbox", name="Plant")).to_be_checked()
    assert "domain=plant" in page.url


def test_lineage_leads_from_product_to_product(opened):
    page = opened("/products/readings")
    picture = page.get_by_role("group", name="Lineage picture")
    expect(picture).to_contain_text("Plant dashboard" if "Plant dashboard" in picture.inner_text() else "Sensor summary")
    picture.get_by_role("link", name="Sensor summary").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sensor summary")
    expect(page.get_by_role("group", name="Lineage picture")).to_contain_text("Plant dashboard")


def test_a_column_is_followed_from_product_to_product(opened):
    page = opened("/products/summary")
    page.locator("#column-sensors-warmest").get_by_role("link", name="degrees").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("degrees")
    expect(page.get_by_role("region", name="Made from")).to_contain_text("source deliveries")
    page.get_by_role("region", name="Used in").get_by_role("link", name="warmest").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("warmest")
    expect(page.get_by_role("region", name="Made from")).to_contain_text("Decides which rows there are")


def test_products_are_compared_side_by_side(opened):
    page = opened("/compare?p=readings")
    page.get_by_label("Add one").select_option("Sensor summary")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare 2 products")
    expect(page.get_by_role("row", name=re.compile("^Health"))).to_contain_text("Use with care")
    page.get_by_role("link", name="Take Sensor readings away").click()
    expect(page.get_by_role("columnheader", name="Sensor readings")).to_have_count(0)


def test_everything_works_by_keyboard_alone(opened):
    page = opened()
    page.keyboard.press("Tab")
    assert "Skip to content" in focused(page)
    page.keyboard.press("Enter")
    page.goto("/products/readings")
    page.keyboard.press("/")
    assert 'type="search"' in focused(page)
    page.keyboard.type("summary")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("1 product for “summary”")
    page.get_by_role("heading", name="Sensor summary").get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sensor summary")
    fold = page.locator("details.fold > summary").first
    fold.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details.fold").first).to_have_attribute("open", "")


def test_without_javascript_one_finds_reads_and_narrows_down(opened):
    page = opened("/search", java_script_enabled=False)
    page.locator("#q").fill("temprature")
    page.get_by_role("button", name="Search").click()
    assert "q=temprature" in page.url
    expect(page.locator("h1")).to_contain_text("product")
    page.goto("/search")
    page.locator('input[name="domain"][value="office"]').check()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("h1")).to_have_text("1 product")
    page.goto("/products/readings")
    page.locator("summary", has_text="Python").first.click()
    expect(page.locator("pre", has_text="duckdb").first).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)


def test_harm_in_texts_of_teams_does_nothing(opened):
    for path in ("/products/summary", "/products/readings", "/search?q=sensor", "/"):
        page = opened(path)
        assert "harmed" not in page.title()
        assert page.locator("img").count() == 0


def test_light_and_dark_can_be_chosen_and_are_kept(opened):
    page = opened("/", color_scheme="light")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_fits_and_can_be_read_by_everybody(opened, screen):
    page, wide, findings = opened("/", **SCREENS[screen]), [], {}
    for path in PAGES:
        page.goto(path)
        wide += [path] if is_too_wide(page) else []
        if serious := serious_findings(page):
            findings[path] = serious
    assert wide == []
    assert findings == {}


def is_too_wide(page):
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def serious_findings(page):
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found if each["impact"] in ("serious", "critical")]


def test_a_new_product_is_begun_on_a_phone_in_the_dark(opened):
    page = opened("/new", **SCREENS["phone in the dark"])
    rows = "".join(f"{n},p{n}@example.com\n" for n in range(30))
    page.locator("#file").set_input_files({"name": "visits.csv", "mimeType": "text/csv", "buffer": f"visit_id,mail\n{rows}".encode()})
    page.get_by_role("button", name="Look at it").first.click()
    expect(page.get_by_label("Class of mail")).to_have_value("personal", timeout=120_000)
    assert (is_too_wide(page), serious_findings(page)) == (False, [])


def test_an_incident_is_acknowledged_resolved_and_reopened(opened):
    page = opened("/incidents")
    page.get_by_role("link", name="Sensor readings").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Most readings have a temperature")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    page.locator("summary", has_text="Resolve").click()
    page.get_by_label("False alarm").check()
    page.get_by_label("What others should know").fill("the sensor was off")
    page.get_by_role("button", name="Resolve", exact=True).click()
    expect(page.locator("ol.time")).to_contain_text("the sensor was off")
    page.get_by_role("button", name="Reopen").click()
    expect(page.locator("ol.time li").nth(1)).to_contain_text("Reopened")


def test_on_a_phone_columns_are_folded_until_one_is_asked_for(opened):
    page = opened("/products/readings", viewport=PHONE)
    expect(page.locator("#column-measurements-degrees")).to_be_hidden()
    page.locator("summary", has_text="6 columns of measurements").click()
    expect(page.locator("#column-measurements-degrees")).to_be_visible()
    page.goto("/search?q=degrees")
    page.get_by_role("link", name="degrees", exact=True).first.click()
    expect(page.locator("#column-measurements-degrees")).to_be_in_viewport()
    wide = opened("/products/readings")
    expect(wide.locator("#column-measurements-degrees")).to_be_visible()
