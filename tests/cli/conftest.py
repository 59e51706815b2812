"""What tests of the command line share."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from platform_resources.cli.app import app
from platform_resources.dbt.planning import read_plan
from platform_resources.publications.published_versions import Shelf, shelf
from platform_resources.refresh.product_locks import locked
from platform_resources.refresh.publishing import Candidate, publish
from platform_resources.warehouses.duckdb.product_database import opened
from tests.meshes import copied_mesh, tiny_mesh

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
ROWS = """
create or replace table internal.measurements as
select cast(n as bigint) as reading_id, 'north' as sensor, cast(20 as decimal(6, 2)) as degrees, timestamp '2024-06-01' as measured_at,
       'Ada' as operator, timestamptz '2024-06-01 14:00:00+02' as processed_at
from range(3) as numbers(n)
"""


@dataclass(frozen=True, slots=True)
class PublishedMesh:
    """The tiny mesh; `readings` has published one version of three rows, without dbt or Dagster."""

    root: Path

    def mesh(self, *arguments: Any) -> Result:
        """`mesh --root ROOT …` in this process; a Stop is left in `exception`."""
        return CliRunner().invoke(app, ["--root", str(self.root), *map(str, arguments)])

    @property
    def shelf(self) -> Shelf:
        return shelf(self.root, "plant", "readings")


@pytest.fixture(scope="session")
def published_once(tmp_path_factory):
    """The root of a published mesh, which is copied for each test."""
    root = tiny_mesh(tmp_path_factory.mktemp("published") / "mesh")
    with pytest.MonkeyPatch.context() as patch:
        _own_state(patch)
        publish_readings(root)
    return root


@pytest.fixture
def published(published_once, tmp_path, monkeypatch):
    _own_state(monkeypatch)
    return PublishedMesh(copied_mesh(published_once, tmp_path))


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def tagged(tiny, monkeypatch):
    """The root of the tiny mesh in git, tagged v1."""
    _own_state(monkeypatch)
    for command in ("init -q", "add dataproducts dbt_project", "commit -qm first", "tag v1"):
        git(tiny, *command.split())
    return tiny


def _own_state(patch: pytest.MonkeyPatch) -> None:
    for variable in ("MESH_STATE", "DAGSTER_HOME", "MESH_LEDGER"):
        patch.delenv(variable, raising=False)


def publish_readings(root: Path, now: datetime = NOW) -> None:
    product = read_plan(root)[0].product("readings")
    with locked(root, product), opened(root / "warehouse/plant/readings.duckdb") as database:
        database.connection.execute(ROWS)
        publish(database, Candidate(product, root, now, "run", "print"), {})
