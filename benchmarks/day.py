"""A day of a mesh of 1,000 products in 20 code locations, in compressed time: what its schedules, sensors, queue, ledger and databases do.

    .venv/bin/python benchmarks/day.py                                 PostgreSQL, 1,000 products, 24 hours
    .venv/bin/python benchmarks/day.py --products 100 --hours 6 --database sqlite

Real: one code server (gRPC) for each domain with its definitions, Dagster's scheduler, sensors and queue as its daemon runs them, its run
and event storage, the ledger and its evaluations. Simulated: the clock, which goes on by `--step` minutes at a time, and the work of a run:
the launcher writes at once the events that a refresh writes (pulls, every check, the published port), and builds nothing. So the figures
are what the platform costs beside the data; what a refresh itself costs is in `refresh.py`.

A fifth of the products is refreshed by the clock between midnight and six in Berlin, the others follow their inputs.
"""

import argparse
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

sys.path.insert(0, str(Path(__file__).parents[1]))

import dagster as dg
import psutil
import sqlalchemy as sa
from dagster._core.events import StepMaterializationData
from dagster._core.launcher.base import LaunchRunContext, RunLauncher
from dagster._core.test_utils import create_test_daemon_workspace_context, freeze_time
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon.run_coordinator import QueuedRunCoordinatorDaemon
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._scheduler.scheduler import launch_scheduled_runs
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from dagster._time import get_current_datetime
from dagster_shared.error import SerializableErrorInfo
from generated_mesh import DOMAINS, domain, generate

from platform_resources.capabilities.registry import installed_registry
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import Ledger, open_ledger
from platform_resources.ledger.payload import CheckSaid, PublicationSaid, PullSaid, to_metadata
from platform_resources.ledger.people.checks import register_checks
from platform_resources.ledger.syncing import sync
from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.orchestration.events.ledger_events import DagsterLog
from platform_resources.orchestration.events.results import VERSION_TAG
from platform_resources.plan import conventions
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.services.evaluation_round import evaluate
from tests.ledger.ledgers import new_database, postgres

LOG = logging.getLogger("day")
MIDNIGHT = datetime(2027, 6, 1, 22, tzinfo=UTC)  # in Berlin
# By job: the product that it refreshes. Filled before anything is launched.
PRODUCTS: dict[str, ProductPlan] = {}
sys.modules.setdefault("day", sys.modules[__name__])  # Dagster asks for the launcher by the name of its module


class NoBuilds(RunLauncher, ConfigurableClass):  # type: ignore[misc]
    """Writes the events of a run that went well, at once."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data
        super().__init__()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, _: Any) -> "NoBuilds":
        return cls(inst_data)

    def terminate(self, run_id: str) -> bool:
        return False

    def launch_run(self, context: LaunchRunContext) -> None:
        run = context.dagster_run
        LAGS["evaluations" if run.job_name not in PRODUCTS else "refreshes"].append(time.perf_counter() - DUE[0])
        product = PRODUCTS.get(run.job_name)
        kinds, data = dg.DagsterEventType, [] if product is None else list(events(product))
        for kind, event in ((kinds.RUN_START, None), *data, (kinds.RUN_SUCCESS, None)):
            self._instance.report_dagster_event(dg.DagsterEvent(kind.value, run.job_name, event_specific_data=event), run.run_id)


NEWEST: dict[tuple[str, ...], str] = {}
DUE = [0.0]  # when the look began that the runs of now are made in
LAGS: dict[str, list[float]] = {"refreshes": [], "evaluations": []}  # seconds from there to the start of a run


def events(product: ProductPlan) -> Iterator[tuple[dg.DagsterEventType, Any]]:
    """What a refresh tells of its pulls, checks and ports, in the records of the real one."""
    now = get_current_datetime()
    version = f"{now:%Y%m%dT%H%M%S}.{len(NEWEST):06d}Z"
    for port in product.inputs:
        taken = NEWEST.get(conventions.output_key(port.upstream.product, port.upstream.port), "") if port.upstream else version
        yield made(port.key, PullSaid(True, version=taken, rows=1_000, measured_at=now), taken)
    for check in product.checks:
        said = CheckSaid("met", "99.7 % are filled in; 95 % promised", check.kind, now, check.name, "completeness", 99.7, threshold="95 %")
        yield dg.DagsterEventType.ASSET_CHECK_EVALUATION, dg.AssetCheckEvaluation(asset_key(check.key), check.name, True, to_metadata(said))
    for port in product.outputs:
        NEWEST[port.key] = version
        yield made(port.key, PublicationSaid(version, now, "1.0.0", rows=1_000), version)


def made(key: Sequence[str], said: Any, version: str) -> tuple[dg.DagsterEventType, StepMaterializationData]:
    materialization = dg.AssetMaterialization(asset_key(tuple(key)), metadata=to_metadata(said), tags={VERSION_TAG: version})
    return dg.DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(materialization, [])


class Day:
    """Dagster's daemon over the mesh, part by part, with a clock that is set."""

    def __init__(self, workspace: Any, ledger: Ledger, plan: MeshPlan, state: Path) -> None:
        self.workspace, self.ledger, self.plan, self.state = workspace, ledger, plan, state
        self.instance: dg.DagsterInstance = workspace.instance
        self.queue, self.iterations = QueuedRunCoordinatorDaemon(interval_seconds=1), {}
        self.seconds: dict[str, list[float]] = {}

    def timed(self, part: str, act: Any) -> None:
        begun = time.perf_counter()
        failed = [one for one in act() or () if isinstance(one, SerializableErrorInfo)]
        self.seconds.setdefault(part, []).append(time.perf_counter() - begun)
        if failed:
            raise SystemExit(f"{part}: {failed[0].to_string()}")

    def at(self, now: datetime) -> None:
        """One look of each part of the daemon."""
        DUE[0] = time.perf_counter()
        with freeze_time(now):
            self.timed("schedules", lambda: launch_scheduled_runs(self.workspace, LOG, now, self.iterations))
            self.timed("sensors", lambda: execute_sensor_iteration(self.workspace, LOG, None, None))
            self.timed("queue", lambda: self.queue.run_iteration(self.workspace))

    def evaluate(self, now: datetime) -> None:
        """What the evaluation of one domain does, after the ledger has read what is new."""
        own = [product for product in self.plan.products if product.domain == domain(0)]
        with freeze_time(now):
            self.timed("sync", lambda: none(sync(self.ledger, DagsterLog(self.instance), now)))
            self.timed("evaluation", lambda: none(evaluate(self.ledger, self.state, self.plan, own, installed_registry(), now)))


