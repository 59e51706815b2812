"""The dimension `schema`: what it says of columns, types and nulls, on a real DuckDB and in Snowflake's words."""

import pytest
from pydantic import ValidationError

from platform_resources.capabilities.dimensions.schema import CAPABILITY
from platform_resources.capabilities.support.column_types import is_type, observed_type
from platform_resources.capabilities.support.packed import unpacked
from tests.capabilities.judging import Warehouse, subject

ABOUT = subject(id="bigint", kind="varchar", amount="decimal(18,2)", made="timestamptz")
CLEAN = "select 1::bigint as id, 'a' as kind, 1.5::decimal(18,2) as amount, timestamptz '2026-01-01 00:00:00+00' as made"
STRICT = {"extra_columns": "forbid"}


@pytest.fixture
def warehouse():
    return Warehouse()


SCHEMAS = [
    (CLEAN, {}, "met", "4 columns as promised"),
    (f"select made, amount, kind, id from ({CLEAN})", STRICT, "met", "4 columns as promised"),
    (f"select id as ID, kind as Kind, amount, made from ({CLEAN})", STRICT, "met", "4 columns as promised"),
    (f"{CLEAN} limit 0", STRICT, "met", "4 columns as promised"),
    (f"select *, 1 as more from ({CLEAN})", {}, "met", "4 columns as promised"),
    (f'select *, 1 as "mehr\'ö", 2 as "a b" from ({CLEAN})', STRICT, "missed", "mehr'ö was not promised; a b was not promised"),
    (f"select * exclude (kind) from ({CLEAN})", {}, "missed", "kind is missing"),
    (f"select * replace (id::varchar as id) from ({CLEAN})", {}, "missed", "id is varchar, bigint was promised"),
    (f"select * replace (id::integer as id) from ({CLEAN})", {}, "missed", "id is integer, bigint was promised"),
    (f"select * replace (1.5::decimal(9,2) as amount) from ({CLEAN})", {}, "missed", "amount is decimal(9,2), decimal(18,2) was promised"),
    (f"select * replace (made::timestamp as made) from ({CLEAN})", {}, "missed", "made is timestamp, timestamptz was promised"),
    (
        f"select * replace ({{'a': 1, 'b': [2.5]}} as kind) from ({CLEAN})",
        {},
        "missed",
        "kind is struct(a integer, b decimal(2,1)[]), varchar was promised",
    ),
    (
        f"{CLEAN} union all select null, 'b', null, now() union all select 3, 'c', null, now()",
        {},
        "missed",
        "id is null in 1 row; amount is null in 2 rows",
    ),
    (f"{CLEAN} union all select null, 'b', null, now()", {"nullability": False}, "met", "4 columns as promised"),
    (f"select null::bigint as id, * exclude (id, kind) from ({CLEAN})", {}, "missed", "kind is missing; id is null in 1 row"),
]


@pytest.mark.parametrize(("table", "written", "verdict", "reason"), SCHEMAS, ids=[case[3] for case in SCHEMAS])
def test_columns_are_compared_with_what_was_promised(warehouse, table, written, verdict, reason):
    warehouse.here(table)
    assert warehouse.verdict("schema", written, ABOUT) == (verdict, reason)


def test_a_nullable_column_may_hold_nulls(warehouse):
    about = subject(id="bigint")
    nullable = about.data_set.columns[0].model_copy(update={"nullable": True})
    about = type(about)(about.data_set.model_copy(update={"columns": (nullable,)}), about.relation)
    warehouse.here("select null::bigint as id")
    assert warehouse.verdict("schema", {}, about) == ("met", "1 column as promised")


def test_rows_with_nulls_are_shown_of_the_column_that_has_most(warehouse):
    warehouse.here(f"{CLEAN} union all select 2, null, null, now() union all select 3, 'c', null, now()")
    judgement = warehouse.judged("schema", {}, ABOUT)
    assert (judgement.value, judgement.failing, judgement.failing_rows) == (2, "nulls in amount", 2)
    assert warehouse.failing("schema", {}, ABOUT, ["id"]) == [(2,), (3,)]


def test_a_relation_that_is_not_there_is_unknown(warehouse):
    assert warehouse.verdict("schema", {}, ABOUT) == ("unknown", "here is not there, or has no columns")


