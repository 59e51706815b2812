"""Names of column types: one for each type, the one that the database tells; every other spelling is refused with the right one."""

import duckdb
import pytest

from platform_resources.capabilities.support.column_types import observed_type
from platform_resources.spec.values.type_names import SIMPLE_TYPES, type_name

ACCEPTED = [
    ("decimal", "decimal(18,3)"),
    ("Decimal (18)", "decimal(18,0)"),
    ("decimal(18, 2)", "decimal(18,2)"),
    ("DECIMAL(018,02)", "decimal(18,2)"),
    ("decimal[]", "decimal(18,3)[]"),
    ("decimal(5)[][]", "decimal(5,0)[][]"),
    ("varchar(10)", "varchar"),
    ("varchar(10)[]", "varchar[]"),
    ("TIMESTAMPTZ[]", "timestamptz[]"),
    *((name, name) for name in SIMPLE_TYPES if name != "decimal"),
    *((f"{name}[]", f"{name}[]") for name in SIMPLE_TYPES if name != "decimal"),
]


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as connection:
        yield connection


@pytest.mark.parametrize(("written", "name"), ACCEPTED)
def test_a_type_has_the_name_by_which_the_database_tells_it(connection, written, name):
    assert type_name(written) == name
    (((told,),)) = connection.execute(f"select typeof(cast(null as {written}))").fetchall()
    assert observed_type(told) == name


def test_every_other_spelling_of_the_database_is_refused_with_one_that_is_taken(connection):
    spellings = {
        row[0] for row in connection.execute("select lower(type_name) from duckdb_types() where database_name = 'system'").fetchall()
    }
    others = sorted(spellings - {*SIMPLE_TYPES, "geometry", "null", "type"})
    assert len(others) > 50
    for spelling in others:
        with pytest.raises(ValueError, match="unknown column type") as refused:
            type_name(spelling)
        meant = refused.value.args[1].removeprefix('did you mean "').removesuffix('"?')
        assert type_name(meant) == meant, spelling


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("numeric(10,2)", "unknown column type", 'did you mean "decimal(10,2)"?'),
        ("text[]", "unknown column type", 'did you mean "varchar[]"?'),
        ("char(3)", "unknown column type", 'did you mean "varchar"?'),
        ("time with time zone", "unknown column type", 'did you mean "time"?'),
        ("timestamp with time zone[]", "unknown column type", 'did you mean "timestamptz[]"?'),
        ("integer[3]", "unknown column type", 'did you mean "integer[]"?'),
        ("struct(a integer, b varchar[])", "unknown column type", 'did you mean "json"?'),
        ("map(varchar, integer)[]", "unknown column type", 'did you mean "json[]"?'),
        ("enum('a', 'b')", "unknown column type", 'did you mean "varchar"?'),
        ("array<string>", "unknown column type", 'did you mean "json"?'),
        ("bigintt", "unknown column type", 'did you mean "bigint"?'),
        ("?", "unknown column type", ""),
        ("bigint(5)", "only decimal(18,2) takes numbers in parentheses", 'did you mean "bigint"?'),
        ("timestamp(3)", "only decimal(18,2) takes numbers in parentheses", 'did you mean "timestamp"?'),
        ("varchar(a)", "only decimal(18,2) takes numbers in parentheses", 'did you mean "varchar"?'),
        ("decimal(39,2)", "a decimal has 1 to 38 digits", "write one such as decimal(18,2)"),
        ("decimal(0)", "a decimal has 1 to 38 digits", "write one such as decimal(18,2)"),
        ("decimal(2,3)", "no more than those behind the point", "write one such as decimal(18,2)"),
        ("decimal()", "a decimal has 1 to 38 digits", "write one such as decimal(18,2)"),
    ],
)
def test_what_is_no_type_is_refused_with_what_was_meant(written, message, hint):
    with pytest.raises(ValueError) as refused:
        type_name(written)
    told, *hints = refused.value.args
    assert message in told
    assert hints in ([hint], [] if not hint else [hint])
