"""A dbt project outside of any mesh, and the artefacts that dbt writes of it; `manifest` and `run_results` make small ones by hand."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.forked_commands import REPOSITORY, forked

DBT = [sys.executable, "-c", "from dbt.cli.main import cli; cli()"]
INVOCATION = "e7faf339-c170-43ca-b4ca-a1b773076ff5"
WRITTEN = "2024-06-01T05:00:09Z"
SCHEMA = "https://schemas.getdbt.com/dbt/{}/v{}.json"

PROJECT = {
    "dbt_project.yml": """
name: lake
version: "1.0"
config-version: 2
profile: lake
flags: {send_anonymous_usage_stats: false}
""",
    "profiles.yml": "lake: {target: dev, outputs: {dev: {type: duckdb, path: ':memory:', threads: 1}}}\n",
    "models/plant/readings/measurements.sql": "select 1 as reading_id, 'north' as sensor union all select 1, 'west'\n",
    "models/elsewhere/sensors.sql": "select 'north' as sensor\n",
    "models/elsewhere/broken.sql": "select nowhere as x\n",
    "models/elsewhere/stray.sql": "select 1 as x\n",
    "models/schema.yml": """
version: 2
models:
  - name: measurements
    columns:
      - name: reading_id
        data_tests: [unique, not_null]
      - name: sensor
        data_tests:
          - accepted_values: {arguments: {values: [north]}, config: {severity: warn}}
          - accepted_values: {name: "häss[/b]lich.1", arguments: {values: [nowhere]}}
  - name: sensors
    columns: [{name: sensor, data_tests: [not_null]}]
  - name: broken
    config: {meta: {product: summary}}
    columns: [{name: x, data_tests: [not_null]}]
  - name: stray
    columns: [{name: x, data_tests: [not_null]}]
unit_tests:
  - {name: all_are_there, model: measurements, given: [], expect: {rows: [{reading_id: 1, sensor: north}, {reading_id: 1, sensor: west}]}}
""",
    "tests/plant/readings/erring.sql": "select * from {{ ref('measurements') }} where no_such_column\n",
}


def write_project(folder: Path) -> Path:
    """The project on disk. Its tests pass, fail, warn, err and are skipped; one is of no product."""
    for path, text in PROJECT.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def dbt(project: Path, *arguments: str) -> Path:
    """`dbt …` in a process of its own, as elsewhere; gives the folder of its artefacts. Tests that fail are no failure of it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MESH_")} | {"PYTHONPATH": str(REPOSITORY)}
    command = [*DBT, *arguments, "--project-dir", str(project), "--profiles-dir", str(project)]
    done = forked(command, environment, project)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout + done.stderr)
    return project / "target"


def node(name: str, kind: str = "test", **more: Any) -> dict[str, Any]:
    """A node of a manifest as far as it is read."""
    written = {"resource_type": kind, "name": name, "original_file_path": f"models/{name}.sql", "fqn": ["lake", name]}
    return {**written, "depends_on": {"nodes": []}, **more}


def manifest(*nodes: dict[str, Any], version: int = 12, invocation: Any = INVOCATION, kind: str = "manifest") -> dict[str, Any]:
    metadata = {"dbt_schema_version": SCHEMA.format(kind, version), "invocation_id": invocation, "project_name": "lake"}
    return {"metadata": metadata, "nodes": {unique_id(each): each for each in nodes}}


def unique_id(each: dict[str, Any]) -> str:
    return f"{each['resource_type']}.lake.{each['name']}"


def run_results(
    *results: dict[str, Any], version: int = 6, invocation: Any = INVOCATION, kind: str = "run-results", written: str = WRITTEN
) -> dict[str, Any]:
    metadata = {"dbt_schema_version": SCHEMA.format(kind, version), "invocation_id": invocation, "generated_at": written}
    return {"metadata": metadata, "results": list(results)}


def result(name: str, status: str = "pass", at: str = "2024-06-01T05:00:01.000002Z", kind: str = "test", **more: Any) -> dict[str, Any]:
    """A result of a test; `at` is when it was done, empty if it never began."""
    timing = [{"name": "compile", "completed_at": "2024-06-01T04:00:00Z"}, {"name": "execute", "completed_at": at}] if at else []
    return {"unique_id": f"{kind}.lake.{name}", "status": status, "timing": timing, "failures": None, "message": None, **more}


def data(value: Any) -> bytes:
    return json.dumps(value).encode()
