"""What each dimension asks for, refuses, and says."""

import subprocess
import sys
import textwrap

import pytest
from pydantic import ValidationError

from platform_resources.capabilities.measures import (
    CountIf,
    DistinctKeys,
    DuplicateRows,
    MissingKeys,
    NullCount,
    OrphanRows,
    OutOfRange,
    RowCount,
    Scalar,
)
from platform_resources.capabilities.registry import installed_registry
from platform_resources.spec.reading import read_product
from tests.capabilities.customers import CUSTOMERS, ORDERS, PLAIN, POPULATION, REFERENCE, SUBJECT, configured, dimension

DIMENSIONS = (
    "accuracy",
    "availability",
    "bias",
    "business-kpi",
    "cadence",
    "completeness",
    "cost",
    "custom-sql",
    "distribution",
    "drift",
    "duration",
    "freshness",
    "referential-consistency",
    "schema",
    "uniqueness",
    "validity",
    "volume",
)


def problems(name, written, subject=SUBJECT):
    return list(dimension(name).problems(configured(name, written), subject))


@pytest.mark.parametrize("name", DIMENSIONS)
def test_every_example_is_read_without_a_problem(name):
    document = textwrap.dedent("""\
        apiVersion: core.oam.dev/v1beta1
        kind: DataProduct
        spec:
          components:
            - {name: sales, type: domain}
            - {name: shop, type: data-product}
        """) + textwrap.indent(dimension(name).example.strip("\n"), "    ")
    reading = read_product(document, "product.yaml", installed_registry())
    assert reading.problems == ()
    assert {objective.variant for objective in reading.product.objectives} == {name}


@pytest.mark.parametrize("name", DIMENSIONS)
def test_every_dimension_is_documented(name):
    assert len(type(dimension(name)).__doc__) > 40 and len(dimension(name).config.__doc__) > 20


MEASURES = [
    ("freshness", {}, PLAIN, {}),
    ("volume", {"at_least": 1}, SUBJECT, {"rows": RowCount()}),
    ("completeness", {"columns": ["id"]}, SUBJECT, {"rows": RowCount(), "nulls in id": NullCount("id")}),
    (
        "completeness",
        POPULATION,
        SUBJECT,
        {"population": DistinctKeys(ORDERS, ("customer",)), "missing": MissingKeys(("id",), ORDERS, ("customer",))},
    ),
    ("uniqueness", {}, SUBJECT, {"rows": RowCount(), "duplicates": DuplicateRows(("id",))}),
    (
        "referential-consistency",
        REFERENCE,
        SUBJECT,
        {"rows": RowCount(), "keyless": CountIf('"id" is null'), "orphans": OrphanRows(("id",), CUSTOMERS, ("id",))},
    ),
    ("custom-sql", {"failing_rows": "id < 0"}, SUBJECT, {"rows": RowCount(), "failing": CountIf("id < 0")}),
    ("custom-sql", {"scalar": "sum(id)", "min": 0}, SUBJECT, {"value": Scalar("sum(id)")}),
]


@pytest.mark.parametrize(("name", "written", "subject", "expected"), MEASURES)
def test_a_dimension_asks_for_its_measures(name, written, subject, expected):
    assert dimension(name).measures(configured(name, written), subject) == expected


VALIDITY = [
    ({"min": 0}, OutOfRange("id", "0", None)),
    ({"min": "2024-01-01", "max": "2024-12-31"}, OutOfRange("id", "'2024-01-01'", "'2024-12-31'")),
    ({"accepted_values": ["it's", "b"]}, CountIf("\"id\" not in ('it''s', 'b')", "id")),
    ({"accepted_values": [1, 2.5, True]}, CountIf('"id" not in (1, 2.5, true)', "id")),
    ({"pattern": "[0-9]+"}, CountIf("not regexp_full_match(cast(\"id\" as varchar), '[0-9]+')")),
    ({"not_in_future": True}, CountIf("\"id\" > now() at time zone 'UTC'")),
    ({"column": "made_at", "not_in_future": True}, CountIf('"made_at" > now()')),
    (
        {"column": "age_band", "accepted_values": [1, 2]},
        CountIf("case \"age_band\" when '1' then false when '2' then false else \"age_band\" is not null end", "age_band"),
    ),
]


