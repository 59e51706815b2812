"""The SQL of every dimension's examples, in each warehouse's dialect: golden files, to be reviewed in the diff.

The ones for DuckDB are run. Those for Snowflake are parsed, hold only functions that Snowflake has, and run on a stand-in for it.
"""

import re
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from sqlglot import TokenType, parse
from sqlglot.dialects import Snowflake

from platform_resources.capabilities.registry import installed_registry
from platform_resources.measuring.dialects import Untranslatable, translated
from tests.capabilities.measured_examples import TYPES, example_queries
from tests.golden_files import assert_golden

GOLDEN = Path(__file__).parents[1] / "golden" / "measures"
DIMENSIONS = [name for name, d in installed_registry().dimensions().items() if type(d).__module__.startswith("platform_resources.")]
# What the checks use of https://docs.snowflake.com/en/sql-reference/functions-all; add a function here only if it is in that list.
SNOWFLAKE = {
    "ABS", "ANY_VALUE", "AVG", "CAST", "CHR", "COALESCE", "CONVERT_TIMEZONE", "COUNT", "COUNT_IF", "CURRENT_DATABASE", "CURRENT_DATE",
    "CURRENT_TIMESTAMP", "DATEDIFF", "DATE_TRUNC", "EXP", "FLOOR", "GREATEST", "GREATEST_IGNORE_NULLS", "IFF", "LEAST",
    "LEAST_IGNORE_NULLS", "LISTAGG", "LN", "LOWER", "MAX", "MEDIAN", "MIN", "NULLIF", "PERCENTILE_CONT", "POWER", "REGEXP_LIKE",
    "REPLACE", "ROUND", "ROW_NUMBER", "SQRT", "STDDEV_POP", "STDDEV_SAMP", "SUM", "TRIM", "UPPER", "VAR_POP",
}  # fmt: skip
# Words of SQL, no functions, that a parenthesis may follow.
WORDS = {
    "AND", "AS", "BY", "ELSE", "EXISTS", "FROM", "GROUP", "IN", "JOIN", "NOT", "ON", "OR", "OVER", "SELECT", "THEN", "WHEN", "WHERE",
}  # fmt: skip


def golden_text(dimension: str, dialect: str) -> str:
    parts = []
    for title, queries in example_queries(dimension):
        sqls = "".join(f"{translated(query.sql, dialect)};\n" for query in queries)
        parts.append(f"-- {title}\n{sqls or '-- (measured otherwise than by SQL)' + chr(10)}")
    return "\n".join(parts)


@pytest.mark.parametrize("dialect", ["duckdb", "snowflake"])
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_sql_of_a_dimension_is_what_its_golden_file_says(dimension, dialect):
    assert_golden(golden_text(dimension, dialect), GOLDEN / f"{dimension}.{dialect}.sql")


def test_no_golden_file_is_left_of_a_dimension_that_is_gone():
    assert {file.name for file in GOLDEN.iterdir()} == {
        f"{name}.{dialect}.sql" for name in DIMENSIONS for dialect in ("duckdb", "snowflake")
    }


@pytest.fixture(scope="module")
def warehouse():
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; create schema internal; create schema inputs")
        yield connection


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_query_of_an_example_runs_on_duckdb_and_answers_its_metrics_in_one_row(warehouse, dimension):
    columns = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
    for _, queries in example_queries(dimension):
        for query in queries:
            for statement in tables(query.sql, columns):
                warehouse.execute(statement)
            (row,) = warehouse.execute(query.sql).fetchall()
            assert len(row) == len(query.metrics)


def tables(sql: str, columns: str) -> list[str]:
    """What makes the relations that a query names, empty."""
    return [
        f"create table if not exists {relation} ({columns})" for relation in sorted(set(re.findall(r'"(?:inputs|internal)"\."\w+"', sql)))
    ]


@pytest.fixture(scope="module")
def snowflake():
    """fakesnow speaks Snowflake's dialect and keeps its types; underneath it is DuckDB."""
    import fakesnow
    import snowflake.connector

    with fakesnow.patch(), snowflake.connector.connect(database="mesh", schema="public") as connection:
        cursor = connection.cursor()
        cursor.execute("create schema internal")
        cursor.execute("create schema inputs")
        yield cursor


@pytest.mark.slow
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_query_of_an_example_runs_on_a_stand_in_for_snowflake(snowflake, dimension):
    """Of tables whose names were written without quotes, as dbt writes them."""
    columns = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
    for _, queries in example_queries(dimension):
        for query in queries:
            for statement in (*(each.replace('"', "") for each in tables(query.sql, columns)), translated(query.sql, "snowflake")):
                snowflake.execute(statement)
            (row,) = snowflake.fetchall()
            assert len(row) == len(query.metrics)


def functions(sql: str) -> set[str]:
    """Whatever stands before a parenthesis."""
    tokens = Snowflake().tokenize(sql)
    called = (token.text.upper() for token, after in pairwise(tokens) if after.token_type == TokenType.L_PAREN and token.text[:1].isalpha())
    return set(called) - WORDS


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_sql_for_snowflake_is_its_dialect_and_holds_no_function_that_it_lacks(dimension):
    sql = golden_text(dimension, "snowflake")
    assert parse(sql, read="snowflake")
    assert functions(sql) - SNOWFLAKE == set()
    names = {token.text for token in Snowflake().tokenize(sql) if sql[token.start] == '"'}
    assert {name for name in names if name.isascii() and name.isidentifier() and name != name.upper()} == set()


def test_names_are_called_in_snowflake_as_they_are_without_quotes():
    sql = translated('select "id", "e-mail", \'"id"\' as "Shown" from "internal"."t" where "größe" = 1', "snowflake")
    assert " ".join(sql.split()) == """SELECT "ID", "e-mail", '"id"' AS "SHOWN" FROM "INTERNAL"."T" WHERE "größe" = 1"""


def test_patterns_and_samples_are_written_as_snowflake_takes_them():
    sql = translated(
        r"""select "a" from (select "a" from "t" where regexp_full_match(lower("a"), '(?i)x\.y|(?i)z')) using sample reservoir(9 rows)""",
        "snowflake",
    )
    assert (
        " ".join(sql.split())
        == r"""SELECT "A" FROM ( SELECT "A" FROM "T" WHERE REGEXP_LIKE(LOWER("A"), 'x\\.y|z', 'i') ) TABLESAMPLE (9 ROWS)"""
    )


def test_sql_that_has_no_equal_says_so():
    with pytest.raises(Untranslatable) as refused:
        translated("select count_if(x >", "snowflake")
    assert "select count_if(x >" in str(refused.value)
