"""Row filters: what may be said, what is refused, and that nothing of the text itself comes into SQL."""

import pytest

from platform_resources.access.row_filters import NotAFilter, fits, row_filter

COLUMNS, ATTRIBUTES = ("region", "amount", 'odd "name'), ("region",)


def sql(text, **attributes):
    return row_filter(text, COLUMNS, ATTRIBUTES).sql(attributes)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("region = reader.region", "\"region\" = 'EU'"),
        ("REGION in ('EU', 'US') and not amount between 1 and 3", "\"REGION\" IN ('EU', 'US') AND NOT \"amount\" BETWEEN 1 AND 3"),
        ("region like '%''; drop table x --'", "\"region\" LIKE '%''; drop table x --'"),
        ('"odd ""name" is not null or amount < -1', 'NOT "odd ""name" IS NULL OR "amount" < -1'),
        ("amount = 1 -- or 1 = 1", '"amount" = 1'),
    ],
)
def test_a_filter_is_written_anew_from_its_parts(text, written):
    assert sql(text, region="EU") == written


def test_the_value_of_an_attribute_stays_a_text_whatever_it_holds():
    assert sql("region = reader.region", region="x' or '1' = '1") == "\"region\" = 'x'' or ''1'' = ''1'"


@pytest.mark.parametrize(
    "text",
    [
        "amount = 1; drop table x",
        "amount in (select 1)",
        "exists(select 1 from inputs.secret)",
        "read_text('/etc/passwd') = 'x'",
        "amount = getvariable('mesh_inner_x')",
        "cast(region as integer) = 1",
        "amount = (select max(amount) from x)",
        "select 1",
        "copy x to 'y'",
        "attach 'x'",
        "amount = $1",
        "amount = ?",
        "internal.other.amount = 1",
        "other.amount = 1",
        "secret = 1",
        "reader.zone = 'x'",
        "region in amount",
        "amount",
        "1",
        "",
        "((",
        "amount = any([1])",
        "case when amount = 1 then true end",
        "sum(amount) > 1",
    ],
)
def test_what_is_no_plain_condition_is_refused(text):
    with pytest.raises(NotAFilter):
        row_filter(text, COLUMNS, ATTRIBUTES)


@pytest.mark.parametrize(
    ("value", "kind", "is_one"),
    [
        ("7", "bigint", True),
        ("7.5", "bigint", False),
        ("7.5", "decimal(9, 2)", True),
        ("many", "double", False),
        ("2026-11-29", "date", True),
        ("yesterday", "date", False),
        ("2026-11-29T10:00:00", "timestamp", True),
        ("noon", "timestamptz", False),
        ("true", "boolean", True),
        ("yes", "boolean", False),
        ("anything", "varchar", True),
        ("anything", "uuid", True),
    ],
)
def test_a_value_of_an_attribute_is_of_the_type_of_its_column(value, kind, is_one):
    assert fits(value, kind) == is_one


def test_a_reader_without_the_attribute_is_never_given_a_filter():
    with pytest.raises(KeyError):
        sql("region = reader.region")
