"""Errors of a database tell what broke, and never a value that not everybody may see."""

from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pytest

from platform_resources.capabilities.measures import (
    CountIf,
    Elsewhere,
    Measure,
    OrphanRows,
    OutOfRange,
    PairCount,
    Pairing,
    Relation,
    Scalar,
)
from platform_resources.dbt.planning import read_plan
from platform_resources.measuring.metrics import Asked, Metric
from platform_resources.refresh.auditing import audit
from platform_resources.refresh.profiled_relations import profiles
from platform_resources.refresh.scanning import days_text
from platform_resources.warehouses.discretion import Discretion, discretion
from platform_resources.warehouses.duckdb.product_database import DuckDBDatabase, opened
from platform_resources.warehouses.measured_queries import measure
from platform_resources.warehouses.protocol import Days
from tests.meshes import component, edited, product_file

HERE, THERE, UNKNOWN = Relation("internal", "customers"), Relation("inputs", "people"), Relation("inputs", "elsewhere")
SECRET = "anna@x.org"
LEFT_OUT = "what else the database says is left out, because it may quote a value"
HIDDEN = Discretion({HERE: ("e-mail", "phone"), THERE: ("name",)})
EMPTY: dict[Relation, tuple[str, ...]] = {HERE: (), THERE: ()}
CASES: list[tuple[Measure, str]] = [
    (CountIf('cast("e-mail" as integer) > 0'), f"Conversion Error about e-mail; {LEFT_OUT}"),
    (CountIf('cast("E-MAIL" || phone as integer) > 0'), f"Conversion Error about e-mail or phone; {LEFT_OUT}"),
    (Scalar("min(strptime(\"e-mail\", '%d'))"), f"Invalid Input Error about e-mail; {LEFT_OUT}"),
    (Scalar('max(error(customers."e-mail"))'), f"Invalid Input Error about e-mail; {LEFT_OUT}"),
    (Scalar("max(cast(cast(customers as varchar) as integer))"), f"Conversion Error; {LEFT_OUT}"),
    (Scalar("max(cast(columns(*) as integer))"), f"Conversion Error; {LEFT_OUT}"),
    (Scalar("(select max(cast(name as integer)) from inputs.people)"), f"Conversion Error about name; {LEFT_OUT}"),
    (Elsewhere(Scalar("max(cast(name as integer))"), THERE), f"Conversion Error about name; {LEFT_OUT}"),
    (Elsewhere(Scalar("max(cast(name as integer))"), UNKNOWN), f"Conversion Error; {LEFT_OUT}"),
    (OrphanRows(("n",), THERE, ("name",)), f"Conversion Error about name; {LEFT_OUT}"),
    (
        PairCount(Pairing(("k",), THERE, ("k",), ("e-mail",), ("name",)), "cast(h0 as integer) > 0"),
        f"Conversion Error about e-mail or name; {LEFT_OUT}",
    ),
    (
        CountIf("cast(city as integer) > 0"),
        "Conversion Error: Could not convert string 'Ulm' to INT32 when casting from source column city",
    ),
    (
        Scalar("sum(phone)"),
        "Binder Error: No function matches the given name and argument types 'sum(VARCHAR)'. You might need to add explicit type casts.",
    ),
    (CountIf("phnoe = '1'"), 'Binder Error: Referenced column "phnoe" not found in FROM clause!'),
    (
        OutOfRange("e-mail", "1"),
        "Binder Error: Cannot compare values of type VARCHAR and type INTEGER_LITERAL - an explicit cast is required",
    ),
]


@pytest.fixture
def connection():
    with duckdb.connect() as found:
        found.execute("create schema internal; create schema inputs")
        found.execute(
            f"create table internal.customers as select '{SECRET}' as \"e-mail\", '{SECRET}' as phone, 'Ulm' as city, 1 as k, 1 as n"
        )
        found.execute(f"create table inputs.people as select '{SECRET}' as name, 1 as k")
        found.execute(
            f"create table internal.helper as select '{SECRET}' as odd; create table internal.odd as select '{SECRET}' as \"5\"\" x\""
        )
        found.execute(f"create table inputs.elsewhere as select '{SECRET}' as name")
        yield found


def error(connection, measured, words):
    (reading,) = measure([Asked("m", HERE, measured)], DuckDBDatabase(connection).execute, words=words).values()
    return reading.error


@pytest.mark.parametrize(("measured", "told"), CASES, ids=[told[:50] for _, told in CASES])
def test_words_that_may_quote_a_hidden_column_are_left_out(connection, measured, told):
    assert error(connection, measured, HIDDEN.words) == told
    assert SECRET not in told


ANY_COLUMN = (
    "(select max(cast(odd as integer)) from internal.helper)",
    "max(cast(#2 as integer))",
    'max(cast("e-mail" as integer))',
    "(select max(cast(cast(c as varchar) as integer)) from internal.customers as c)",
    "(select max(cast(c.e as integer)) from (select unnest([*columns(* exclude (city, k, n))]) as e from internal.customers) as c)",
    "(select count(*) from internal.customers natural join (select 1 as phone))",
    "(select max(cast(value as integer)) from (unpivot internal.customers on columns('p.*')))",
    "(select max(cast(a as integer)) from query('select phone as a from internal.customers'))",
)


@pytest.mark.parametrize("expression", ANY_COLUMN)
def test_what_reaches_values_in_another_way_is_not_quoted(connection, expression):
    told = error(connection, Scalar(expression), Discretion({**EMPTY, HERE: ("e-mail", "phone")}).words)
    assert LEFT_OUT in told and SECRET not in told


