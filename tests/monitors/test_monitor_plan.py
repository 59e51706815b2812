"""What becomes of deployed monitors: exactly the difference, by name, in whatever order they are given."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.dbt.planning import read_plan
from platform_resources.measuring.measure_plan import first_queries
from platform_resources.measuring.metrics import Asked
from platform_resources.monitors.monitor_costs import MonitorCost, Surroundings, cost, objective_work, profiled_relations
from platform_resources.monitors.monitor_plan import changes, monitors, product_changes
from platform_resources.monitors.monitor_text import changes_text, shown
from tests.golden_files import assert_golden
from tests.meshes import REPOSITORY, edited, model_file, product_file
from tests.monitors.monitored import SIZES, SURROUNDINGS, monitor, query, scan

GOLDEN = Path(__file__).parents[1] / "golden"
READINGS, SUMMARY = product_file("plant", "readings"), product_file("office", "summary")

works = st.lists(
    st.one_of(
        st.sampled_from(["count(*)", "min(a)", "max(a)"]).map(scan),
        st.sampled_from(["count(*)", "min(b)"]).map(lambda sql: scan(sql, "inputs.customers")),
        st.sampled_from(["duplicates", "orphans"]).map(query),
        st.just(query("strangers", "inputs.customers", "internal.gone")),
    ),
    max_size=3,
)
one = st.builds(
    lambda name, work, severity, at_least, learned: monitor(
        name, *sorted(set(work)), severity=severity, at_least=at_least, **({"learned__sensitivity": learned} if learned else {})
    ),
    st.sampled_from("abcdef"),
    works,
    st.sampled_from(["warning", "error"]),
    st.integers(0, 2),
    st.sampled_from([None, 2.8, 3.0]),
)
sets = st.lists(one, max_size=6, unique_by=lambda each: each.name).map(lambda found: tuple(sorted(found, key=lambda each: each.name)))
surroundings = st.sampled_from([SURROUNDINGS, Surroundings(SIZES, ("internal.orders",)), Surroundings({})])


def fingerprints(found):
    return {each.name: each.fingerprint for each in found}


@given(sets, sets, surroundings)
def test_a_plan_after_apply_is_empty_and_what_is_deployed_then_is_what_is_wanted(deployed, wanted, around):
    made = changes(deployed, wanted, around)
    gone = {change.former.name for change in made if change.former} | {change.monitor.name for change in made if change.kind == "remove"}
    kept = [monitor for monitor in deployed if monitor.name not in gone]
    after = {monitor.name: monitor for monitor in (*kept, *(change.monitor for change in made if change.kind != "remove"))}
    after = tuple(after[name] for name in sorted(after))
    assert after == wanted
    assert changes(after, wanted, around) == ()


@given(sets, sets)
def test_changes_are_exactly_the_difference(deployed, wanted):
    made = changes(deployed, wanted, SURROUNDINGS)
    before, after = fingerprints(deployed), fingerprints(wanted)
    by_kind = {kind: {c.monitor.name for c in made if c.kind == kind} for kind in ("create", "change", "retrain", "rename", "remove")}
    left = {c.former.name for c in made if c.kind == "rename"}
    assert by_kind["create"] | by_kind["rename"] == after.keys() - before.keys()
    assert by_kind["remove"] | left == before.keys() - after.keys()
    assert by_kind["change"] | by_kind["retrain"] == {name for name in before.keys() & after.keys() if before[name] != after[name]}
    assert all(c.fields for c in made if c.kind in ("change", "retrain"))


@given(sets, sets, st.randoms(use_true_random=False))
def test_changes_do_not_depend_on_the_order_of_monitors(deployed, wanted, chance):
    shuffled = [chance.sample(each, len(each)) for each in (deployed, wanted)]
    assert changes(*shuffled, SURROUNDINGS) == changes(deployed, wanted, SURROUNDINGS)


@given(sets, sets, surroundings)
def test_costs_of_changes_add_up_to_the_difference_of_the_whole(deployed, wanted, around):
    made = product_changes("orders", "sales", deployed, wanted, around)
    before, after = (cost((work for each in found for work in each.work), around) for found in (deployed, wanted))
    assert made.cost == after - before


@given(sets, sets)
def test_the_monitors_that_stay_are_counted(deployed, wanted):
    made = product_changes("orders", "sales", deployed, wanted, SURROUNDINGS)
    assert made.unchanged == len([each for each in wanted if each in deployed])


A, B = monitor("a", scan("count(*)"), at_least=1), monitor("b", query("duplicates"), at_least=100)
LEARNED = monitor("l", scan("count(*)"), learned__sensitivity=2.8)


@pytest.mark.parametrize(
    ("before", "after", "kind", "fields"),
    [
        (A, monitor("a", scan("count(*)"), at_least=2), "change", [("settings.at_least", 1, 2)]),
        (A, monitor("a", scan("count(*)"), at_least=1, severity="error"), "change", [("severity", "warning", "error")]),
        (A, monitor("a", scan("count(*)"), at_least=1, at_most=9), "change", [("settings.at_most", None, 9)]),
        (A, monitor("a", scan("count(b)"), at_least=1), "change", [("measured", "count(*) of internal.orders", "count(b) of internal.orders")]),
        (A, monitor("a", scan("count(b)"), at_least=2), "change", [("settings.at_least", 1, 2)]),
        (A, monitor("a", scan("count(*)"), at_least=1, learned__sensitivity=2.8), "retrain", [("settings.learned.sensitivity", None, 2.8)]),
        (LEARNED, monitor("l", scan("count(*)"), learned__sensitivity=3), "retrain", [("settings.learned.sensitivity", 2.8, 3)]),
        (LEARNED, monitor("l", scan("count(*)"), learned__sensitivity=2.8, at_least=1), "change", [("settings.at_least", None, 1)]),
        (LEARNED, monitor("l", scan("sum(x)"), learned__sensitivity=2.8, expression="sum(x)"), "retrain", [("settings.expression", None, "sum(x)")]),
        (LEARNED, monitor("l", scan("count(*)")), "change", [("settings.learned.sensitivity", 2.8, None)]),
        (LEARNED, monitor("l", scan("count(*)"), learned__sensitivity=2.8, severity="error"), "change", [("severity", "warning", "error")]),
        (A, monitor("z", scan("count(*)"), at_least=1), "rename", [("title", "A", "Z")]),
    ],
)  # fmt: skip
def test_what_differs_is_told_field_by_field_and_a_learned_threshold_is_learned_anew(before, after, kind, fields):
    (change,) = changes([before], [after], SURROUNDINGS)
    assert (change.kind, change.former) == (kind, before)
    assert [(each.field, each.old, each.new) for each in change.fields] == fields


def test_one_that_is_renamed_and_promises_something_else_is_removed_and_created():
    made = changes([A], [monitor("z", scan("count(*)"), at_least=2)], SURROUNDINGS)
    assert [(c.kind, c.monitor.name) for c in made] == [("remove", "orders: a"), ("create", "orders: z")]


def test_of_several_that_are_alike_each_is_renamed_once():
    old, new = ([monitor(name, at_least=1) for name in names] for names in ("ab", "xyz"))
    made = changes(old, new, SURROUNDINGS)
    assert [(c.kind, c.former and c.former.name, c.monitor.name) for c in made] == [
        ("rename", "orders: a", "orders: x"),
        ("rename", "orders: b", "orders: y"),
        ("create", None, "orders: z"),
    ]


@pytest.mark.parametrize(
    ("work", "scanned", "expected"),
    [
        ([scan("count(*)")], (), MonitorCost(expressions=1, queries=1, rows=1000, bytes=40_000)),
        ([scan("count(*)"), scan("min(a)")], (), MonitorCost(expressions=2, queries=1, rows=1000, bytes=40_000)),
        ([scan("count(*)"), scan("count(*)")], (), MonitorCost(expressions=1, queries=1, rows=1000, bytes=40_000)),
        ([scan("count(*)")], ("internal.orders",), MonitorCost(expressions=1)),
        ([query("d", "internal.orders", "internal.orders")], ("internal.orders",), MonitorCost(queries=1, rows=2000, bytes=80_000)),
        ([query("o", "internal.orders", "inputs.customers")], (), MonitorCost(queries=1, rows=1050, bytes=40_000)),
        ([query("o", "internal.gone")], (), MonitorCost(queries=1, unsized=1)),
    ],
)  # fmt: skip
def test_cost_is_what_a_refresh_does_beside_what_it_does_anyway(work, scanned, expected):
    assert cost(work, Surroundings(SIZES, scanned)) == expected


def wanted(root, product, registry):
    return monitors(read_plan(root)[0].product(product), registry.dimensions())


def test_a_monitor_is_every_check_of_a_product(tiny, registry):
    product = read_plan(tiny)[0].product("readings")
    found = monitors(product, registry.dimensions())
    assert len(found) == len(product.checks) + len(product.indicators)
    assert {each.definition["kind"] for each in found} == {"objective", "indicator", "input", "dbt_test"}
    assert [each.name for each in found] == sorted({each.name for each in found})


def test_the_monitors_of_the_sample_mesh_run_the_queries_that_the_audit_runs(registry):
    """The costs are counted from each monitor's own work; the planner decides for all at once. Both must be the same queries."""
    dimensions = registry.dimensions()
    for product in read_plan(REPOSITORY)[0].products:
        asked = [
            Asked(f"{o.check.name}.{name}", o.subject.relation, measure)
            for o in product.audited
            for name, measure in dimensions[o.dimension].measures(o.settings, o.subject).items()
        ]
        work = [each for o in product.audited for each in objective_work(product, o, dimensions)]
        assert cost(work, Surroundings({})).queries == len(first_queries(asked))


