"""Scores of real products: what is claimed is tried on published data, again only when something is different, and kept."""

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.people.score_store import kept_scores, newest_letters, score_history
from platform_resources.promises.grades import CheckState, ProductHealth
from platform_resources.publications.published_versions import shelf
from platform_resources.services.scoring import role_leaks, seen_facts, tried_evidence
from platform_resources.services.scoring.mutated_data import breakable
from platform_resources.services.showing.mesh_overview import mesh_overview
from tests.marketplace.shop_mesh import MEASUREMENTS, NOW, _version, opened_ledger, scored, shop_mesh
from tests.meshes import edited, product_file

pytestmark = pytest.mark.slow
READINGS = product_file("plant", "readings")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return shop_mesh(tmp_path_factory.mktemp("scored") / "mesh", NOW)


@pytest.fixture
def mesh(made, tmp_path):
    return shutil.copytree(made, tmp_path / "mesh", symlinks=True)


def score_of(mesh, name="readings", now=NOW + timedelta(minutes=5)):
    plan, problems = read_plan(mesh)
    assert not plan.rejected, problems
    ledger = opened_ledger(mesh)
    try:
        return scored(ledger, mesh, plan, [name], now)[name]
    finally:
        ledger.close()


def found(score):
    return {each.name: each for each in score.criteria}


def test_each_criterion_is_told_with_what_was_really_seen(mesh):
    criteria = found(score_of(mesh))
    seen = {
        "a-sample-query-runs": "1 of 1 give rows (100%)",
        "declared-is-observed": "the 6 columns of the newest version are the same",
        "valid-standards": "valid by their schemas",
        "lossless-standards": "what was read again is what was written",
        "columns-are-classified": "none is without a class",
        "personal-columns-have-a-policy": "masked or left out; in the clear for: nobody outside",
        "consumers-hold-agreements": "all 1 consumers do",
        "three-kinds-of-promises": "all three kinds",
        "found-by-its-terms": "a search for them gives it in place 1",
        "open-format": "measurements_file is parquet",
    }
    assert {name: criteria[name].evidence for name in seen} == seen
    # The loggers' file was never pulled in this mesh, and it has run for eight days: nothing is claimed.
    assert not criteria["response-in-time"].known
    assert criteria["lineage-with-versions"].gained == 0
    assert not criteria["tags-of-the-mesh"].known


DEPRECATED = "lifecycle: deprecated\n        end_date: 2099-01-01\n        replacement: "
# What is written instead of what, the criterion that loses by it, and what is told.
CLAIMS = (
    ("order by degrees desc limit 3", "where degrees > 1000", "sample-queries-run", "Warmest first: no rows"),
    ("Which sensor.", "The sensor.", "columns-are-described", "measurements.sensor"),
    ("at_least: 60", "at_least: 0", "three-kinds-of-promises", "no data could break: Most readings have a temperature"),
    ("nullable: true, classification: personal", "nullable: true", "columns-are-classified", "without a class: operator"),
    ("approved_by: plant", f"until: {NOW - timedelta(days=10):%Y-%m-%d}, approved_by: plant", "consumers-hold-agreements", "has expired"),
    ("lifecycle: production", f"{DEPRECATED}readings", "live-replacement", "it names itself"),
    ('type: "decimal(6,2)", nullable: true, unit: C', "type: double, nullable: true, unit: C", "declared-is-observed", "decimal(6,2)"),
)


def test_what_is_only_claimed_gains_nothing(mesh):
    before = found(score_of(mesh))
    for old, new, _, _ in CLAIMS:
        edited(mesh, READINGS, old, new)
    score = score_of(mesh)
    after = found(score)
    for _, _, criterion, told in CLAIMS:
        assert told in after[criterion].evidence, criterion
        # The promises of all three kinds are there without the one that says nothing.
        assert after[criterion].gained < before[criterion].gained or criterion == "three-kinds-of-promises", criterion
    assert max(score.letters.values()) <= 60
    edited(mesh, READINGS, "where degrees > 1000", "where nothing")
    edited(mesh, READINGS, "replacement: readings", "replacement: summary")
    after = found(score_of(mesh))
    assert "nothing" in after["sample-queries-run"].evidence
    assert after["live-replacement"].evidence == "summary is draft"


UNIQUE = """\
    - name: One row a reading
      type: service-level-asset
      properties: {dimension: uniqueness, data_set: measurements, columns: [reading_id]}
"""


def test_a_key_of_which_some_may_be_double_is_not_verified(mesh):
    edited(mesh, READINGS, "    - name: Warmest first", f"{UNIQUE}    - name: Warmest first")
    for text, verified in ((UNIQUE, ["measurements"]), (UNIQUE.replace("]}", "], at_least: 50}"), [])):
        edited(mesh, READINGS, UNIQUE, text)
        product = read_plan(mesh)[0].product("readings")
        (plan,) = (each for each in product.objectives if each.dimension == "uniqueness")
        met = CheckState(plan.check.name, plan.check.title, "objective", "uniqueness", False, "met", "", NOW, plan.check.key)
        health = ProductHealth("readings", "Readings", "plant", "healthy", None, (met,))
        assert [name for name, _ in seen_facts._verified_keys(product, health)] == verified