@pytest.mark.parametrize(("written", "expected"), VALIDITY, ids=str)
def test_a_rule_of_validity_becomes_a_measure(written, expected):
    config = configured("validity", {"column": "id", **written})
    assert dimension("validity").measures(config, SUBJECT)["invalid"] == expected


REFUSED = [
    ("volume", {}, "write at least one of at_least, at_most, never_decreases: true, change_at_most"),
    ("volume", {"never_decreases": False}, "write at least one of"),
    ("volume", {"at_least": 5, "at_most": 4}, "at_least (5) is above at_most (4)"),
    ("volume", {"change_at_most": 0}, "greater than 0"),
    ("completeness", {}, "write either columns: [...] or population"),
    ("completeness", {"columns": ["id"], **POPULATION}, "write either columns: [...] or population"),
    ("completeness", {"population": POPULATION["population"]}, "population and keys belong together"),
    ("completeness", {"columns": ["id"], "keys": ["id"]}, "population and keys belong together"),
    ("completeness", {"columns": []}, "at least 1 item"),
    ("completeness", {"columns": ["id"], "at_least": 101}, "less than or equal to 100"),
    ("completeness", {"population": {"columns": ["a"]}, "keys": ["id"]}, "write either input: <input port> or data_set"),
    ("validity", {"column": "id"}, "write exactly one rule"),
    ("validity", {"column": "id", "min": 0, "pattern": "a"}, "write exactly one rule"),
    ("validity", {"column": "id", "min": 5, "max": 4}, "min (5) is above max (4)"),
    ("validity", {"column": "id", "min": 5, "max": "2024-01-01"}, "must both be numbers or both be dates"),
    ("validity", {"column": "id", "min": "five"}, "'five' is not a bound"),
    ("validity", {"column": "id", "min": True}, "True is not a bound"),
    ("validity", {"column": "id", "pattern": "[0-9"}, '"[0-9" is not a regular expression'),
    ("validity", {"column": "id", "pattern": "a(?!b)"}, "looks around or refers back"),
    ("validity", {"column": "id", "accepted_values": []}, "at least 1 item"),
    ("custom-sql", {}, "write either failing_rows: <condition> or scalar: <aggregate>"),
    ("custom-sql", {"failing_rows": "a", "scalar": "b"}, "write either failing_rows"),
    ("custom-sql", {"failing_rows": "a", "min": 1}, "min and max are for scalar"),
    ("custom-sql", {"failing_rows": "a", "at_most": 1, "at_most_percent": 1}, "write either at_most (rows) or at_most_percent"),
    ("custom-sql", {"scalar": "sum(a)"}, "scalar takes min, max or both"),
    ("custom-sql", {"scalar": "sum(a)", "min": 2, "max": 1}, "min (2) is above max (1)"),
    ("referential-consistency", {"columns": ["id"]}, "Field required"),
]


@pytest.mark.parametrize(("name", "written", "message"), REFUSED, ids=str)
def test_a_promise_that_says_nothing_or_contradicts_itself_is_refused(name, written, message):
    with pytest.raises(ValidationError) as refused:
        configured(name, written)
    assert message in str(refused.value)


def population(**changes):
    return {"population": {"input": "orders", "columns": ["customer"], **changes}, "keys": ["id"]}