def test_a_profiled_data_set_is_scanned_anyway(tiny):
    assert profiled_relations(read_plan(tiny)[0].product("readings")) == ("internal.measurements",)


NO_CHANGE = [
    (READINGS, "spec:\n", "# Nothing but a comment.\nspec:\n"),
    (model_file("plant", "readings", "measurements"), "select", "select distinct"),
    (READINGS, "description: Every temperature that a sensor has sent.", "description: Temperatures."),
]


@pytest.mark.slow
@pytest.mark.parametrize("change", NO_CHANGE)
def test_what_is_no_matter_of_monitors_changes_none(tiny, registry, change):
    before = wanted(tiny, "readings", registry)
    assert changes(before, wanted(edited(tiny, *change), "readings", registry), SURROUNDINGS) == ()


CHANGES = [
    (READINGS, "values: [north, south]", "values: [north]", "change", ("settings.values", ["north", "south"], ["north"])),
    (READINGS, "{values: [north, south]}", "{values: [north, south], severity: warn}", "change", ("settings.severity", None, "warn")),
    (READINGS, "max_age: 26h", "max_age: 1d", "change", ("settings.max_age", "26h", "24h")),
    (READINGS, "target: 80", "target: 90", "change", ("settings.target", 80.0, 90.0)),
    (READINGS, "at_least: 60", "at_least: 60\n        learned: yes", "retrain", ("settings.learned.sensitivity", None, 2.8)),
    (SUMMARY, "max_staleness: 36h", "max_staleness: 40h", "change", ("settings.max_staleness", "36h", "40h")),
    (SUMMARY, "gate: true", "gate: true\n        severity: error", None, None),
]


