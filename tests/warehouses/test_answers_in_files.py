"""Answers as files: each value is in them as it is, at any depth, in every form."""

import io
import json
import tempfile

import pyarrow as pa
import pytest

from platform_resources.warehouses.duckdb.consuming.consumer_sql import Selects, written_query
from platform_resources.warehouses.written_results import WantedResult

VALUES = {
    "date": ("'infinity'", "infinity"),
    "time": ("'24:00:00'", "24:00:00"),
    "timetz": ("'12:00:00-15:59:59'", "12:00:00-15:59:59"),
    "timestamp_ns": ("'2024-01-01 00:00:00.123456789'", "2024-01-01 00:00:00.123456789"),
    "interval": ("'1 month 2 days'", "1 month 2 days"),
    "uhugeint": ("340282366920938463463374607431768211455", "340282366920938463463374607431768211455"),
    "bignum": (f"'{10**50}'", str(10**50)),
    "bit": ("'101'::bit", "101"),
    "decimal(38,10)": ("0", "0.0000000000"),
    "uuid": ("'00000000-0000-0000-0000-000000000001'", "00000000-0000-0000-0000-000000000001"),
}


def answered(sql, form):
    with tempfile.TemporaryFile() as file:
        written_query(sql, Selects({}, ()), WantedResult(form, is_ours=True), file)
        file.seek(0)
        return file.read()


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("shape", ["{}", "[{}]", "{{'DATE': {}}}"], ids=["plain", "in a list", "in a structure"])
def test_a_value_that_python_or_arrow_has_not_is_its_text(shape, kind):
    value, text = VALUES[kind]
    sql = f"select {shape.format(f'cast({value} as {kind})')} as v"
    found = json.loads(answered(sql, "ndjson"))["v"]
    assert found == {"{}": text, "[{}]": [text]}.get(shape, {"DATE": text})
    if kind not in ("date", "time", "timestamp_ns", "decimal(38,10)"):  # of which Arrow has types
        assert pa.ipc.open_stream(io.BytesIO(answered(sql, "arrow"))).read_all().to_pylist() == [{"v": found}]
