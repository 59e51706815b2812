"""Clients of an older DuckDB open the catalog: in an environment of their own, for two versions do not go into one."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from platform_resources.access.grants import KnownGrants
from platform_resources.dbt.planning import read_plan
from platform_resources.refresh.publishing import Candidate, publish, tidied
from platform_resources.warehouses.duckdb.product_database import opened

OLD_DUCKDB = "duckdb==1.5.5"
ROWS = """
create table internal.measurements as
select cast(n as bigint) as reading_id, 'north' as sensor, cast(20.5 as decimal(6, 2)) as degrees, timestamp '2024-06-01' as measured_at,
       'Ada' as operator, timestamptz '2024-06-01 14:00:00+02' as processed_at, cast(170141183460469231731687303715884105727 as hugeint) as big,
       interval '1 second 5 microseconds' as long
from range(3) as numbers(n)
"""
READ = """
import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=True) as client:
    client.execute("set timezone = 'UTC'")
    rows = client.execute("select degrees::varchar, processed_at::varchar, big::varchar, long::varchar, count(*) from measurements group by all").fetchall()
    comments = client.execute("select comment from duckdb_views() where view_name = 'measurements'").fetchall()
    print(json.dumps([duckdb.__version__, rows, comments]))
"""


@pytest.fixture(scope="module")
def old_python(tmp_path_factory):
    """A Python with an older DuckDB."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        pytest.skip("uv is not there to make an environment with an older DuckDB")
    folder = tmp_path_factory.mktemp("old") / "venv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    python = folder / "bin/python"
    installed = subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), OLD_DUCKDB], capture_output=True, text=True)
    if installed.returncode != 0:
        pytest.skip(f"{OLD_DUCKDB} cannot be had from the package registry: {installed.stderr.strip()[-200:]}")
    return python


@pytest.mark.slow
def test_a_client_of_an_older_duckdb_reads_the_catalog(tiny, old_python):
    product = read_plan(tiny)[0].product("readings")
    with opened(tiny / "warehouse/plant/readings.duckdb") as database:
        database.connection.execute(ROWS)
        candidate = Candidate(product, tiny, datetime(2024, 6, 1, tzinfo=UTC), "run", "print")
        assert list(tidied(candidate, publish(database, candidate, {}), tiny, KnownGrants())) == []
    catalog = tiny / "ports/plant/readings/readings.duckdb"
    done = subprocess.run([old_python, "-c", READ, str(catalog)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    version, rows, comments = json.loads(done.stdout)
    assert version.startswith("1.5.")
    assert rows == [["20.50", "2024-06-01 12:00:00+00", str(2**127 - 1), "00:00:01.000005", 3]]
    assert comments == [[product.data_set("measurements").spec.description]]