@pytest.mark.slow
@pytest.mark.parametrize(("file", "old", "new", "kind", "field"), CHANGES)
def test_a_change_of_the_specification_is_a_change_of_its_monitor(tiny, registry, file, old, new, kind, field):
    product = Path(file).parent.name
    before = wanted(tiny, product, registry)
    made = changes(before, wanted(edited(tiny, file, old, new), product, registry), SURROUNDINGS)
    assert [change.kind for change in made] == ([kind] if kind else [])
    assert field is None or field in [(each.field, each.old, each.new) for each in made[0].fields]


def test_a_change_of_a_key_changes_what_is_measured_of_it(tiny, registry):
    before = wanted(tiny, "summary", registry)
    after = wanted(edited(tiny, SUMMARY, "primary_key: [sensor]", "primary_key: [sensor, readings]"), "summary", registry)
    (change,) = changes(before, after, SURROUNDINGS)
    assert (change.monitor.name, [each.field for each in change.fields]) == ("sensors: one_row_per_sensor", ["measured"])


@pytest.mark.slow
def test_a_change_of_the_teams_own_dbt_test_is_seen(tiny, registry):
    test = "dbt_project/tests/plant/readings/warm.sql"
    (tiny / test).parent.mkdir(parents=True)
    (tiny / test).write_text("select * from {{ ref('measurements') }} where degrees < -50")
    before = wanted(tiny, "readings", registry)
    (change,) = changes(before, wanted(edited(tiny, test, "-50", "-40"), "readings", registry), SURROUNDINGS)
    assert (change.kind, change.monitor.name, [each.field for each in change.fields]) == ("change", "measurements: warm", ["settings.sql"])


def test_a_plan_of_every_kind_of_change_is_golden():
    kept = monitor("kept", scan("count(*)"), at_least=1)
    old = [
        kept,
        monitor("changed", scan("count(*)"), at_least=1000),
        monitor("gone", query("duplicates", "internal.orders", "internal.orders")),
        monitor("learned", scan("count(*)"), learned__sensitivity=2.8),
        monitor("old_name", scan("min(a)"), min=0),
    ]
    new = [
        kept,
        monitor("changed", scan("count(*)"), severity="error", at_least=2000, columns=["a", "b"], text="null"),
        monitor("fresh", scan("max(a)"), query("orphans", "internal.orders", "inputs.customers", "internal.gone"), at_most=1.5),
        monitor("learned", scan("count(*)"), learned__sensitivity=3.0),
        monitor("new_name", scan("min(a)"), min=0),
    ]
    products = (
        product_changes("orders", "sales", old, new, SURROUNDINGS, 12.34),
        product_changes("prices", "sales", [kept], [kept], SURROUNDINGS),
        product_changes("stock", "sales", [kept], [], SURROUNDINGS),
    )
    assert_golden(changes_text(products) + "\n", GOLDEN / "monitors_plan.txt")


def test_a_plan_without_changes_says_so():
    product = product_changes("orders", "sales", [A, B], [A, B], SURROUNDINGS)
    assert changes_text([product]) == "sales/orders: no changes, 2 unchanged\nNo changes: 1 product, 2 unchanged"
    assert changes_text([]) == "No changes: 0 products, no monitors"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "(none)"), ("sum(x)", "sum(x)"), ("60", '"60"'), ("true", '"true"'), ("", '""'), ("a\nb", '"a\\nb"'), ("\x1b[2J", '"\\u001b[2J"'),
        (60.0, "60"), (99.5, "99.5"), (True, "true"), (["a", 1], '["a", 1]'), ({}, "{}"),
    ],
)  # fmt: skip
def test_values_are_shown_on_one_line_and_never_obeyed(value, text):
    assert shown(value) == text
