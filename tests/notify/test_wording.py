"""What messages say, in full: read them as somebody with a phone at seven in the morning."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.notify.facts import About, BudgetStanding, Day, Failure, NewFault, OpenLine, ProductLine, ResolvedLine, SchemaChange
from platform_resources.notify.notice_wording import budget_words, digest_words, schema_words
from platform_resources.notify.recipients import Recipient
from platform_resources.notify.web_pages import WebPages
from platform_resources.notify.wording import first_words, recovery_words, reminder_words, update_words
from platform_resources.plan.routes import DigestPlan
from platform_resources.promises.attainment import Budget
from platform_resources.promises.schema_difference import schema_difference
from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.durations import length_text
from tests.golden_files import assert_golden
from tests.notify.troubles import BERLIN, DAY, FIVE, HOUR, MINUTE, ORDERS, REPORT, REVENUE, STALE, impact, incident, over, trouble

GOLDEN = Path(__file__).parents[1] / "golden" / "messages"
PAGES = WebPages("http://dagster.example.com:3000/", "http://mesh.example.com/")
OWNER = Recipient("sales.alerts", owner=True)
READER = Recipient("finance.alerts", impacts=(impact(),))
GAPS = Failure(
    "orders:every_order_has_a_customer",
    "Every order has a customer",
    FIVE + 2 * MINUTE,
    "completeness",
    "customer_id is there in 96.5 % of 20,000 rows; 99 % promised",
    "96.5",
    "99",
    700,
)
BOTH = trouble("high", (impact(), impact(REPORT, via=("Revenue",))), (STALE, GAPS))
MENDED = replace(REVENUE, status="healthy")
WELL = over(impacts=(impact(MENDED, until=FIVE + 2 * HOUR), impact(REPORT)), acknowledged_at=FIVE + 15 * MINUTE)
BUDGET = BudgetStanding(ORDERS, "fresh_on_most_days", "Fresh on most days", 80, 85, Budget(4, 3, 1), 20 * DAY, (50, 75), interval=DAY)
CHANGE = SchemaChange(
    ORDERS,
    "20260615T050000-1a2b",
    {
        "purchase_orders_sql": schema_difference(
            {"order_id": "bigint", "amount": "decimal(18,2)", "coupon": "varchar"},
            {"order_id": "bigint", "amount": "double", "channel": "varchar"},
        ),
        "purchase_orders_file": schema_difference({"coupon": "varchar", "shop": "varchar"}, {"store": "varchar"}, {"store": ["shop"]}),
    },
    (REVENUE,),
)
TWICE = Failure(
    "orders:one_row_per_order",
    "One row per order",
    FIVE + 2 * MINUTE,
    "uniqueness",
    "order_id is unique in 99 % of 20,000 rows; 100 % promised",
    "99",
    "100",
    200,
    held_back=True,
    gate=True,
)
# Its gaps are no gate, and those who read the version before never saw them.
HELD_BACK = trouble("high", (impact(),), (TWICE, replace(GAPS, held_back=True)))
DIGEST = DigestPlan("sales.alerts", time(8), BERLIN)
QUIET_DAY = Day("sales", "Sales", DIGEST, (ProductLine("Purchase orders", "healthy"), ProductLine("Product catalog", "healthy")))
LONG_DAY = replace(
    QUIET_DAY,
    products=(
        ProductLine("Purchase orders", "unhealthy", "it is as of Sun 14 Jun, 05:00 CEST, 29 h ago; at most 24h promised"),
        ProductLine("Product catalog", "healthy"),
        ProductLine("Stores", "unknown", "not checked yet"),
        ProductLine("Returns", "not run"),
    ),
    open=(OpenLine("Purchase orders", incident(), "high"),),
    resolved=(ResolvedLine("Product catalog", "product_catalog#1", "auto-recovered", 2 * HOUR),),
    budgets=(BUDGET,),
    schemas=(CHANGE,),
)
MORNING = FIVE + 3 * HOUR

WORDINGS = {
    "consumer": lambda: first_words(trouble(impacts=(impact(),)), READER, MORNING, PAGES),
    "consumer_further_downstream": lambda: first_words(
        BOTH, Recipient("report@example.com", impacts=(impact(REPORT, via=("Revenue",)),)), MORNING
    ),
    "consumer_of_several": lambda: first_words(BOTH, Recipient("finance.alerts", impacts=BOTH.impacts), MORNING),
    "consumer_of_the_root": lambda: first_words(trouble(), Recipient("ana@example.com", consumer=True), MORNING),
    "owner": lambda: first_words(BOTH, OWNER, MORNING, PAGES),
    "owner_and_consumer": lambda: first_words(BOTH, replace(OWNER, impacts=(impact(),)), MORNING, PAGES),
    "again_and_moved_here": lambda: first_words(
        replace(trouble(impacts=(impact(),), reopened=1, reopened_at=FIVE + 9 * HOUR), moved_from=(replace(incident(2), cause="revenue"),)),
        READER,
        MORNING,
    ),
    "update": lambda: update_words(BOTH, Recipient("finance.alerts", impacts=BOTH.impacts), (BOTH.impacts[1],), (), "medium", MORNING),
    "a_gate_closed_after_it_was_acknowledged": lambda: update_words(
        replace(HELD_BACK, incident=incident(status="acknowledged"), related=(("product_catalog#2", "Product catalog"),)),
        replace(OWNER, impacts=(impact(),)),
        (),
        (NewFault(TWICE, MORNING),),
        None,
        MORNING,
    ),
    "a_refresh_failed_too": lambda: update_words(
        BOTH,
        Recipient("ana@example.com", consumer=True),
        (),
        (NewFault(replace(GAPS, check="refresh", dimension=""), MORNING),),
        None,
        MORNING,
    ),
    "a_refresh_failed_for_another_reason": lambda: update_words(
        BOTH, READER, (), (NewFault(replace(GAPS, check="refresh", dimension=""), MORNING, differs=True),), None, MORNING
    ),
    "reopened_by_a_person": lambda: first_words(
        trouble(reopened=1, reopened_at=FIVE + 9 * HOUR, reopened_by="ana"), Recipient("ana@example.com", consumer=True), MORNING
    ),
    "reminder": lambda: reminder_words(BOTH, FIVE + DAY + 25 * MINUTE, PAGES),
    "recovery": lambda: recovery_words(WELL, Recipient("finance.alerts", impacts=WELL.impacts), MORNING),
    "recovery_for_the_owner": lambda: recovery_words(WELL, OWNER, MORNING),
    "closed_as_expected": lambda: recovery_words(over(resolution="expected", ending="stocktaking until noon"), READER, MORNING),
    "held_back": lambda: first_words(HELD_BACK, Recipient("ana@example.com", consumer=True), MORNING),
    "held_back_upstream": lambda: first_words(HELD_BACK, READER, MORNING),
    "held_back_for_the_owner": lambda: first_words(HELD_BACK, OWNER, MORNING, PAGES),
    "held_back_and_late": lambda: first_words(
        trouble(failures=(STALE, TWICE)), Recipient("ana@example.com", consumer=True), FIVE.replace(year=2027)
    ),
    "budget": lambda: budget_words(BUDGET, 75),
    "budget_used_up": lambda: budget_words(replace(BUDGET, percent=79.999, budget=Budget(4, 5, -1), levels=(50, 75, 100)), 100),
    "schema": lambda: schema_words(CHANGE, (REVENUE,)),
    "schema_that_only_grew": lambda: schema_words(replace(CHANGE, ports={"orders_sql": schema_difference({}, {"channel": "varchar"})})),
    "digest": lambda: digest_words(replace(LONG_DAY, page=PAGES.domain("sales")), date(2026, 6, 15), MORNING),
    "digest_of_a_quiet_day": lambda: digest_words(QUIET_DAY, date(2026, 6, 15), MORNING),
}


@pytest.mark.parametrize("name", WORDINGS)
def test_every_wording_is_as_it_was_reviewed(name):
    words = WORDINGS[name]()
    assert_golden(f"Subject: {words.subject}\n\n{words.body}\n", GOLDEN / f"{name}.md")


def test_a_consumer_reads_no_name_of_a_check_no_reason_and_no_query():
    failing = replace(GAPS, dimension="custom-sql", title="Totals add up", reason="Traceback: select * from orders")
    words = first_words(replace(BOTH, failures=(STALE, failing)), Recipient("x@example.com", consumer=True, impacts=BOTH.impacts), MORNING)
    text = words.subject + words.body
    assert not [word for word in ("every_order", "refreshed_daily", "orders:every", "select", "Traceback", "24.5") if word in text]
    assert 'is not fresh and breaks its promise "Totals add up"' in text


PREDICATES = [
    (replace(STALE, check="refresh", dimension=""), "could not be refreshed"),
    (replace(STALE, check="versions", dimension=""), "cannot be read"),
    (replace(STALE, check="inputs/deliveries:arrived", dimension=""), "has trouble with what it is made from"),
    (replace(STALE, check="scorecard:fresh_on_most_days"), "breaks a promise too often"),
    (replace(STALE, check="orders:not_null_order_id", dimension=""), "fails a test of its data"),
    (replace(STALE, dimension="uniqueness"), "has duplicates"),
]


@pytest.mark.parametrize(("failure", "predicate"), PREDICATES)
def test_every_kind_of_failure_has_words_for_consumers(failure, predicate):
    words = first_words(trouble(failures=(failure,)), Recipient("ana@example.com", consumer=True), MORNING)
    assert words.subject == f"Purchase orders {predicate}"


def test_times_are_on_the_readers_own_clock_and_say_which():
    abroad = replace(REVENUE, timezone="Asia/Tokyo")
    body = first_words(trouble(), Recipient("tokyo.alerts", impacts=(impact(abroad),)), MORNING).body
    assert "(since Mon 15 Jun, 12:00 JST)." in body and "Times are in Asia/Tokyo." in body
    undeclared = replace(trouble(), root=About("orders", "Orders", "sales"))
    body = first_words(undeclared, Recipient("ana@example.com", consumer=True), MORNING).body
    assert "(since Mon 15 Jun, 03:00 UTC)." in body and "Times are in UTC." in body


MOMENTS = [
    (BERLIN, MORNING, "Mon 15 Jun, 05:00 CEST"),
    (BERLIN, MORNING + 300 * DAY, "Mon 15 Jun 2026, 05:00 CEST"),
    ("America/Sao_Paulo", MORNING, "Mon 15 Jun, 00:00 UTC-03"),
]


@pytest.mark.parametrize(("zone", "now", "moment"), MOMENTS)
def test_a_time_says_its_zone_and_its_year_unless_that_is_this_one(zone, now, moment):
    assert Clock(zone, now).moment(FIVE) == moment


def test_the_turn_of_the_year_is_that_of_the_readers_clock():
    new_year = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert Clock(BERLIN, new_year + HOUR).moment(new_year) == "Fri 1 Jan, 00:30 CET"
    assert Clock("UTC", new_year + HOUR).moment(new_year) == "Thu 31 Dec 2026, 23:30 UTC"


def test_consumers_are_not_told_of_faults_that_have_not_reached_them():
    words = first_words(HELD_BACK, Recipient("ana@example.com", consumer=True), MORNING)
    assert words.subject == "Purchase orders held back its new version"
    assert "has gaps" not in words.body, "what was no gate neither reached anybody nor held anything back"
    assert "Consumers of Purchase orders still read its last good version, as of Sun 14 Jun, 05:00 CEST." in words.body
    assert "it was held back because it has duplicates" in words.body


def test_a_first_version_that_is_held_back_leaves_nothing_to_read():
    new = replace(HELD_BACK, root=replace(ORDERS, good_as_of=None))
    body = first_words(new, Recipient("ana@example.com", consumer=True), MORNING).body
    assert "Nothing was published yet. The new one has not reached anybody: it was held back because it has duplicates." in body


def test_a_refresh_that_failed_after_its_audit_is_no_closed_gate():
    broken = replace(STALE, check="refresh", dimension="", title="Its refresh succeeds")
    words = first_words(trouble(failures=(broken, replace(GAPS, held_back=True))), Recipient("ana@example.com", consumer=True), MORNING)
    assert words.subject == "Purchase orders could not be refreshed"
    assert "The new one has not reached anybody." in words.body and "gaps" not in words.body


def test_owners_read_what_is_broken_not_what_ought_to_be():
    broken = replace(STALE, check="inputs/deliveries:arrived", dimension="", title="Input deliveries arrived", reason="no file matches")
    body = first_words(trouble(failures=(broken,)), OWNER, MORNING).body
    assert "**Input deliveries did not arrive** (`inputs/deliveries:arrived`): no file matches" in body


HOSTILE = [
    "[click](https://evil.example)",
    "![x](javascript:alert(1))",
    "<script>alert(1)</script>",
    "<https://evil.example>",
    "two\r\nBcc: everybody@example.com\n\n# Heading",
    "`code` **bold** __bold__ _it_ ~~no~~ | a | b |",
    "&lt;b&gt; @everyone \u202egnp.exe \x00\x1b[31m \ud800 \u2028 end",
    "",
]


def everything(title, reason):
    about = replace(REVENUE, title=title, owners=(title,), support=title, runbook=title)
    failure = replace(GAPS, title=title, reason=reason, value=reason, threshold=reason, dimension="custom-sql")
    found = replace(BOTH, root=replace(about, name="orders"), failures=(failure,), impacts=(impact(about, via=(title,)),), because=reason)
    to = Recipient("c", True, True, found.impacts)
    ended = replace(over(ending=reason), root=about)
    change = SchemaChange(about, title, {title: schema_difference({reason: reason}, {title: title})})
    standing = replace(BUDGET, about=about, title=title, interval=None)
    line = ProductLine(title, "unhealthy", reason)
    day = replace(LONG_DAY, title=title, products=(line,), open=(OpenLine(title, incident(), "low"),), schemas=(change,))
    return (
        first_words(found, to, MORNING, WebPages("https://dagster.example.com")),
        update_words(found, replace(to, owner=False), found.impacts, [NewFault(each, MORNING) for each in found.failures], "low", MORNING),
        reminder_words(found, MORNING),
        recovery_words(ended, to, MORNING),
        budget_words(standing, 50),
        schema_words(change, (about,)),
        digest_words(replace(day, resolved=(ResolvedLine(title, "o#1", "fixed", HOUR),)), date(2026, 6, 15), MORNING),
    )


def links_in(html):
    return [part for part in ("<a ", "<img", "<script", "<b>", "<h1", "<h2", "<del", "<table") if part in html]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_data_is_neither_a_link_nor_html_nor_a_second_line_of_a_subject(text):
    from markdown import markdown

    for words in everything(text, text):
        assert words.subject.isprintable() and len(words.subject) <= 140
        assert not links_in(markdown(words.body, extensions=["tables"]))
        assert "@everyone" not in words.body and "evil.example>" not in words.body
        assert not set(words.body) & {"\r", "\x00", "\x1b", "\u202e", "\ud800", "\u2028"}


@given(st.text(max_size=60), st.text("<>[]()!`*_&;:/\\@#-~|x \n", max_size=60))
def test_no_text_at_all_gets_markup_into_a_message(title, reason):
    from markdown import markdown

    for words in everything(title, reason):
        assert "\n" not in words.subject and words.subject.strip()
        words.body.encode()
        assert not links_in(markdown(words.body))


def test_a_declared_runbook_on_the_web_is_a_link_and_anything_else_is_a_path():
    def line(runbook):
        body = first_words(replace(trouble(), root=replace(ORDERS, runbook=runbook)), Recipient("c", consumer=True), MORNING).body
        return next(line for line in body.splitlines() if "Runbook" in line)

    assert line("https://wiki.example.com/a_b?c=1") == "- Runbook: <https://wiki.example.com/a_b?c=1>"
    assert line("javascript:alert(1)") == "- Runbook: `javascript:alert(1)`"
    assert line("https://a.example> [x](http://b.example)") == "- Runbook: `https://a.example› (x)(http://b.example)`"


def test_long_lists_and_long_texts_are_cut():
    many = tuple(impact(replace(REPORT, name=f"r{n}", title=f"Report {n}")) for n in range(40))
    failures = tuple(replace(GAPS, check=f"orders:c{n}", reason="x" * 5_000) for n in range(40))
    words = first_words(replace(BOTH, impacts=many, failures=failures), Recipient("c", True, False, many), MORNING)
    assert "Report 7** and 32 more" in words.body and "- 32 more" in words.body
    assert len(words.body) < 6_000


def test_a_day_of_one_product_and_a_day_of_none_are_said_plainly():
    def summary(count):
        day = replace(QUIET_DAY, products=QUIET_DAY.products[:count])
        return digest_words(day, date(2026, 6, 15), MORNING).body

    assert (summary(2), summary(1), summary(0)) == ("All 2 products are healthy.", "The only product is healthy.", "No product runs here.")


def test_how_long_something_took_is_told_in_at_most_two_units():
    lengths = [timedelta(seconds=30), 4 * MINUTE, HOUR, HOUR + 5 * MINUTE, DAY, 2 * DAY + 3 * HOUR, -HOUR]
    assert [length_text(each) for each in lengths] == ["1 min", "4 min", "1 h", "1 h 5 min", "24 h", "2 days 3 h", "0 min"]