def test_sql_that_cannot_be_read_may_name_any_column():
    metric, broken = Metric(HERE, "max(phone) (("), RuntimeError(f"Conversion Error: {SECRET}")
    assert HIDDEN.words(metric, broken) == f"Conversion Error; {LEFT_OUT}"
    assert HIDDEN.words(Metric(HERE, "max(city); select 1"), broken) == f"Conversion Error; {LEFT_OUT}"


@pytest.mark.parametrize("expression", ["max(city = 'phone')", "max(city) /* phone */", "max(telephone)"])
def test_a_column_is_named_by_its_name_alone(expression):
    assert HIDDEN.words(Metric(HERE, expression), RuntimeError("Conversion Error: Ulm")) == "Conversion Error: Ulm"


def test_values_that_stand_for_null_name_no_column():
    here = replace(HERE, missing=(("city", "varchar", ("",)),))
    found = Discretion({here: ("phone",)})
    assert found.words(Metric(here, "max(city)"), RuntimeError("Conversion Error: Ulm")) == "Conversion Error: Ulm"
    assert found.words(Metric(here, "max(phone)"), RuntimeError("Conversion Error: 1")) == f"Conversion Error about phone; {LEFT_OUT}"


def test_a_name_with_a_double_quote_is_found_all_the_same(connection):
    odd = Relation("internal", "odd")
    measured = Elsewhere(Scalar('max(cast("5"" x" as integer))'), odd)
    assert error(connection, measured, Discretion({odd: ('5" x',)}).words) == f'Conversion Error about 5" x; {LEFT_OUT}'


def test_where_everything_may_be_seen_the_database_is_quoted(connection):
    told = error(connection, CountIf("cast(phone as integer) > 0"), Discretion(dict(EMPTY)).words)
    assert told == f"Conversion Error: Could not convert string '{SECRET}' to INT32 when casting from source column phone"


def test_of_a_view_nothing_is_quoted(connection):
    computed = Discretion({HERE: None, THERE: ()})
    assert error(connection, CountIf("cast(city as integer) > 0"), computed.words) == f"Conversion Error; {LEFT_OUT}"


WRONG = component(
    "Operators have numbers",
    "service-level-asset",
    "dimension: custom-sql\ndata_set: measurements\nfailing_rows: cast(operator as integer) < 1",
)
SENSOR = component(
    "Sensors have numbers",
    "service-level-asset",
    "dimension: custom-sql\ndata_set: measurements\nfailing_rows: cast(sensor as integer) < 1",
)
COLUMNS = "1::bigint as reading_id, 'north' as sensor, 2.5::decimal(6,2) as degrees, now()::timestamp as measured_at, 'Ada' as operator, now() as processed_at"


@pytest.fixture
def product(tiny):
    file = tiny / product_file("plant", "readings")
    added = "\n".join(f"    {line}" if line else line for line in f"{WRONG}\n{SENSOR}".splitlines())
    file.write_text(f"{file.read_text()}{added}\n")
    edited(
        tiny, product_file("plant", "readings"), "updated_at: processed_at", "updated_at: processed_at\n        partition_by: measured_at"
    )
    plan, problems = read_plan(tiny)
    assert problems == ()
    return plan.product("readings")


@pytest.mark.parametrize(("kind", "sensor"), [("table", "Could not convert string 'north' to INT32"), ("view", LEFT_OUT)])
def test_an_audit_quotes_no_personal_value(tmp_path, registry, product, kind, sensor):
    told = []
    with opened(tmp_path / "readings.duckdb") as database:
        database.execute(f"create {kind} internal.measurements as select {COLUMNS}")
        found = audit(database, product, registry, datetime.now(UTC), None, tell=told.append)
    reasons = {each.objective.check.name: each.judgement.reason for each in found}
    about = " about operator" if kind == "table" else ""
    assert reasons["operators_have_numbers"].endswith(f"could not be measured: Conversion Error{about}; {LEFT_OUT}")
    assert sensor in reasons["sensors_have_numbers"]
    assert "Ada" not in str(reasons)
    assert told == ["measurements: all rows were scanned, nothing could be told day by day"]


def test_a_profile_that_breaks_quotes_no_personal_value(tmp_path, product):
    with opened(tmp_path / "readings.duckdb") as database:
        database.execute(
            f"create view internal.measurements as select {COLUMNS.replace(chr(39) + 'Ada' + chr(39), 'error(' + chr(39) + 'Ada' + chr(39) + ')')}"
        )
        (found,) = profiles(database, product)
    errors = {column.name: column.error for column in found.profile.columns}
    assert errors["operator"] == f"Invalid Input Error; {LEFT_OUT}"
    assert "Ada" not in str(errors)


def test_inputs_are_as_their_upstream_has_classified_them(tmp_path, tiny):
    product = read_plan(tiny)[0].product("summary")
    with opened(tmp_path / "summary.duckdb") as database:
        database.execute(f"create table inputs.measurements as select {COLUMNS}, 1 as undeclared")
        found = discretion(database, product).hidden
    assert found == {Relation("internal", "sensors"): None, Relation("inputs", "measurements"): ("operator", "undeclared")}


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (Days(400, 2), "orders: 2 of 400 days were scanned; the others have not changed"),
        (Days(1, 1), "orders: 1 of 1 day was scanned"),
        (Days(0, 0), "orders: 0 of 0 days were scanned"),
        (None, "orders: all rows were scanned, nothing could be told day by day"),
    ],
)
def test_an_audit_by_day_says_how_many_days_it_scanned(days, told):
    assert days_text("orders", days) == told
