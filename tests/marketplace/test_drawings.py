"""Charts, pictures and words, from plain data: what each shows, and that nothing in it can break the page."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from platform_resources.marketplace.display import charts, phrases
from platform_resources.marketplace.display.diagrams import Box, Edge, Tile, flow, mosaic
from platform_resources.marketplace.display.phrases import PageTimes
from platform_resources.promises.grades import CheckState
from platform_resources.promises.slices import Slice

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
TIMES = PageTimes(NOW, "Europe/Berlin")
HARM = '"><script>x</script>&'
CHECK = CheckState("share", "Share", "objective", "completeness", False, "missed", "words", NOW, unit="%", value=32.46, at_least=95.0)


def days(*states):
    begin = NOW - timedelta(days=len(states))
    return [Slice(begin + timedelta(days=n), begin + timedelta(days=n + 1), state) for n, state in enumerate(states)]


def drawn(svg):
    """What is drawn must be well-formed, whatever stands in it."""
    return ElementTree.fromstring(str(svg))


def test_each_state_of_a_strip_has_a_shape_of_its_own():
    shown = charts.cells(days("good", "bad", "unknown", "excluded", "pending"), TIMES)
    groups = list(drawn(charts.strip(shown, "all five")))
    assert len({re.sub(r"[\d.]+", "0", ElementTree.tostring(group).decode().split("</title>")[1]) for group in groups}) == 5
    assert [group[0].text for group in groups][:2] == ["23 Nov: met", "24 Nov: missed"]


def test_of_very_many_slices_a_cell_shows_the_worst_of_several():
    hours = [Slice(NOW + timedelta(hours=n), NOW + timedelta(hours=n + 1), "bad" if n == 100 else "good") for n in range(480)]
    shown = charts.cells(hours, TIMES)
    assert len(shown) <= charts.MOST_CELLS
    assert [cell.state for cell in shown].count("bad") == 1
    assert "1 missed, 15 met" in next(cell.title for cell in shown if cell.state == "bad")


@pytest.mark.parametrize(
    "svg",
    [
        charts.strip([charts.Cell("good", HARM)], HARM),
        charts.bullet(1, 2, 3, True, HARM, HARM),
        charts.histogram([0, 1], HARM),
        charts.split([1, 2], HARM),
        flow([Box(HARM, HARM, HARM, "bad", HARM), Box("b", "b", "b")], [Edge(HARM, "b")], HARM),
        mosaic([(HARM, HARM, [Tile(HARM, "bad", HARM)])]),
    ],
)
def test_texts_of_teams_cannot_break_out_of_a_drawing(svg):
    drawn(svg)
    assert "<script" not in svg


@pytest.mark.parametrize(("met", "missed", "unknown"), [(0, 0, 0), (5, 1, 0), (400, 1, 1), (0, 300, 0)])
def test_promises_are_as_many_bars_as_can_be_seen_and_a_miss_is_never_lost(met, missed, unknown):
    bars = list(drawn(charts.segments(met, missed, unknown)))
    assert len(bars) <= 16
    assert any(bar.get("class") == "f-bad" for bar in bars) == bool(missed)


def test_boxes_stand_right_of_what_they_read_and_arrows_never_point_back():
    boxes = [Box(name, name, "", "good") for name in "abcd"]
    svg = drawn(flow(boxes, [Edge("a", "b"), Edge("b", "c"), Edge("a", "c"), Edge("d", "c")], ""))
    x = {group[0].text.partition(":")[0]: float(group[1].get("x")) for group in svg.iter() if len(group) > 1 and group[0].tag == "title"}
    assert x["a"] < x["b"] < x["c"] and x["d"] < x["c"]


def test_three_hundred_products_are_squares_with_trouble_first():
    tiles = [Tile(f"p{n}", "bad" if n == 299 else "good", f"/products/p{n}") for n in range(300)]
    first = drawn(mosaic([("All", "/domains/all", tiles)]))[2]
    assert first.get("href") == "/products/p299"


@pytest.mark.parametrize(
    ("change", "got", "of", "why"),
    [
        ({}, "32.4 %", "95 % promised", "32.4 %; 95 % is promised"),
        ({"value": 94.99}, "94.9 %", "95 % promised", "94.9 %; 95 % is promised"),
        (
            {"unit": "s", "value": 93_600.0, "at_least": None, "at_most": 86_400.0},
            "26 h",
            "at most 24 h promised",
            "26 h; at most 24 h is promised",
        ),
        (
            {"unit": "rows", "value": 29.0, "at_least": None, "at_most": 0.0, "failing_rows": 29},
            "29",
            "rows break it",
            "29 rows break the rule; none is promised",
        ),
        (
            {"unit": "rows", "value": 801, "at_least": 1000.0, "failing_rows": None},
            "801",
            "rows",
            "801 rows; at least 1,000 rows are promised",
        ),
        ({"unit": "", "value": 14.7656, "at_least": 5.0, "at_most": 25.0}, "14.77", "5 to 25 promised", "14.77; 5 to 25 is promised"),
        ({"value": None}, "", "95 % promised", "words"),
    ],
)
def test_numbers_are_said_with_what_is_promised_and_never_rounded_up_to_it(change, got, of, why):
    check = replace(CHECK, **change)
    plain = [text.replace(phrases.SPACE, " ") for text in (phrases.got(check), phrases.got_of(check), phrases.why(check))]
    assert plain == [got, of, why]


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=1), "1 min"),
        (timedelta(minutes=62), "62 min"),
        (timedelta(hours=12, minutes=47), "12.8 h"),
        (timedelta(days=5, hours=12), "5.5 days"),
        (timedelta(days=20, hours=1), "21 days"),
        (timedelta(seconds=-5), "0 min"),
    ],
)
def test_ages_are_one_number_and_never_look_newer_than_they_are(length, said):
    assert phrases.age(length).replace(phrases.SPACE, " ") == said


def test_moments_of_another_zone_say_which():
    assert TIMES.moment(NOW) == "28 Nov 13:00"
    assert TIMES.moment(NOW, "UTC") == "28 Nov 12:00 UTC"
    assert TIMES.moment(NOW.replace(year=2025)) == "28 Nov 2025 13:00"
