"""NaN, infinity, the empty text and what a column says to be missing: the same in every dimension and in the profile."""

from dataclasses import replace

import pytest

from platform_resources.capabilities.measures import OutOfRange, Relation, measured_relation
from platform_resources.capabilities.registry import installed_registry
from platform_resources.capabilities.support.sql_text import relation_sql
from platform_resources.dbt.planning import read_plan
from platform_resources.measuring.dialects import translated
from platform_resources.measuring.measure_plan import first_queries
from platform_resources.measuring.metrics import Asked
from platform_resources.refresh.profiled_relations import profile, subjects
from platform_resources.refresh.relations import with_relations
from platform_resources.refresh.scanning import scanned
from platform_resources.spec.components import Column, DataSet
from platform_resources.warehouses.duckdb.product_database import opened
from tests.capabilities.judging import HERE, Warehouse, subject
from tests.meshes import edited, product_file

ODD = """
select * from (values (1, 1.0::double, 'a'), (2, 'nan'::double, ''), (3, 'nan'::double, ' '), (4, 0.0::double, 'a'), (5, 'infinity'::double, null),
                      (6, '-infinity'::double, 'NaN'), (7, null, 'a')) as v(id, x, s)
"""
PLAIN = subject(id="integer", x="double", s="varchar")


def saying(missing_x, missing_s):
    columns = [
        Column(name="id", type="integer"),
        Column(name="x", type="double", missing=missing_x),
        Column(name="s", type="varchar", missing=missing_s),
    ]
    data_set = DataSet(columns=tuple(columns))
    relation = measured_relation(HERE, data_set)
    return replace(PLAIN, data_set=data_set, relation=relation, data_sets={"here": relation})


SAID = saying(["NaN", float("inf"), "-Infinity"], ["", "NaN"])

# What each says of the seven rows: as they are, and where NaN, infinities, the empty text and "NaN" are missing.
RULE = [
    ("completeness", {"columns": ["x"]}, (6, 1), (2, 5)),
    ("completeness", {"columns": ["s"]}, (6, 1), (4, 3)),
    ("validity", {"column": "x", "min": 0}, (3, 3), (2, 0)),
    ("validity", {"column": "x", "max": 10}, (3, 3), (2, 0)),
    ("validity", {"column": "x", "min": 0, "max": 10}, (2, 4), (2, 0)),
    ("validity", {"column": "x", "accepted_values": [0, 1]}, (2, 4), (2, 0)),
    ("validity", {"column": "s", "accepted_values": ["a"]}, (3, 3), (3, 1)),
    ("validity", {"column": "s", "pattern": "[a-z]*"}, (4, 2), (3, 1)),
    ("uniqueness", {"columns": ["x"]}, (6, 1), (3, 4)),
    ("uniqueness", {"columns": ["s"]}, (5, 2), (3, 4)),
    ("referential-consistency", {"columns": ["x"], "references": {"data_set": "here", "columns": ["x"]}}, (6, 0), (2, 0)),
    ("referential-consistency", {"columns": ["s"], "references": {"input": "there", "columns": ["name"]}}, (3, 3), (3, 1)),
    ("custom-sql", {"failing_rows": "x > 1 or s = ''"}, (4, 3), (7, 0)),
]


@pytest.fixture
def warehouse():
    warehouse = Warehouse()
    warehouse.here(ODD)
    warehouse.there("select 'a' as name")
    return warehouse


@pytest.mark.parametrize(("dimension", "written", "plain", "said"), RULE, ids=[f"{name} {written}" for name, written, *_ in RULE])
def test_the_rule_of_values_that_say_nothing(warehouse, dimension, written, plain, said):
    for about, (good, bad) in ((PLAIN, plain), (SAID, said)):
        judgement = warehouse.judged(dimension, written, about)
        assert (judgement.rows - judgement.failing_rows, judgement.failing_rows) == (good, bad), judgement.reason


