"""Incidents of a whole mesh: at the root, moved there, reopened, resolved and accepted."""

import pytest

from platform_resources.incidents.board import Board, Unexplained, changed, taken_back, tended, watching, with_reading
from platform_resources.incidents.life_cycle import IllegalTransition, acknowledged, attached, reopened, resolved
from platform_resources.incidents.root_cause import causes, roots
from platform_resources.incidents.severity import rank, severity
from platform_resources.plan.incident_rules import Rule
from tests.promises.moments import DAY, HOUR, NOON

# orders and customers feed revenue; revenue feeds the report; stock stands alone.
UPSTREAM = {"orders": (), "customers": (), "revenue": ("orders", "customers"), "report": ("revenue",), "stock": ()}
RULE = Rule(cooldown=DAY, settle=6 * HOUR)

ROOTS = [
    ("report", {"report"}, ("report",)),
    ("report", {"report", "orders"}, ("orders",)),
    ("report", {"report", "revenue", "orders"}, ("orders",)),
    ("report", {"report", "revenue", "orders", "customers", "stock"}, ("customers", "orders")),
    ("orders", {"report", "revenue", "orders"}, ("orders",)),
]


@pytest.mark.parametrize(("product", "failing", "expected"), ROOTS)
def test_the_root_is_the_failing_ancestor_without_a_failing_ancestor(product, failing, expected):
    assert roots(product, UPSTREAM, failing) == expected


def test_in_a_circle_every_member_is_its_own_root_and_the_root_of_what_is_below():
    circle = {"a": ("b",), "b": ("a",), "c": ("b",)}
    assert causes(circle, "abc") == {"a": ("a",), "b": ("b",), "c": ("a", "b")}


def after(board, readings, hours, rule=RULE):
    """The board after some readings (`-orders +revenue -orders.nulls`) at NOON + hours, tended."""
    at = NOON + hours * HOUR
    for word in readings.split():
        product, _, check = word[1:].partition(".")
        board = with_reading(board, product, check or "fresh", "met" if word[0] == "+" else "missed", at, rule)
    return tended(board, UPSTREAM, at, lambda _: rule)


# Checks that stop a refresh, which nothing explains, and one that nothing explains.
STOP = frozenset({("orders", "gate"), ("revenue", "gate")})
ALONE = Unexplained(STOP | {("revenue", "nulls")}, STOP)


def after_gates(board, readings, hours, upstream=UPSTREAM):
    """The same, where gates can close, and nulls of the revenue have their own reasons."""
    at = NOON + hours * HOUR
    for word in readings.split():
        product, _, check = word[1:].partition(".")
        key = (product, check or "fresh")
        board = with_reading(board, *key, "met" if word[0] == "+" else "missed", at, RULE, stops=key in STOP)
    board, events = tended(board, upstream, at, lambda _: RULE, unexplained=ALONE)
    return board, [f"{event.kind} {event.incident} {event.note}".strip() for event in events]


def said(board, product, resolution, hours):
    """The board after a person has resolved the product's incident."""
    return changed(board, product, lambda incident: resolved(incident, resolution, NOON + hours * HOUR, "ana"))[0]


def story(*chapters, rule=RULE):
    board, told = Board(), []
    for hours, readings in chapters:
        board, events = after(board, readings, hours, rule)
        told += [f"{hours} {event.kind} {event.incident} {event.note}".strip() for event in events]
    return board, told


def test_what_fails_because_of_others_is_attached_to_theirs_and_has_no_incident_of_its_own():
    board, told = story((0, "-orders -revenue -report -stock"), (1, ""))
    assert told == ["0 opened orders#1", "0 opened stock#1", "0 attached orders#1 report", "0 attached orders#1 revenue"]
    assert [incident.cause for incident in board.live] == ["orders", "stock"]


def test_when_the_root_shows_up_later_the_incident_moves_there():
    board, told = story((0, "-report"), (1, "-revenue"), (2, "-orders"))
    assert told == [
        "0 opened report#1",
        "1 opened revenue#1",
        "1 attached revenue#1 report",
        "1 resolved report#1 moved: revenue",
        "2 opened orders#1",
        "2 attached orders#1 report",
        "2 attached orders#1 revenue",
        "2 resolved revenue#1 moved: orders",
    ]
    assert board.incidents["orders"].impacted == ("report", "revenue")