PROBLEMS = [
    (
        "completeness",
        population(input="order"),
        ("population", 'unknown input port "order"; known: orders', 'did you mean "orders"?'),
    ),
    (
        "referential-consistency",
        {"columns": ["id"], "references": {"data_set": "costumers", "columns": ["id"]}},
        ("references", 'unknown data set "costumers"; known: customers', 'did you mean "customers"?'),
    ),
    (
        "completeness",
        population(columns=["a", "b"]),
        ("keys", "1 key column here (id) but 2 in orders (a, b)", "write as many columns on both sides, in the same order"),
    ),
    (
        "validity",
        {"column": "age_band", "accepted_values": [False, "SE"]},
        (
            "accepted_values",
            "false is not a value of a column of type varchar",
            'YAML reads yes, no, on and off as true and false; write them in quotes, as "no"',
        ),
    ),
    (
        "custom-sql",
        {"failing_rows": "age_bnd is null"},
        ("failing_rows", 'unknown column "age_bnd"; known: age_band, id, made_at', 'did you mean "age_band"?'),
    ),
]


@pytest.mark.parametrize(("name", "written", "expected"), PROBLEMS, ids=str)
def test_a_problem_says_where_what_and_what_was_meant(name, written, expected):
    assert problems(name, written) == [expected]


def test_uniqueness_without_columns_needs_a_primary_key():
    assert problems("uniqueness", {}) == []
    assert [p[:2] for p in problems("uniqueness", {}, PLAIN)] == [("columns", "columns is missing, and the data set has no primary_key")]


BAD_SQL = [
    ("id > 1; drop table customers", "only one expression is allowed, without ;"),
    ("id > 1;", "only one expression is allowed, without ;"),
    ("id >", "not a valid SQL expression"),
    ("'open", "not a valid SQL expression"),
    ("id > 1) from customers --", "not a valid SQL expression"),
    ("select id from customers", "not a valid SQL expression"),
    ("drop table customers", "not a valid SQL expression"),
    ("id, age_band", "not a valid SQL expression"),
    ("(select 1)", "not an SQL expression over the data set's columns"),
    ("*", "not an SQL expression over the data set's columns"),
    ("-- nothing", "not an SQL expression over the data set's columns"),
    ("id > max(id)", "MAX(id) looks at many rows, but a condition looks at one"),
]


@pytest.mark.parametrize(("sql", "message"), BAD_SQL)
def test_sql_that_is_not_one_condition_is_a_problem(sql, message):
    ((written_as, found, hint),) = problems("custom-sql", {"failing_rows": sql})
    assert written_as == "failing_rows" and message in found and hint


@pytest.mark.parametrize("sql", ["id + 1", "age_band"])
def test_a_scalar_that_is_no_aggregate_is_a_problem(sql):
    assert "is not one value over all rows" in problems("custom-sql", {"scalar": sql, "min": 0})[0][1]


GOOD_SQL = [
    "ID > 1 and age_band is not null",
    "made_at < current_date - interval 90 day -- too old",
    "age_band = 'a;b'",
    '"id" in (select x from "inputs"."orders")',
    "id > (select max(x) from inputs.orders)",
    "list_any_value(list_filter([id], x -> x > 1)) = 1",
    "age_band.field = 1",
]


@pytest.mark.parametrize("sql", GOOD_SQL)
def test_a_condition_over_the_columns_is_no_problem(sql):
    assert problems("custom-sql", {"failing_rows": sql}) == []


@pytest.mark.parametrize("sql", ["sum(id) / count(*)", "count(distinct id) filter (where age_band = 'a')", "some_new_aggregate(id)"])
def test_an_aggregate_over_the_columns_is_no_problem(sql):
    assert problems("custom-sql", {"scalar": sql, "min": 0}) == []


def test_columns_of_a_data_set_that_declares_none_are_not_checked():
    assert problems("custom-sql", {"failing_rows": "anything > 1"}, PLAIN) == []


@pytest.mark.slow
def test_reading_definitions_does_not_import_the_sql_parser():
    code = (
        "import sys; from platform_resources.capabilities.registry import installed_registry; installed_registry(); "
        "sys.exit('sqlglot' in sys.modules or 'duckdb' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