def test_a_metric_that_is_no_number_is_unknown_and_one_of_what_is_not_missing_is_known(warehouse):
    assert warehouse.judged("business-kpi", {"metric": "avg(x)", "min": 0}, PLAIN).verdict == "unknown"
    found = warehouse.judged("business-kpi", {"metric": "avg(x)", "min": 0}, SAID)
    assert (found.verdict, found.value) == ("met", 0.5)


def test_the_rows_that_fail_are_those_that_are_counted(warehouse):
    assert warehouse.failing("validity", {"column": "x", "min": 0}, PLAIN, ["id"]) == [(2,), (3,), (6,)]
    assert warehouse.failing("completeness", {"columns": ["s"]}, SAID, ["id"]) == [(2,), (5,), (6,)]


def test_a_share_of_a_category_that_is_missing_is_of_the_filled_rows(warehouse):
    shares = {"column": "s", "shares": {"a": {"min": 75}}}
    assert warehouse.judged("distribution", shares, PLAIN).verdict == "missed"
    assert warehouse.judged("distribution", shares, SAID).verdict == "met"


def test_nan_is_not_in_a_range_of_a_column_that_promises_no_type(warehouse):
    assert warehouse.judged("validity", {"column": "x", "min": 0}, subject()).failing_rows == 3


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz"])
def test_a_range_of_dates_holds_no_nan_and_is_still_measured(warehouse, kind):
    warehouse.here(f"select cast(d as {kind}) as x from (values (date '2024-01-01'), (date '2025-01-01'), (date '9999-12-31')) as v(d)")
    assert warehouse.judged("validity", {"column": "x", "min": "2024-06-01"}, subject(x=kind)).failing_rows == 1
    said = measured_relation(HERE, DataSet(columns=(Column(name="x", type=kind, missing=["9999-12-31"]),)))
    assert warehouse.judged("validity", {"column": "x", "max": "2024-06-01"}, replace(subject(x=kind), relation=said)).failing_rows == 1


@pytest.mark.parametrize(
    ("kind", "missing", "rows"),
    [
        ("integer", [-999, "-1"], "(1), (-999), (-1)"),
        ("decimal(6,2)", [99.5, 0], "(1), (99.50), (0)"),
        ("float", [".nan", -0.0], "('1'), ('nan'), ('0')"),
    ],
)
def test_numbers_that_stand_for_nothing_are_missing(warehouse, kind, missing, rows):
    warehouse.here(f"select cast(n as {kind}) as x from (values {rows}) as v(n)")
    said = measured_relation(HERE, DataSet(columns=(Column(name="x", type=kind, missing=missing),)))
    assert warehouse.judged("completeness", {"columns": ["x"]}, replace(subject(x=kind), relation=said)).failing_rows == 2


@pytest.mark.parametrize(
    ("missing", "filled"), [(None, 5), ([""], 4), ([" "], 4), ([" ", ""], 3), (["\u00a0", "  "], 3), (["", " ", "  ", "\u00a0", "x"], 0)]
)
def test_blanks_that_stand_for_nothing_are_missing_as_they_are_written(warehouse, missing, filled):
    warehouse.here("select unnest(['', ' ', '  ', chr(160), 'x', null]) as s")
    data_set = DataSet(columns=(Column(name="s", type="varchar", missing=missing),))
    about = replace(subject(s="varchar"), data_set=data_set, relation=measured_relation(HERE, data_set))
    found = warehouse.judged("completeness", {"columns": ["s"]}, about)
    assert (found.rows, found.failing_rows) == (6, 6 - filled)


# By way of a product: the profile, and days