def test_with_several_roots_a_product_is_attached_to_all():
    _, told = story((0, "-report"), (1, "-orders -customers"))
    assert told[-3:] == ["1 attached customers#1 report", "1 attached orders#1 report", "1 resolved report#1 moved: customers, orders"]


def test_when_the_root_recovers_those_below_have_time_to_catch_up():
    _, told = story((0, "-orders -revenue"), (2, "+orders"), (3, "-revenue"), (5, "+revenue"))
    assert told[2:] == ["2 resolved orders#1 auto-recovered"]


def test_what_has_not_caught_up_in_time_fails_on_its_own_account():
    _, told = story((0, "-orders -revenue"), (2, "+orders"), (7, "-revenue"), (8, "-revenue"))
    assert told[2:] == ["2 resolved orders#1 auto-recovered", "8 opened revenue#1"]


def test_the_same_trouble_within_the_cooldown_reopens_the_incident_and_later_it_is_a_new_one():
    _, told = story((0, "-stock"), (1, "+stock"), (20, "-stock"), (21, "+stock"), (46, "-stock"))
    assert told == [
        "0 opened stock#1",
        "1 resolved stock#1 auto-recovered",
        "20 reopened stock#1 fresh",
        "21 resolved stock#1 auto-recovered",
        "46 opened stock#2",
    ]


def resolved_as(resolution, *chapters):
    """A failing product whose incident a person resolves after an hour, and what happens then."""
    board = said(after(Board(), "-stock", 0)[0], "stock", resolution, 1)
    told = []
    for hours, readings in chapters:
        board, events = after(board, readings, hours)
        told += [f"{hours} {event.kind} {event.incident} {event.note}".strip() for event in events]
    return told


SAID = [
    ("fixed", [(2, "")], []),
    ("fixed", [(2, ""), (3, "-stock")], ["3 reopened stock#1 fresh"]),
    ("fixed", [(2, ""), (30, "-stock")], ["30 opened stock#2"]),
    ("fixed", [(3, "+stock")], []),
    ("fixed", [(3, "+stock"), (4, "-stock.nulls")], ["4 reopened stock#1 nulls", "4 noticed stock#1 nulls"]),
    ("fixed", [(1, "-stock.nulls")], ["1 reopened stock#1 fresh, nulls", "1 noticed stock#1 nulls"]),
    ("expected", [(3, "-stock"), (90, "-stock")], []),
    ("expected", [(3, "-stock -stock.nulls")], ["3 opened stock#2"]),
    ("expected", [(1, "-stock.nulls")], ["1 opened stock#2"]),
    ("expected", [(3, "-stock.nulls"), (4, "+stock.nulls"), (5, "-stock.nulls")],
     ["3 opened stock#2", "4 resolved stock#2 auto-recovered", "5 reopened stock#2 nulls"]),
    ("false positive", [(3, "-stock"), (4, "+stock"), (5, "-stock")], ["5 opened stock#2"]),
    ("no action", [(3, "+stock"), (90, "-stock")], ["90 opened stock#2"]),
]  # fmt: skip


@pytest.mark.parametrize(("resolution", "chapters", "told"), SAID)
def test_what_a_person_has_resolved_comes_back_only_with_new_trouble(resolution, chapters, told):
    assert resolved_as(resolution, *chapters) == told


def test_of_a_new_incident_only_the_new_failure_is_told():
    board = said(after(Board(), "-stock.nulls", 0)[0], "stock", "expected", 1)
    board, _ = after(board, "-stock.nulls -stock.fresh", 3)
    incident = board.incidents["stock"]
    assert (incident.name, incident.checks, incident.began_at) == ("stock#2", ("fresh",), NOON + 3 * HOUR)
    assert board.failing_checks("stock") == ("fresh",)


def test_a_new_failure_ends_although_the_accepted_one_stays():
    board = said(after(Board(), "-stock.nulls", 0)[0], "stock", "expected", 1)
    board, _ = after(board, "-stock.nulls -stock.fresh", 3)
    _, (event,) = after(board, "-stock.nulls +stock.fresh", 4)
    assert (event.incident, event.note) == ("stock#2", "auto-recovered")


def test_a_check_that_had_recovered_before_is_not_accepted_with_the_others():
    board, _ = story((0, "-stock.nulls -stock.fresh"), (1, "+stock.nulls"))
    board = said(board, "stock", "expected", 2)
    assert [event.incident for event in after(board, "-stock.nulls", 3)[1]] == ["stock#2"]