def test_an_input_by_a_shared_source_is_cited_by_its_pull():
    assert seen_facts._cited({"source": "plant.support", "pull": "20240601T050000.000000Z", "cursor": None})
    assert not seen_facts._cited({"source": "plant.support", "cursor": None})


def test_a_port_whose_file_is_gone_is_not_readable(mesh):
    # The catalog for SQL clients is written by a whole refresh, which this mesh never had.
    assert found(score_of(mesh))["ports-are-readable"].gained == 15
    for file in (mesh / "ports/plant/readings").rglob("*.parquet"):
        file.unlink()
    readable = found(score_of(mesh, now=NOW + timedelta(days=1)))["ports-are-readable"]
    assert readable.gained == 0 and "measurements_file: " in readable.evidence


@pytest.mark.parametrize(
    ("sensor", "leaks"), [("'north'", []), ("'Ada Lovelace'", ["values of measurements.operator are in sensor of a view"])]
)
def test_a_hidden_value_that_gets_out_by_another_column_is_found(mesh, sensor, leaks):
    plan, _ = read_plan(mesh)
    sql = MEASUREMENTS.format(known=9, rows=400, at=NOW.isoformat()).replace("'Ada' as operator", "'Ada Lovelace' as operator")
    sql = sql.replace("case when n % 2 = 0 then 'north' else 'south' end", sensor)
    list(_version(mesh, plan.product("readings"), sql, NOW + timedelta(minutes=1), {}))
    assert role_leaks.leaks(mesh, plan.product("readings"), shelf(mesh, "plant", "readings").latest()) == leaks


def test_an_objective_that_no_data_can_break_is_found_by_breaking_data(mesh):
    edited(mesh, READINGS, "at_least: 60", "at_least: 0")
    plan, _ = read_plan(mesh)
    assert breakable(plan.product("readings"), NOW) == {
        "refreshed_daily": True,
        "readings_are_never_deleted": True,
        "most_readings_have_a_temperature": False,
    }


def test_nothing_is_tried_again_until_something_is_different(mesh, monkeypatch):
    before = score_of(mesh)

    def tried_again(each):
        raise AssertionError(f"{each.product.name} was tried again")

    parts = {name: (key, tried_again) for name, (key, _) in tried_evidence.PARTS.items()}
    monkeypatch.setattr(tried_evidence, "PARTS", parts)
    assert score_of(mesh, now=NOW + timedelta(minutes=6)) == before
    edited(mesh, READINGS, "Which sensor.", "By which of the sensors.")
    with pytest.raises(AssertionError, match="readings was tried again"):
        score_of(mesh)


def test_when_time_is_up_products_go_by_what_was_tried_before(mesh):
    edited(mesh, READINGS, "order by degrees desc limit 3", "where degrees > 1000")
    plan, _ = read_plan(mesh)
    ledger = opened_ledger(mesh)
    try:
        in_no_time = scored(ledger, mesh, plan, ["summary", "readings"], NOW + timedelta(days=1), within=timedelta())
        assert set(in_no_time) == {"readings"}, "nothing was tried of the summary yet"
        assert found(in_no_time["readings"])["sample-queries-run"].evidence == "all 1 give rows"
        later = scored(ledger, mesh, plan, ["readings"], NOW + timedelta(days=1))
        assert "no rows" in found(later["readings"])["sample-queries-run"].evidence
    finally:
        ledger.close()


def test_history_has_a_row_a_day_and_one_for_each_change(mesh):
    first = NOW + timedelta(minutes=5)
    ledger = opened_ledger(mesh)
    with ledger.reading() as connection:
        assert set(newest_letters(connection)) == {"readings"}
    score_of(mesh, now=first)
    edited(mesh, READINGS, "Which sensor.", "The sensor.")
    changed = score_of(mesh, now=first + timedelta(minutes=1))
    score_of(mesh, now=first + timedelta(minutes=2))
    score_of(mesh, now=first + timedelta(days=1))
    with ledger.reading() as connection:
        past = score_history(connection, "readings", NOW - timedelta(days=1))
        kept = kept_scores(connection, ["readings"])["readings"]
    ledger.close()
    assert [each.at - first for each in past][-3:] == [timedelta(minutes=-5), timedelta(minutes=1), timedelta(days=1)]
    assert past[-2].letters == changed.letters and past[-2].letters["self-describing"] < past[-3].letters["self-describing"]
    assert kept.at == first + timedelta(days=1)


def test_a_product_that_no_longer_runs_has_no_grade(mesh):
    plan, _ = read_plan(mesh)
    retired = replace(plan, products=tuple(replace(each, runs=False) for each in plan.products))
    ledger = opened_ledger(mesh)
    try:
        shown = [set(mesh_overview(ledger, mesh, mesh, known, NOW + timedelta(minutes=5)).letters) for known in (plan, retired)]
    finally:
        ledger.close()
    assert shown == [{"readings"}, set()]
