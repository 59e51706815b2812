"""Answers as files: each value is in them as it is, at any depth, in every form."""

import io
import json
import tempfile

import pyarrow as pa
import pytest

from platform_resources.warehouses.duckdb.consuming.consumer_sql import Selects, opened_query, written_query
from platform_resources.warehouses.written_results import WantedResult

VALUES = {
    "date": ("'infinity'", "infinity"),
    "time": ("'24:00:00'", "24:00:00"),
    "timetz": ("'12:00:00-15:59:59'", "12:00:00-15:59:59"),
    "timestamp_ns": ("'2024-01-01 00:00:00.123456789'", "2024-01-01 00:00:00.123456789"),
    "timestamptz": ("'infinity'", "infinity"),
    "interval": ("'1 month 2 days'", "1 month 2 days"),
    "uhugeint": ("340282366920938463463374607431768211455", "340282366920938463463374607431768211455"),
    "bignum": (f"'{10**50}'", str(10**50)),
    "bit": ("'101'::bit", "101"),
    "decimal(38,10)": ("0", "0.0000000000"),
    "uuid": ("'00000000-0000-0000-0000-000000000001'", "00000000-0000-0000-0000-000000000001"),
}

SHAPES = {
    "{}": lambda text: text,
    "[{}]": lambda text: [text],
    "{{'DATE': {}}}": lambda text: {"DATE": text},
    "[{{'a': [{}], 'b': null}}, null]": lambda text: [{"a": [text], "b": None}, None],
    "array_value({})": lambda text: [text],
    "row({}, 2)": lambda text: [text, 2],
    "union_value(u := {})": lambda text: text,
}
IN_ARROW = list(SHAPES)[:4]


def answered(sql, form):
    with tempfile.TemporaryFile() as file:
        written_query(sql, Selects({}, ()), WantedResult(form, is_ours=True), file)
        file.seek(0)
        return file.read()


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_value_that_python_or_arrow_has_not_is_its_text(shape, kind):
    value, text = VALUES[kind]
    sql = f"select {shape.format(f'cast({value} as {kind})')} as v"
    found = json.loads(answered(sql, "ndjson"))["v"]
    assert (list(found.values()) if shape == "row({}, 2)" else found) == SHAPES[shape](text)  # Arrow gives each place a name
    ((value,),) = [row for rows in opened_query(sql, Selects({}, ()))[1] for row in rows]
    told = json.loads(json.dumps(value, default=lambda decimal: f"{decimal:f}"))
    assert told == SHAPES[shape](int(text) if kind == "uhugeint" else text)
    if shape in IN_ARROW and kind not in ("date", "time", "timestamptz", "timestamp_ns", "decimal(38,10)"):  # of which Arrow has types
        assert pa.ipc.open_stream(io.BytesIO(answered(sql, "arrow"))).read_all().to_pylist() == [{"v": found}]


@pytest.mark.parametrize("kind", ["hugeint", "uhugeint"])
def test_a_sum_is_a_number_as_long_as_every_reader_of_json_keeps_it(kind):
    sql = f"select {2**53}::{kind} as a, {2**53 + 1}::{kind} as b, [1::{kind}, null] as c, map {{'k': 2::{kind}}} as d, sum(3) as e"
    found = {"a": 2**53, "b": str(2**53 + 1), "c": [1, None], "e": 3}
    (row,) = [row for rows in opened_query(sql, Selects({}, ()))[1] for row in rows]
    assert row == (2**53, 2**53 + 1, [1, None], {"k": 2}, 3)
    written = json.loads(answered(sql, "ndjson"))
    assert {name: written[name] for name in found} == found


def test_a_moment_has_its_zone_as_elsewhere_at_any_depth():
    sql = "select [timestamptz '2024-01-01 02:00:00+02', null] as v, map {timestamptz '2024-01-01 00:00:00+00': interval '1 month'} as m"
    ((moments, by_moment),) = [row for rows in opened_query(sql, Selects({}, ()))[1] for row in rows]
    assert (moments, by_moment) == (["2024-01-01 00:00:00+00:00", None], {"2024-01-01 00:00:00+00:00": "1 month"})