def test_a_view_and_another_relation_of_the_same_name_are_told_apart(warehouse):
    warehouse.there("select 1 as other")
    warehouse.connection.execute(f"create view internal.here as {CLEAN}; create table inputs.here as select 1 as wrong")
    assert warehouse.verdict("schema", STRICT, ABOUT)[0] == "met"


@pytest.mark.parametrize("name", ["select", "größe", 'a"b', "a b", "count", "Ünïcode🙂"])
def test_columns_of_an_input_may_have_any_name(warehouse, name):
    warehouse.there(f'select 1::bigint as "{name.replace(chr(34), chr(34) * 2)}"')
    assert warehouse.verdict("schema", {"input": "there", "columns": {name: "bigint"}, **STRICT}) == ("met", "1 column as promised")
    assert warehouse.verdict("schema", {"input": "there", "columns": {name: "varchar"}}) == (
        "missed",
        f"{name} is bigint, varchar was promised",
    )


def test_settings_that_contradict_each_other_are_refused():
    for written, message in [
        ({"input": "orders"}, "input and columns belong together"),
        ({"columns": {"a": "bigint"}}, "input and columns belong together"),
        ({"input": "orders", "columns": {"a": "bigint"}, "nullability": True}, "nullability is of the data set's own columns"),
        ({"input": "orders", "columns": {"a": "int"}}, 'unknown column type "int"'),
        ({"input": "orders", "columns": {}}, "at least 1 item"),
        ({"extra_columns": "ignore"}, "Input should be 'allow' or 'forbid'"),
    ]:
        with pytest.raises(ValidationError) as refused:
            CAPABILITY.config.model_validate(written)
        assert message in str(refused.value)


def test_an_unknown_input_and_a_data_set_without_columns_are_problems():
    unknown = CAPABILITY.config.model_validate({"input": "ther", "columns": {"a": "bigint"}})
    assert list(CAPABILITY.problems(unknown, subject())) == [("input", 'unknown input port "ther"; known: there', 'did you mean "there"?')]
    message = "the data set promises no columns, so there is nothing to compare with"
    assert list(CAPABILITY.problems(CAPABILITY.config(), subject())) == [("", message, "add columns to the data set")]


TYPES = [
    ("bigint", "NUMBER(38,0)", True),
    ("bigint", "NUMBER(38,2)", False),
    ("decimal(18,2)", "NUMBER(18,2)", True),
    ("decimal(18,2)", "NUMBER(18,3)", False),
    ("decimal(12,4)", "DECIMAL(12, 4)", True),
    ("decimal(18,3)[]", "DECIMAL(18,3)[]", True),
    ("varchar", "TEXT", True),
    ("varchar", "NUMBER(38,0)", False),
    ("double", "FLOAT", True),
    ("double", "BIGINT", False),
    ("timestamp", "TIMESTAMP_NTZ", True),
    ("timestamp", "TIMESTAMP_TZ", False),
    ("timestamptz", "TIMESTAMP_LTZ", True),
    ("timestamptz", "TIMESTAMP WITH TIME ZONE", True),
    ("timestamptz[]", "TIMESTAMP WITH TIME ZONE[]", True),
    ("timestamptz[][]", "TIMESTAMP WITH TIME ZONE[][]", True),
    ("timestamptz[]", "TIMESTAMP[]", False),
    ("enum('A b', 'TIME WITH TIME ZONE')", "ENUM('A b', 'TIME WITH TIME ZONE')", True),
    ("json", "VARIANT", True),
    ("blob", "BINARY", True),
    ("varchar[]", "ARRAY", True),
    ("bigint[]", "BIGINT[]", True),
    ("bigint[]", "INTEGER[]", False),
    ("boolean", "BOOLEAN", True),
]


@pytest.mark.parametrize(("promised", "reported", "kept"), TYPES, ids=str)
def test_a_type_is_known_in_the_words_of_each_warehouse(promised, reported, kept):
    assert is_type(promised, observed_type(reported)) is kept


def test_a_text_that_is_not_packed_is_refused():
    with pytest.raises(ValueError, match="has not 2 fields: 'no'"):
        unpacked("no", 2)