@pytest.fixture
def measured(tiny):
    """The tiny mesh's data set with odd values, and what its profile says of it."""
    (product,) = [each for each in read_plan(tiny)[0].products if each.name == "readings"]
    (data_set,) = product.data_sets
    with opened(tiny / "odd.duckdb") as database:
        database.connection.execute(
            f"create table internal.measurements as select *, date '2024-01-01' + id::integer % 2 as day from ({ODD})"
        )

        def told(missing_x=None, missing_s=None, partition_by=None):
            columns = (Column(name="x", type="double", missing=missing_x), Column(name="s", type="varchar", missing=missing_s))
            changed = replace(data_set, spec=DataSet(columns=columns, partition_by=partition_by))
            about = replace(product, data_sets=(changed,))
            (wanted,) = subjects(database, about)
            return profile(database, wanted, scanned(database, about, wanted.asked).readings)

        yield told


@pytest.mark.parametrize("partition_by", [None, "day"])
def test_the_profile_counts_what_is_missing_as_null(measured, partition_by):
    for missing, nulls, not_numbers, distinct in ((None, 1, 4, 5), (["NaN", "Infinity", "-Infinity"], 5, 0, 2), (None, 1, 4, 5)):
        (x,) = [column for column in measured(missing, None, partition_by).columns if column.name == "x"]
        assert (x.nulls, x.not_numbers, x.distinct, x.minimum, x.maximum) == (nulls, not_numbers, distinct, 0.0, 1.0)
    (s,) = [column for column in measured(None, ["", "NaN"], partition_by).columns if column.name == "s"]
    assert (s.nulls, s.minimum, s.distinct) == (3, " ", 2)


def test_what_is_missing_is_so_in_snowflake_too():
    relation = measured_relation(Relation("internal", "here"), SAID.data_set)
    (query,) = first_queries([Asked("low", relation, OutOfRange("x", "0", None, True))])
    text = " ".join(translated(query.sql, "snowflake").split())
    assert "MAX(\"X\") = CAST('nan' AS DOUBLE)" in text
    assert "* REPLACE (CASE WHEN \"X\" IN (CAST('NaN' AS DOUBLE), CAST('inf' AS DOUBLE), CAST('-inf' AS DOUBLE)) THEN NULL" in text


def test_what_is_missing_stays_so_where_dbt_writes_the_data_set_elsewhere(tiny):
    edited(tiny, product_file("plant", "readings"), "{name: sensor, type: varchar,", '{name: sensor, type: varchar, missing: [""],')
    product = read_plan(tiny)[0].product("readings")
    moved = with_relations(product, {"measurements": Relation("elsewhere", "m")})
    told = {relation_sql(objective.subject.relation) for objective in moved.objectives if objective.data_set}
    assert told == {
        """(select * replace (case when "sensor" in ('') then null else "sensor" end as "sensor") from "elsewhere"."m")""",
    }


# NaN in every dimension: of x = 1, 2, NaN, without and with `missing: [NaN]`