def test_only_resolving_accepts_and_not_what_happens_to_an_incident_later():
    board = said(after(Board(), "-stock", 0)[0], "stock", "expected", 1)
    for hours, verdict in [(2, "met"), (3, "missed")]:
        board = with_reading(board, "stock", "fresh", verdict, NOON + hours * HOUR, RULE)
    board, _ = changed(board, "stock", lambda incident: attached(incident, ["revenue"], NOON + 3 * HOUR))
    assert board.failing_checks("stock") == ("fresh",)


def test_what_nobody_had_noticed_when_an_incident_was_called_expected_is_not_accepted():
    board, _ = after(Board(), "-stock.nulls", 0)
    board = with_reading(board, "stock", "fresh", "missed", NOON, RULE)
    _, (event,) = after(said(board, "stock", "expected", 1), "", 1)
    assert (event.kind, event.incident) == ("opened", "stock#2")


def test_an_accepted_failure_explains_nothing_that_fails_below():
    board = said(after(Board(), "-orders -revenue", 0)[0], "orders", "expected", 0)
    _, events = after(board, "-report", 1)
    assert [(event.kind, event.incident, event.note) for event in events] == [
        ("opened", "revenue#1", ""),
        ("attached", "revenue#1", "report"),
    ]


def test_what_is_called_fixed_explains_what_fails_below_until_its_next_reading():
    board = said(after(Board(), "-orders", 0)[0], "orders", "fixed", 0)
    board, events = after(board, "-revenue", 1)
    assert [(event.kind, event.note) for event in events] == [("attached", "revenue")]
    assert after(board, "+orders", 2)[1] == ()


def test_reopening_by_a_person_takes_the_acceptance_back():
    board = said(after(Board(), "-stock", 0)[0], "stock", "expected", 1)
    board, _ = changed(board, "stock", lambda incident: reopened(incident, NOON + 2 * HOUR, "ana"))
    board, events = after(board, "", 2)
    assert (events, board.failing_checks("stock")) == ((), ("fresh",))
    assert [event.note for event in after(board, "+stock", 3)[1]] == ["auto-recovered"]


AGAIN = [
    ("expected", "fixed", [(3, "")], []),
    ("expected", "fixed", [(3, "-stock")], ["3 reopened stock#1"]),
    ("no action", "fixed", [(3, "+stock"), (4, "-stock")], ["4 reopened stock#1"]),
    ("expected", "false positive", [(3, "-stock")], []),
    ("fixed", "expected", [(3, "-stock")], []),
    ("fixed", "expected", [(3, "+stock"), (4, "-stock")], ["4 opened stock#2"]),
]


@pytest.mark.parametrize(("first", "then", "chapters", "told"), AGAIN)
def test_resolving_again_changes_what_was_accepted(first, then, chapters, told):
    board = said(after(Board(), "-stock", 0)[0], "stock", first, 1)
    board = said(board, "stock", then, 2)
    assert board.failing_checks("stock") == (("fresh",) if then == "fixed" else ())
    heard = []
    for hours, readings in chapters:
        board, events = after(board, readings, hours)
        heard += [f"{hours} {event.kind} {event.incident}" for event in events]
    assert heard == told


def test_of_several_faults_one_is_accepted_alone_and_the_others_get_an_incident_of_their_own():
    board, _ = after(Board(), "-stock.nulls -stock.fresh -stock.rows", 0)
    board, _ = changed(board, "stock", lambda incident: resolved(incident, "expected", NOON + HOUR, "ana", only=["nulls"]))
    board, events = after(board, "", 1)
    assert [(event.kind, event.incident) for event in events] == [("opened", "stock#2")]
    assert board.incidents["stock"].checks == board.failing_checks("stock") == ("fresh", "rows")
    refusals = [("expected", "size", "is not about size; it is about: fresh, rows"), ("fixed", "rows", "as fixed it is resolved whole")]
    for resolution, check, said_so in refusals:
        with pytest.raises(IllegalTransition, match=said_so):
            resolved(board.incidents["stock"], resolution, NOON + 2 * HOUR, only=[check])


