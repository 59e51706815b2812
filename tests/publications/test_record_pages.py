"""Pages of records: together they are the whole, each row once, whatever is sorted by and however many rows are alike."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_resources.publications.record_pages import (
    Cursor,
    Filter,
    RecordsAsked,
    RecordsWrong,
    cursor_of,
    filter_of,
    next_cursor,
    page_sql,
)

COLUMNS = {"n": "bigint", "x": "double", "t": "varchar", "moment": "timestamp", "list": "integer[]"}
ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(0, 3)),
        st.one_of(st.none(), st.sampled_from([0.1, -1.5, float("inf"), float("nan")])),
        st.one_of(st.none(), st.sampled_from(["", "a", "o'b", "ü"])),
        st.one_of(st.none(), st.sampled_from(["2024-01-01 00:00:00", "2024-06-01 12:30:00.123456"])),
        st.sampled_from([[1], [1, 2], []]),
    ),
    max_size=25,
)


def pages(connection, key, order, size, filters=()):
    after = None
    while True:
        asked = RecordsAsked(filters=filters, order=order, limit=size, after=after)
        sql, hidden = page_sql("port", COLUMNS, key, asked)
        rows = connection.execute(sql).fetchall()
        yield from (row[: len(COLUMNS)] for row in rows)
        if len(rows) < size:
            return
        last = rows[-1][-hidden:]
        equal = next((n for n, row in enumerate(reversed(rows)) if row[-hidden:] != last), len(rows))
        after = cursor_of(next_cursor("v1", asked, last, equal, len(rows)).text)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.sampled_from([(), ("n",), ("n", "t")]), st.permutations(["n", "-x", "t", "-moment"]), st.integers(0, 3), st.integers(1, 7))
def test_the_pages_of_a_port_are_its_rows_each_once_and_in_order(rows, key, names, sorted_by, size):
    connection = duckdb.connect()
    connection.execute('create table "port" (n bigint, x double, t varchar, moment timestamp, list integer[])')
    if rows:
        connection.executemany('insert into "port" values (?, ?, ?, ?, ?)', rows)
    order = tuple(names[:sorted_by])
    found = [repr(row) for row in pages(connection, key, order, size)]
    whole = [repr(row) for row in connection.execute('select * from "port"').fetchall()]
    assert sorted(found) == sorted(whole)
    if order:
        by = ", ".join(f"{name.lstrip('-')} {'desc' if name.startswith('-') else 'asc'} nulls last" for name in order)
        values = connection.execute(f'select {", ".join(name.lstrip("-") for name in order)} from "port" order by {by}').fetchall()
        places = [list(COLUMNS).index(name.lstrip("-")) for name in order]
        given_rows = [repr(tuple(row[place] for place in places)) for row in pages(connection, key, order, size)]
        assert given_rows == [repr(row) for row in values]


FILTERS = {
    "n:ge:2": [2, 3],
    "n:lt:2": [0, 1],
    "n:in:1,3": [1, 3],
    "t:like:a%": [1, 3],
    "t:null:yes": [0],
    "t:null:no": [1, 2, 3],
    "t:eq:o'b": [2],
    "t:ne:a:b": [1, 2],
    "moment:gt:2024-01-01": [1],
}


@pytest.mark.parametrize(("text", "found"), FILTERS.items(), ids=FILTERS)
def test_a_filter_keeps_the_rows_that_meet_it(text, found):
    connection = duckdb.connect()
    connection.execute(
        """create table "port" as select * from (values (0, 1.0, null, timestamp '2023-01-01', [1]), (1, 1.0, 'a', timestamp '2024-05-01', [1]),
        (2, 1.0, 'o''b', null, [1]), (3, 1.0, 'a:b', null, [1])) as v(n, x, t, moment, list)"""
    )
    assert sorted(row[0] for row in pages(connection, ("n",), (), 10, (filter_of(text),))) == found


WRONG = {
    "no operator": (lambda: filter_of("degrees"), "write COLUMN:OPERATOR:VALUE"),
    "an unknown operator": (lambda: filter_of("n:gte:1"), 'no operator "gte"'),
    "null of what": (lambda: filter_of("n:null:maybe"), "n:null:yes or n:null:no"),
    "an unknown column": (lambda: page_sql("port", COLUMNS, (), RecordsAsked(filters=(Filter("nn", "eq", "1"),))), 'no column "nn"'),
    "sorted by a list": (lambda: page_sql("port", COLUMNS, (), RecordsAsked(order=("list",))), "by which nothing is sorted"),
    "no cursor": (lambda: cursor_of("abc"), "this is no cursor"),
    "too deep a cursor": (lambda: cursor_of("W1tb" * 3000), "this is no cursor"),
    "a cursor of another order": (
        lambda: page_sql("port", COLUMNS, (), RecordsAsked(order=("n",), limit=1, after=Cursor("v", "", ("1",), 1))),
        "of another question",
    ),
}


@pytest.mark.parametrize(("ask", "told"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_asked_is_told(ask, told):
    with pytest.raises(RecordsWrong, match=told):
        ask()


def test_nothing_that_somebody_writes_leaves_its_quotes():
    asked = RecordsAsked(filters=(filter_of('t:eq:\'; drop table "port"; --'),), limit=1)
    connection = duckdb.connect()
    connection.execute('create table "port" (n bigint, x double, t varchar, moment timestamp, list integer[])')
    assert len(connection.extract_statements(page_sql("port", COLUMNS, (), asked)[0])) == 1