BY_KEY = {"reference": {"input": "there", "columns": ["id"]}, "keys": ["id"]}
NOT_A_NUMBER = [
    ("completeness", {"columns": ["x"]}, "met 100 of 3", "missed 66.7 of 3"),
    ("completeness", {"population": {"input": "there", "columns": ["x"]}, "keys": ["x"]}, "met 100 of 3", "missed 66.7 of 3"),
    ("validity", {"column": "x", "min": 0}, "missed 66.7 of 3", "met 100 of 2"),
    ("validity", {"column": "x", "max": 10}, "missed 66.7 of 3", "met 100 of 2"),
    ("validity", {"column": "x", "accepted_values": [1, 2]}, "missed 66.7 of 3", "met 100 of 2"),
    ("validity", {"column": "x", "pattern": "[0-9.]+"}, "missed 66.7 of 3", "met 100 of 2"),
    ("uniqueness", {"columns": ["x"]}, "met 100 of 3", "met 100 of 3"),
    ("referential-consistency", {"columns": ["x"], "references": {"input": "there", "columns": ["x"]}}, "met 100 of 3", "met 100 of 2"),
    ("accuracy", {**BY_KEY, "compare": {"x": {}}}, "met 100 of 3", "missed 66.7 of 3"),
    ("accuracy", {**BY_KEY, "compare": {"x": {"tolerance": 0.1}}}, "met 100 of 3", "missed 66.7 of 3"),
    ("accuracy", {"reference": {"input": "there", "columns": ["x"]}, "keys": ["x"]}, "met 100 of 3", "met 100 of 2"),
    ("accuracy", {"reference": {"input": "there"}, "sums": {"x": {"tolerance": 1}}}, "unknown", "unknown"),
    ("distribution", {"column": "x", "outside_usual": {"iqr": 3}, "at_most": 10}, "missed 33.3 of 3", "met 0 of 2"),
    ("distribution", {"column": "x", "shares": {"NaN": {"max": 10}}}, "missed 1", "met 0"),
    ("drift", {"column": "x", "reference": {"edges": [1.5], "shares": [33.3, 66.7]}, "least_rows": 1}, "met 0", "met 0.1"),
    ("drift", {"column": "x", "reference": {"categories": {"1": 33, "2": 33, "nan": 34}}, "least_rows": 1}, "met 0", "missed 2.9"),
    ("drift", {"column": "x", "reference": {"input": "there"}, "least_rows": 1}, "met 0", "missed 2.8"),
    ("bias", {"group": "g", "outcome": "x", "minimum_group_size": 1}, "unknown", "unknown"),
    ("bias", {"group": "x", "condition": "id = 3", "minimum_group_size": 1}, "met 0", "unknown 1"),
    ("business-kpi", {"metric": "max(x)", "min": 0}, "unknown", "met 2"),
    ("business-kpi", {"metric": "count(x)", "min": 0}, "met 3", "met 2"),
    ("custom-sql", {"failing_rows": "x > 10"}, "missed 1 of 3", "met 0 of 3"),
    ("custom-sql", {"scalar": "sum(x)", "min": 0}, "unknown", "met 3"),
    ("freshness", {}, "met 3600", "met 3600"),
    ("volume", {"at_least": 3}, "met 3", "met 3"),
    ("schema", {}, "met 0", "missed 1"),
]  # fmt: skip
THREE = """
select * from (values (1, 1.0::double, 'a', timestamp '2026-06-01 11:00:00'), (2, 2.0, 'b', timestamp 'infinity'),
                      (3, 'nan'::double, 'a', timestamp '-infinity')) as v(id, x, g, made)
"""


def told(judgement) -> str:
    rows = f" of {judgement.rows}" if judgement.rows is not None else ""
    value = f" {round(float(judgement.value), 1):g}" if judgement.value is not None else ""
    return f"{judgement.verdict}{value}{rows}"


@pytest.mark.parametrize(("dimension", "written", "plain", "said"), NOT_A_NUMBER, ids=[f"{name} {what}" for name, what, *_ in NOT_A_NUMBER])
def test_nan_in_every_dimension(warehouse, dimension, written, plain, said):
    warehouse.here(THREE)
    warehouse.there(THREE)
    for missing, verdict in ((None, plain), (["NaN"], said)):
        kinds = (("id", "integer", None), ("x", "double", missing), ("g", "varchar", None), ("made", "timestamp", None))
        data_set = DataSet(columns=tuple(Column(name=n, type=kind, missing=m) for n, kind, m in kinds), updated_at="made")
        relation = measured_relation(HERE, data_set)
        about = replace(subject(), data_set=data_set, relation=relation, data_sets={"here": relation})
        assert told(warehouse.judged(dimension, written, about)) == verdict


def test_no_dimension_is_left_out_but_those_that_look_at_no_column():
    dimensions = installed_registry().dimensions()
    without = {name for name, dimension in dimensions.items() if dimension.measured_by != "audit"}
    assert without == {"availability", "cadence", "cost", "duration"}
    assert {name for name, *_ in NOT_A_NUMBER} == dimensions.keys() - without