def test_what_a_former_incident_had_accepted_can_be_taken_back():
    board = said(after(Board(), "-stock.nulls", 0)[0], "stock", "expected", 1)
    board, _ = after(board, "-stock.nulls -stock.fresh", 3)
    board = taken_back(board, "stock", ["nulls"])
    board, events = after(board, "", 3)
    assert [(event.kind, event.incident, event.note) for event in events] == [("noticed", "stock#2", "nulls")]


def test_reopening_what_is_well_or_accepted_since_another_incident_ends_at_once():
    board = said(after(Board(), "-stock.nulls", 0)[0], "stock", "expected", 1)
    board, _ = after(board, "-stock.fresh", 2)
    board, _ = after(board, "+stock.fresh", 3)
    board, _ = changed(board, "stock", lambda incident: reopened(incident, NOON + 4 * HOUR, "ana"))
    assert [(event.incident, event.note) for event in after(board, "", 4)[1]] == [("stock#2", "auto-recovered")]


def test_more_checks_that_fail_are_noticed_once_and_the_last_that_recovers_ends_it():
    board, told = story(
        (0, "-stock.nulls -stock.fresh"), (1, "-stock.rows -stock.fresh"), (2, "+stock.fresh +stock.nulls"), (3, "+stock.rows")
    )
    assert told == ["0 opened stock#1", "1 noticed stock#1 rows", "3 resolved stock#1 auto-recovered"]
    assert board.incidents["stock"].checks == ("fresh", "nulls", "rows")


def test_what_was_moved_away_and_fails_on_its_own_account_again_is_a_new_incident():
    _, told = story((0, "-revenue"), (1, "-orders"), (2, "+orders"), (9, ""))
    assert told[-2:] == ["2 resolved orders#1 auto-recovered", "9 opened revenue#2"]


def test_a_failure_that_is_heard_late_reopens_what_has_recovered():
    board, _ = story((0, "-stock.nulls -stock.fresh"), (1, "+stock.nulls"), (5, "+stock.fresh"))
    board = with_reading(board, "stock", "nulls", "missed", NOON + 3 * HOUR, RULE)
    assert [event.kind for event in after(board, "", 6)[1]] == ["reopened"]


def test_more_failing_checks_of_what_was_moved_are_not_told():
    _, told = story((0, "-revenue"), (1, "-orders"), (2, "-revenue.nulls"))
    assert told[-1] == "1 resolved revenue#1 moved: orders"


def test_cooldown_and_settle_are_those_of_the_product_that_fails():
    rules = {"orders": Rule(settle=9 * DAY, cooldown=9 * DAY), "revenue": Rule(settle=HOUR, cooldown=HOUR)}
    board, told = Board(), []
    for hours, readings in [(0, "-orders -revenue"), (2, "+orders"), (3, "-revenue"), (4, "+revenue"), (8, "-revenue"), (99, "-orders")]:
        for word in readings.split():
            board = with_reading(board, word[1:], "fresh", "met" if word[0] == "+" else "missed", NOON + hours * HOUR, RULE)
        board, events = tended(board, UPSTREAM, NOON + hours * HOUR, rules.__getitem__)
        told += [f"{hours} {event.kind} {event.incident}" for event in events]
    assert told[3:] == [
        "3 opened revenue#1",
        "4 resolved revenue#1",
        "8 opened revenue#2",
        "99 reopened orders#1",
        "99 resolved revenue#2",
    ]


UNWATCHED = "no action: nothing that failed is watched any more"
WATCHED = [
    ("-stock.nulls", {"stock": ["fresh"]}, "", [UNWATCHED]),
    ("-stock.nulls", {"stock": []}, "", [UNWATCHED]),
    ("-stock.nulls", {"orders": []}, "", []),
    ("-stock.nulls", {"stock": ["nulls"]}, "", []),
    ("-stock.nulls -stock.fresh", {"stock": ["fresh"]}, "", []),
    ("-stock.nulls -stock.fresh", {"stock": ["fresh"]}, "+stock.fresh", [UNWATCHED]),
    ("-stock.nulls", {"stock": ["empty"]}, "-stock.empty", ["empty"]),
    ("-stock.nulls", {"stock": []}, "+stock.nulls", ["auto-recovered"]),
]


@pytest.mark.parametrize(("before", "known", "readings", "notes"), WATCHED)
def test_what_is_watched_no_longer_ends_its_incident_but_is_no_recovery(before, known, readings, notes):
    board = watching(after(Board(), before, 0)[0], known)
    assert [event.note for event in after(board, readings, 1)[1]] == notes


