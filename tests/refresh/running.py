"""A mesh refreshed for tests: in this process, as `mesh` in a process of its own, or some steps only, as from Dagster's UI."""

import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg

from platform_resources.dbt.planning import read_plan
from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.orchestration.definitions import definitions
from platform_resources.orchestration.events.ledger_events import synced_ledger
from platform_resources.orchestration.refresh_runs import Refreshed, refresh
from platform_resources.plan import conventions
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.promises.grades import ProductHealth
from platform_resources.publications.consumer_queries import queried
from platform_resources.publications.published_versions import Shelf, shelf
from platform_resources.publications.version_records import Publication
from platform_resources.services.product_status import looked_at
from tests.forked_commands import MESH, Forked, forked
from tests.meshes import READINGS_CSV, REPOSITORY, keep_parsed

CSV = "dataproducts/plant/readings/landing/readings.csv"


@dataclass(frozen=True, slots=True)
class RunningMesh:
    """A mesh with a Dagster instance of its own."""

    root: Path
    instance: dg.DagsterInstance

    @property
    def plan(self) -> MeshPlan:
        return read_plan(self.root)[0]

    def product(self, name: str) -> ProductPlan:
        return self.plan.product(name)

    def refresh(self, *names: str) -> tuple[Refreshed, ...]:
        """Refresh the products named, upstream first."""
        return tuple(refresh(self.root, self.plan, names, self.instance, None, _say_nothing))

    def health(self, name: str, now: datetime) -> ProductHealth:
        """How a product is, as `mesh status --sync` says it."""
        with synced_ledger(self.root, self.instance, now) as ledger:
            return looked_at(ledger, self.root, self.plan, [self.product(name)], now)[0][0]

    def shelf(self, name: str) -> Shelf:
        return shelf(self.root, self.product(name).domain, name)

    def latest(self, name: str) -> Publication:
        found = self.shelf(name).latest()
        assert found is not None
        return found

    def rows(self, name: str, sql: str) -> list[tuple[Any, ...]]:
        return queried(self.root, self.product(name).domain, name, sql)[1]

    def materialised(self, name: str, *steps: str) -> dg.ExecuteInProcessResult:
        """Materialise only the assets of these steps, as a person may in Dagster's UI."""
        product = self.product(name)
        keys = {
            "pull": [port.key for port in product.inputs],
            "build": [model.key for model in product.models],
            "publish": [port.key for port in product.outputs],
        }
        selection = [asset_key(key) for step in steps for key in keys[step]]
        job = definitions(self.root, self.plan).resolve_job_def(conventions.job_name(name))
        return job.execute_in_process(instance=self.instance, raise_on_error=False, asset_selection=selection)

    def check(self, product: str, asset: tuple[str, ...], name: str) -> dg.AssetCheckEvaluation:
        """The last evaluation of a check; `asset` is its key behind the product's name."""
        key = dg.AssetCheckKey(asset_key((product, *asset)), name)
        record = self.instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
        assert record.event is not None and record.event.dagster_event is not None
        evaluation = record.event.dagster_event.asset_check_evaluation_data
        assert isinstance(evaluation, dg.AssetCheckEvaluation)
        return evaluation

    def scorecard(self, product: str) -> Mapping[str, Any]:
        """The metadata of the newest scorecard, with its numbers."""
        event = self.instance.get_latest_materialization_event(asset_key((product, "scorecard")))
        assert event is not None and event.asset_materialization is not None
        told = {name: value.value for name, value in event.asset_materialization.metadata.items()}
        return told | told["numbers"]


def _say_nothing(product: str, step: str) -> None:
    """Progress is for people."""


def publish(*names):
    """What refreshes these products, which must all be published."""

    def begin(mesh):
        assert {done.outcome for done in mesh.refresh(*names)} == {"published"}

    return begin


@contextmanager
def running(root: Path) -> Iterator[RunningMesh]:
    """The mesh with the Dagster instance that `mesh` has for it, whatever DAGSTER_HOME says."""
    with dg.DagsterInstance.from_config(str(_made(root / ".dagster"))) as instance:
        yield RunningMesh(root, instance)
        keep_parsed(root)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def environment(**changes: str) -> dict[str, str]:
    """This process's environment without what would lead `mesh` to another mesh's state."""
    left_out = ("DAGSTER_HOME", "MESH_STATE")
    return {name: value for name, value in os.environ.items() if name not in left_out} | {"PYTHONPATH": str(REPOSITORY), **changes}


def mesh(root: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """`mesh --root ROOT …` in a process of its own, which has imported everything; `changes` are environment variables."""
    done = forked([*MESH, "--root", str(root), *arguments], environment(**changes))
    keep_parsed(root)
    return done


def mesh_from_a_shell(root: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """The same in a process that begins with nothing, as a shell starts it: it costs seconds."""
    command = [*MESH, "--root", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(**changes), timeout=600, check=False)


def mesh_json(root: Path, *arguments: str, **changes: str) -> Any:
    """What `mesh … --json` prints, which must be JSON and nothing else. Exit codes 0 and 1 both say something."""
    done = mesh(root, *arguments, "--json", **changes)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def started(root: Path, *arguments: str, **changes: str) -> Forked:
    """`mesh` running beside this process."""
    command = [*MESH, "--root", str(root), *arguments]
    return Forked(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**changes))


def deliver(root: Path, text: str, path: str = CSV) -> None:
    """Replace the delivered file, as a supplier does."""
    part = root / f"{path}.new"
    part.write_text(text, encoding="utf-8")
    os.replace(part, root / path)


def readings_csv(rows: Iterable[tuple[Any, ...]]) -> str:
    """A delivery of (reading_id, sensor, degrees)."""
    head = READINGS_CSV.splitlines()[0]
    return "\n".join([head, *(f"{number},{sensor},{degrees},2024-06-01 06:00:00,Ada" for number, sensor, degrees in rows)]) + "\n"


def batch(number: int, rows: int) -> str:
    """A delivery whose rows all carry the batch's number as temperature."""
    return readings_csv((row, "north", number) for row in range(1, rows + 1))


def leftovers(root: Path) -> list[str]:
    """What an interrupted refresh may have left: half-written files, staged versions, files of versions nobody knows."""
    found = [path for path in root.rglob("*") if ".dagster" not in path.parts]
    half = [path for path in found if path.name.endswith((".part", ".part.wal", ".new")) or path.name == ".staging"]
    return sorted(str(path.relative_to(root)) for path in (*half, *_unknown_versions(root)))


def _unknown_versions(root: Path) -> Iterator[Path]:
    for pointer in root.glob("ports/*/*/latest.json"):
        known = set(json.loads(pointer.read_text())["published"])
        yield from (folder for folder in pointer.parent.glob("*/v*/*") if folder.name not in known)
        yield from (record for record in pointer.parent.glob("versions/*") if record.stem not in known)