def none(_: object) -> None:
    """Of what gives something that is not looked at."""


@contextmanager
def storages(database: str, folder: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Dagster's storage, and the address of the ledger."""
    if database == "sqlite":
        yield {}, f"sqlite:///{folder / 'ledger.sqlite'}"
        return
    with postgres() as url:
        dagster, ledger = new_database(url), new_database(url)
        yield {"storage": {"postgres": {"postgres_url": f"{dagster}&plugin=kept_connections"}}}, ledger


def size(database: str, folder: Path, url: str) -> float:
    """Megabytes of Dagster's storage, or of the ledger."""
    if database == "sqlite":
        files = folder.rglob("*") if url == "dagster" else Path(url.removeprefix("sqlite:///")).parent.glob("ledger.sqlite*")
        return sum(file.stat().st_size for file in files if file.is_file()) / 1e6
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        return float(connection.execute(sa.text("select pg_database_size(current_database())")).scalar_one()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=1_000)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--mesh", type=Path, help="a folder for the mesh, which the next measurement finds there")
    parser.add_argument("--step", type=int, default=15, help="minutes")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="of real time, after which the day is over")
    parser.add_argument("--database", default="postgresql", choices=["postgresql", "sqlite"])
    asked = parser.parse_args()
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory(prefix="mesh_day_", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        root, home = asked.mesh or folder / "mesh", folder / "dagster"
        if not root.exists():
            generate(root, asked.products)
        home.mkdir()
        begun = time.perf_counter()
        plan, problems = read_plan(root)
        assert not plan.rejected, problems
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; planned in {time.perf_counter() - begun:.0f} s", flush=True)
        PRODUCTS.update({conventions.job_name(product.name): product for product in plan.products})
        with storages(asked.database, folder) as (storage, ledger_url):
            launcher = {"run_launcher": {"module": "day", "class": "NoBuilds"}}
            queue = {
                "run_coordinator": {"module": "dagster", "class": "QueuedRunCoordinator", "config": {"max_concurrent_runs": 1_000}},
                "telemetry": {"enabled": False},
            }
            (home / "dagster.yaml").write_text(json.dumps({**storage, **launcher, **queue}))
            os.environ["DAGSTER_HOME"] = str(home)
            with dg.DagsterInstance.get() as instance:
                measured(asked, root, folder, instance, plan, ledger_url)
                stored = storage["storage"]["postgres"]["postgres_url"] if storage else "dagster"
                sizes = size(asked.database, home, stored), size(asked.database, folder, ledger_url)
                print(f"Dagster's database {sizes[0]:,.0f} MB, the ledger {sizes[1]:,.0f} MB; load {os.getloadavg()[0]:.1f} at the end")


def measured(asked: argparse.Namespace, root: Path, folder: Path, instance: dg.DagsterInstance, plan: MeshPlan, ledger_url: str) -> None:
    """Load the locations, let the day pass, and print what it took."""
    workspace = root / "workspace.yaml"
    files = [f"dataproducts/{domain(number)}/definitions.py" for number in range(min(DOMAINS, asked.products))]
    entries = [{"python_file": {"relative_path": file, "location_name": Path(file).parts[1], "working_directory": "."}} for file in files]
    workspace.write_text(json.dumps({"load_from": entries}))
    begun = time.perf_counter()
    with freeze_time(MIDNIGHT), create_test_daemon_workspace_context(WorkspaceFileTarget([str(workspace)]), instance) as context:
        locations = context.create_request_context().code_locations
        servers = [child for child in psutil.Process().children(recursive=True) if "grpc" in " ".join(child.cmdline())]
        memory = sum(server.memory_info().rss for server in servers) / 1e9
        print(f"{len(locations)} locations loaded in {time.perf_counter() - begun:.0f} s, {memory:.1f} GB", flush=True)
        ledger = open_ledger(ledger_url)
        register_checks(ledger, plan, MIDNIGHT)
        day, begun, before = Day(context, ledger, plan, folder), time.perf_counter(), busy(servers, ledger_url)
        for minute in range(0, 60 * asked.hours + 1, asked.step):
            now = MIDNIGHT + timedelta(minutes=minute)
            day.at(now)
            if minute % 60 == 0:
                day.evaluate(now)
                print(f"{minute // 60} hours are over after {time.perf_counter() - begun:.0f} s", flush=True)
            if time.perf_counter() - begun > 60 * asked.minutes:
                break
        lasted = time.perf_counter() - begun
        used = {part: seconds - before[part] for part, seconds in busy(servers, ledger_url).items()}
        lines = list(told(day, lasted, servers, used))
        ledger.close()
    print("\n".join(lines), flush=True)  # after the servers have said that they end


def busy(servers: Sequence[psutil.Process], ledger_url: str) -> dict[str, float]:
    """Processor seconds until now, by part. PostgreSQL's are those of its processes, and of all connections that have ended."""
    commands = ((one, one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"]))
    ours = [one for one, command in commands if "-D" in command and command[command.index("-D") + 1] in unquote(ledger_url)]
    database = [one.cpu_times() for postmaster in ours for one in (postmaster, *postmaster.children())]
    parts = {"daemon and launcher": [psutil.Process().cpu_times()], "code servers": [server.cpu_times() for server in servers]}
    return {part: sum(one.user + one.system for one in times) for part, times in parts.items()} | {
        "PostgreSQL": sum(one.user + one.system + one.children_user + one.children_system for one in database)
    }


def told(day: Day, lasted: float, servers: Sequence[psutil.Process], used: dict[str, float]) -> Iterator[str]:
    """What was done, how long each look took, and how long what was due waited."""
    runs = day.instance.get_runs_count(dg.RunsFilter())
    done = day.instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))
    refreshed = sum(day.instance.get_runs_count(dg.RunsFilter(job_name=job)) > 0 for job in PRODUCTS)
    refreshes = sum(day.instance.get_runs_count(dg.RunsFilter(job_name=job)) for job in PRODUCTS)
    checks = sum(len(product.checks) for product in PRODUCTS.values())
    yield (
        f"{len(PRODUCTS):,} products with {checks:,} checks: {refreshes:,} refreshes of {refreshed:,} products, {runs - refreshes:,} other runs"
    )
    yield (f"{done:,} of {runs:,} runs are done; the day took {lasted:.0f} s: {runs / lasted * 3600:,.0f} runs an hour at most")
    yield ("| part | looks | median (s) | most (s) | all (s) |\n| --- | ---: | ---: | ---: | ---: |")
    for part, seconds in day.seconds.items():
        yield (f"| {part} | {len(seconds):,} | {statistics.median(seconds):.2f} | {max(seconds):.2f} | {sum(seconds):,.0f} |")
    for kind, waited in LAGS.items():
        if len(waited) > 1:
            most = statistics.quantiles(waited, n=100)[98]
            yield (f"{kind}: from due to begun {statistics.median(waited):.1f} s (p50), {most:.1f} s (p99), {max(waited):.1f} s at most")
    yield ("processor seconds: " + ", ".join(f"{part} {seconds:,.0f}" for part, seconds in used.items()))
    memory = sum(server.memory_info().rss for server in servers) / 1e9
    yield (f"code servers {memory:.1f} GB, this process {psutil.Process().memory_info().rss / 1e9:.1f} GB")


if __name__ == "__main__":
    main()