def test_forgetting_a_check_that_was_well_is_no_end_without_recovery():
    board, _ = story((0, "-stock.nulls -stock.fresh"), (1, "+stock.nulls"))
    assert [event.note for event in after(watching(board, {"stock": ["fresh"]}), "+stock.fresh", 2)[1]] == ["auto-recovered"]


def test_a_recovery_after_another_failing_check_was_forgotten_is_a_recovery():
    board, _ = after(Board(), "-stock.nulls -stock.fresh", 0)
    board, _ = after(watching(board, {"stock": ["fresh"]}), "", 1)
    assert [event.note for event in after(board, "+stock.fresh", 2)[1]] == ["auto-recovered"]


def test_an_incident_whose_checks_are_gone_ends_without_recovery_also_when_the_forgetting_was_not_kept():
    board = watching(after(Board(), "-stock", 0)[0], {"stock": []})
    _, (event,) = after(Board(board.signals, board.incidents), "", 1)
    assert event.note == UNWATCHED


def test_a_check_that_is_watched_again_starts_anew_and_its_failure_is_a_new_incident():
    board = said(after(Board(), "-stock", 0)[0], "stock", "expected", 1)
    board, _ = after(watching(board, {"stock": []}), "", 2)
    assert [event.incident for event in after(board, "-stock", 3)[1]] == ["stock#2"]


def test_nothing_is_known_of_a_cause_that_never_had_an_incident():
    with pytest.raises(KeyError):
        changed(Board(), "stock", lambda incident: acknowledged(incident, NOON, "ana"))


SEVERITIES = [
    (("low",), {}, "low"),
    (("medium",), {}, "medium"),
    (("low", ["high"]), {}, "high"),
    (("low", ["low"] * 4), {}, "low"),
    (("low", ["low"] * 4), {"consumers": 1}, "medium"),
    (("medium",), {"budget_consumed": 0.99}, "medium"),
    (("medium",), {"budget_consumed": 1.0}, "high"),
    (("high", ["high"] * 9), {"budget_consumed": 3.0, "consumers": 7}, "critical"),
    (("high", ["high"] * 9), {"informs": True}, "high"),
    (("high",), {"informs": True}, "medium"),
    (("low",), {"informs": True}, "low"),
]


@pytest.mark.parametrize(("given", "more", "expected"), SEVERITIES)
def test_severity_follows_from_who_depends_on_it_and_the_budget(given, more, expected):
    assert severity(*given, **more) == expected


def test_severities_can_be_compared():
    assert [rank(severity) for severity in ("low", "medium", "high", "critical")] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("done", "told"),
    [
        (None, ["noticed orders#1 gate"]),
        ("acknowledged", ["noticed orders#1 gate"]),
        ("expected", ["opened orders#2"]),
        ("false positive", ["opened orders#2"]),
        ("no action", ["opened orders#2"]),
        ("fixed", ["reopened orders#1 gate, nulls", "noticed orders#1 gate"]),
    ],
)
def test_a_closed_gate_is_told_whatever_was_done_to_the_incident_before(done, told):
    board, _ = after_gates(Board(), "-orders.nulls", 0)
    if done == "acknowledged":
        board, _ = changed(board, "orders", lambda incident: acknowledged(incident, NOON, "ana"))
    elif done:
        board = said(board, "orders", done, 0)
    assert after_gates(board, "-orders.gate", 1)[1] == told


@pytest.mark.parametrize("resolution", ["expected", "false positive", "no action"])
def test_an_accepted_gate_that_closes_again_is_a_new_incident_each_time(resolution):
    board = said(after_gates(Board(), "-orders.gate", 0)[0], "orders", resolution, 1)
    board, events = after_gates(board, "", 1)
    assert events == [], "what was accepted stays accepted until the next refresh"
    board, events = after_gates(board, "-orders.gate", 2)
    assert events == ["opened orders#2"]
    assert board.incidents["orders"].began_at == NOON + 2 * HOUR
    board = said(board, "orders", resolution, 3)
    assert after_gates(board, "-orders.gate", 4)[1] == ["opened orders#3"]


