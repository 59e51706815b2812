"""Machines for tests: processes with disks of their own, which share a storage and a PostgreSQL database and nothing else."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from typing import Any

from tests.forked_commands import Forked
from tests.ledger.ledgers import new_database
from tests.meshes import edited, product_file, tiny_mesh
from tests.refresh.running import environment, mesh, mesh_json, readings_csv


@dataclass(frozen=True)
class Machine:
    """A copy of the repository with a state folder and a home of Dagster, and what the environment says there."""

    root: Path
    said: Mapping[str, str]

    @property
    def state(self) -> Path:
        return Path(self.said["MESH_STATE"])

    def mesh(self, *arguments: str, **changes: str) -> Any:
        return mesh(self.root, *arguments, **{**self.said, **changes})

    def json(self, *arguments: str, **changes: str) -> Any:
        return mesh_json(self.root, *arguments, **{**self.said, **changes})

    def running(self, script: str, *arguments: str, **changes: str) -> Forked:
        """Python that is told the repository's root first."""
        command = [sys.executable, "-c", script, str(self.root), *arguments]
        return Forked(command, stdout=PIPE, stderr=PIPE, text=True, env=environment(**{**self.said, **changes}))

    def refreshed(self, *products: str) -> None:
        done = self.mesh("refresh", *products)
        assert done.returncode == 0, (done.stdout, done.stderr)

    def rows(self, product: str, sql: str) -> list[dict[str, Any]]:
        return self.json("query", product, sql)


@dataclass(frozen=True)
class Machines:
    """Two machines, and the bucket that they share."""

    folder: Path
    shared: Mapping[str, str]
    server: str
    history: str
    bucket: Any
    a: Machine
    b: Machine

    def new(self, name: str, prefix: str = "") -> Machine:
        """One more, which has never refreshed anything; with a prefix and a ledger of its own where one is given."""
        others = {"MESH_STORE": f"s3://mesh/{prefix}", "MESH_LEDGER": new_database(self.server)} if prefix else {}
        return _machine(self.folder / name, {**self.shared, **others}, self.history)

    def deliver(self, number: int) -> None:
        """The supplier's newest file, with one row, is the same to both; that of the delivery before is gone."""
        for machine in (self.a, self.b):
            deliver(machine.root, number)

    def keys(self, folder: str) -> list[str]:
        return sorted(entry["path"] for page in self.bucket.list(f"prod/{folder}") for entry in page)

    def pointer(self, domain: str, product: str) -> dict[str, Any]:
        return json.loads(bytes(self.bucket.get(f"prod/pointers/{domain}/{product}.json").bytes()))


def growing_mesh(folder: Path) -> Path:
    """What was delivered is kept, also where its file is gone."""
    path = 'path: "landing/*.csv"\n        load: append'
    spec = product_file("plant", "readings")
    return edited(edited(tiny_mesh(folder), spec, "path: landing/readings.csv", path), spec, "at_least: 3\n", "at_least: 1\n")


def deliver(root: Path, number: int) -> None:
    landing = root / "dataproducts/plant/readings/landing"
    for old in landing.glob("*.csv"):
        old.unlink()
    (landing / f"{number}.csv").write_text(readings_csv([(number, "north", number)]))


def machines(folder: Path, storage: tuple[Mapping[str, str], Any], server: str) -> Machines:
    """Two, in a storage and a PostgreSQL server of which these are the variables and the address."""
    said, bucket = storage
    shared = {**said, "MESH_STORE": "s3://mesh/prod", "MESH_LEASE": "1s", "MESH_LEDGER": new_database(server)}
    history = new_database(server)
    both = (_machine(folder / name, shared, history) for name in ("a", "b"))
    return Machines(folder, shared, server, history, bucket, *both)


def machine_of_its_own(folder: Path) -> Machine:
    """One that shares nothing."""
    return _machine(folder, {}, "")


def _machine(folder: Path, shared: Mapping[str, str], history: str) -> Machine:
    home = folder / "home"
    home.mkdir(parents=True)
    storage = {"storage": {"postgres": {"postgres_url": history}}} if history else {}
    (home / "dagster.yaml").write_text(json.dumps({**storage, "telemetry": {"enabled": False}}))
    return Machine(growing_mesh(folder / "repository"), {**shared, "MESH_STATE": str(folder / "state"), "DAGSTER_HOME": str(home)})