def test_a_gate_that_was_open_in_between_is_noticed_again():
    board, _ = after_gates(Board(), "-orders.gate -orders.nulls", 0)
    board, events = after_gates(board, "-orders.gate", 1)
    assert events == [], "it is still closed"
    board, _ = after_gates(board, "+orders.gate", 2)
    assert after_gates(board, "-orders.gate", 3)[1] == ["noticed orders#1 gate"]


def test_a_closed_gate_does_not_wait_until_the_repair_of_another_has_come_down():
    board, _ = after_gates(Board(), "-orders -revenue", 0)
    board, events = after_gates(board, "+orders -revenue.gate", 1)
    assert events == ["resolved orders#1 auto-recovered", "opened revenue#1"]


def test_nor_does_wrong_data_that_nothing_explains():
    board, _ = after_gates(Board(), "-orders -revenue", 0)
    assert after_gates(board, "+orders -revenue.nulls", 1)[1] == ["resolved orders#1 auto-recovered", "opened revenue#1"]


def test_a_closed_gate_below_opens_an_incident_of_its_own_beside_that_above():
    """The lineage has no way to the revenue any more, because one of its failures is explained by nothing."""
    board, _ = after_gates(Board(), "-orders -revenue", 0)
    board, events = after_gates(board, "-revenue.gate", 1, UPSTREAM | {"revenue": ()})
    assert events == ["opened revenue#1"]
    assert {incident.name for incident in board.live} == {"orders#1", "revenue#1"}


def test_a_gate_needs_no_second_bad_reading():
    patient = Rule(bad=2, of=3)
    board = with_reading(Board(), "orders", "gate", "missed", NOON, patient, stops=True)
    board = with_reading(board, "orders", "fresh", "missed", NOON, patient)
    assert board.failing_checks("orders") == ("gate",)


SAME, OTHER = ("inputs/a:arrived",), ("inputs/b:arrived",)


@pytest.mark.parametrize(
    ("refreshes", "noticed"),
    [
        pytest.param([SAME, SAME, SAME], 0, id="the same again"),
        pytest.param([SAME, OTHER], 1, id="another one"),
        pytest.param([SAME, (*SAME, *OTHER)], 1, id="one more"),
        pytest.param([(*SAME, *OTHER), OTHER, SAME], 0, id="one less"),
        pytest.param([SAME, OTHER, SAME, OTHER], 1, id="in turns"),
        pytest.param([(), SAME], 0, id="what failed was not known before"),
        pytest.param([SAME, (), SAME], 0, id="what fails is not known in between"),
    ],
)
@pytest.mark.parametrize("done", [None, acknowledged])
def test_a_refresh_that_fails_for_something_else_is_noticed_once(refreshes, noticed, done):
    board, events = Board(), []
    for hours, failures in enumerate(refreshes):
        at = NOON + hours * HOUR
        board = with_reading(board, "orders", "refresh", "missed", at, RULE, f"after {hours} s", stops=True, failures=failures)
        board, found = tended(board, UPSTREAM, at, lambda _: RULE, unexplained=Unexplained(stop=frozenset({("orders", "refresh")})))
        events += found
        if done is not None and not hours:
            board, _ = changed(board, "orders", lambda incident, at=at: done(incident, at, "ana"))
    assert [event.kind for event in events] == ["opened"] + ["noticed"] * noticed


@pytest.mark.parametrize(("between", "told"), [("met", ["opened", "resolved", "reopened"]), ("accepted", ["opened", "opened"])])
def test_a_refresh_that_was_well_or_accepted_in_between_forgets_what_had_failed(between, told):
    key, events = ("orders", "refresh"), []
    board = with_reading(Board(), *key, "missed", NOON, RULE, stops=True, failures=SAME)
    board, found = tended(board, UPSTREAM, NOON, lambda _: RULE)
    events += found
    later = NOON + HOUR
    if between == "met":
        board, found = tended(with_reading(board, *key, "met", later, RULE, stops=True), UPSTREAM, later, lambda _: RULE)
        events += found
    else:
        board, _ = changed(board, "orders", lambda incident: resolved(incident, "expected", later, "ana"))
    last = NOON + 2 * HOUR
    board, found = tended(with_reading(board, *key, "missed", last, RULE, stops=True, failures=OTHER), UPSTREAM, last, lambda _: RULE)
    assert [event.kind for event in (*events, *found)] == told
    assert board.signals[key].failures == OTHER
