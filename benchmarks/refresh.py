"""What one refresh of a data product costs beside a bare `dbt build` and the usual dagster-dbt job of the same models.

It is measured beside the sample mesh and in a large one.

    .venv/bin/python benchmarks/refresh.py            five rounds, beside the sample mesh and in a mesh of 1,000 products
    .venv/bin/python benchmarks/refresh.py --quick    one round, in a mesh of 50 products
    .venv/bin/python benchmarks/refresh.py --processor    seconds of the processor, where other work runs on the machine

All build the same tables from the same inputs on the same machine, in turn. `dbt build` and the dagster-dbt job have their inputs
loaded and their partial parse warm; the refresh also loads them, judges every promise, and publishes. Nothing of the repository's own state is touched.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from generated_mesh import add_sample, generate

CLOCK = "processor" if "--processor" in sys.argv else "wall"
PRODUCT, DOMAIN = "purchase_orders", "sales"
TARGET = "duckdb"
AIM = 1.5  # times the time of a bare dbt build
PHASES = ("imports", "plan", "definitions", "run begins", "pull", "build", "audit", "publish", "score", "run ends")
PROGRAMS = Path(sys.executable).parent
# What is read before and after: the wall clock, or the processor's seconds of a process and of those that it has started.
_CLOCKS = """
import os, sys, time
clock = time.perf_counter if sys.argv[-1] == "wall" else lambda: sum(os.times()[:4])
"""

# Two refreshes in one process; each phase is the time until the next begins.
_RUNNING = (
    _CLOCKS
    + """
import json
from pathlib import Path

began = clock()
from platform_resources.orchestration.instance import instance
from platform_resources.orchestration.refresh_runs import refresh
from platform_resources.repository.mesh_folders import state_folder
from platform_resources.dbt.planning import read_plan
import dbt.cli.main
imported = clock()
root, product = Path(sys.argv[1]), sys.argv[2]
plan, _ = read_plan(root, [product])
planned = clock()
where = instance(root, state_folder(root))
for number in range(2):
    marks = [("definitions", clock())]
    report = lambda _, step: marks.append((step, clock()))
    (done,) = refresh(root, plan, [product], where, None, report)
    ended = clock()
    phases = {name: later - at for (name, at), (_, later) in zip(marks, [*marks[1:], ("end", ended)])}
    if number == 0:
        phases |= {"imports": imported - began, "plan": planned - imported}
    print(json.dumps({"outcome": done.outcome, "seconds": ended - marks[0][1], "phases": phases}))
"""
)

# What a team has without the platform: dbt's models as Dagster's assets, materialised twice in one process.
_USUAL = (
    _CLOCKS
    + """
from pathlib import Path

began = clock()
import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets
project, manifest, home = sys.argv[1], Path(sys.argv[2]), sys.argv[3]


@dbt_assets(manifest=manifest)
def models(context: dg.AssetExecutionContext, dbt: DbtCliResource):
    yield from dbt.cli(["build"], context=context, target_path=manifest.parent).stream()


with dg.DagsterInstance.from_config(home) as instance:
    for number in range(2):
        if number:
            began = clock()
        resources = {"dbt": DbtCliResource(project_dir=project, profiles_dir=project, target="duckdb")}
        assert dg.materialize([models], resources=resources, instance=instance).success
        print("took", clock() - began)
"""
)


@dataclass(slots=True)
class Times:
    """Seconds of every round, and of the phases of the refreshes in a running process."""

    dbt: list[float] = field(default_factory=list)
    usual: list[float] = field(default_factory=list)
    usual_running: list[float] = field(default_factory=list)
    command: list[float] = field(default_factory=list)
    first: list[dict[str, float]] = field(default_factory=list)
    second: list[dict[str, float]] = field(default_factory=list)
    running: list[float] = field(default_factory=list)


def clock() -> float:
    """As the measured processes have it, by the same last argument."""
    return time.perf_counter() if CLOCK == "wall" else sum(os.times()[:4])


def timed(command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> tuple[float, str]:
    """Seconds of a process from its start to its end, and what it printed. A process that fails ends the measuring."""
    started = clock()
    done = subprocess.run(command, env={**os.environ, **environment}, cwd=cwd, capture_output=True, text=True, check=False)
    seconds = clock() - started
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return seconds, done.stdout


def refresh_command(root: Path, state: Path) -> float:
    seconds, printed = timed([str(PROGRAMS / "mesh"), "--root", str(root), "refresh", PRODUCT, "--json"], environment(state), root)
    _published(json.loads(printed)[0]["outcome"])
    return seconds


def running_process(root: Path, state: Path) -> list[dict[str, object]]:
    """Two refreshes in one process: the second is what a process costs that has imported everything."""
    _, printed = timed([sys.executable, "-c", _RUNNING, str(root), PRODUCT, CLOCK], environment(state), root)
    done = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    for each in done:
        _published(each["outcome"])
    return done


def _published(outcome: str) -> None:
    if outcome != "published":
        sys.exit(f"the refresh ended with: {outcome}; nothing can be compared")


def environment(state: Path) -> dict[str, str]:
    return {"MESH_STATE": str(state), "DAGSTER_HOME": "", "PYTHONWARNINGS": "ignore"}


def dbt_build(root: Path, state: Path, database: Path, target: Path) -> float:
    """The same models and tests by dbt alone, in a copy of the product's database that has its inputs."""
    project = project_of(state)
    command = [
        str(PROGRAMS / "dbt"),
        "build",
        "--project-dir",
        project,
        "--profiles-dir",
        project,
        "--target-path",
        str(target),
        "--target",
        TARGET,
    ]
    return timed(command, _dbt_environment(database, target), root)[0]


def usual_job(root: Path, state: Path, database: Path, target: Path) -> tuple[float, float]:
    """The same models and tests by `@dbt_assets` and `DbtCliResource`: a process from its start to its end, and a second run in it."""
    home = state / "usual_dagster"
    home.mkdir(exist_ok=True)
    variables = {**_dbt_environment(database, target), "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-c", _USUAL, project_of(state), str(target / "manifest.json"), str(home), CLOCK]
    whole, printed = timed(command, variables, root)
    second = float([line for line in printed.splitlines() if line.startswith("took ")][-1].split()[1])
    return whole - second, second


def project_of(state: Path) -> str:
    """The product's dbt project, as the refresh has laid it out."""
    return str(state / "dbt_project" / "target" / DOMAIN / PRODUCT / "project")


def _dbt_environment(database: Path, target: Path) -> dict[str, str]:
    return {"MESH_DUCKDB": str(database), "DBT_LOG_PATH": str(target / "logs"), "PYTHONWARNINGS": "ignore"}


def measure(root: Path, state: Path, rounds: int) -> Times:
    """One round that does not count, then the rounds: bare dbt, the usual job, the command, and the running process, in turn."""
    refresh_command(root, state)
    database, target = state / "bare.duckdb", state / "bare_target"
    shutil.copy(state / "warehouse" / DOMAIN / f"{PRODUCT}.duckdb", database)
    dbt_build(root, state, database, target)
    times = Times()
    for _ in range(rounds):
        times.dbt.append(dbt_build(root, state, database, target))
        whole, second_run = usual_job(root, state, database, target)
        times.usual.append(whole)
        times.usual_running.append(second_run)
        times.command.append(refresh_command(root, state))
        first, second = running_process(root, state)
        times.first.append(dict(first["phases"]))  # type: ignore[call-overload]
        times.second.append(dict(second["phases"]))  # type: ignore[call-overload]
        times.running.append(float(second["seconds"]))  # type: ignore[arg-type]
    return times


def report(by_mesh: Mapping[str, Times]) -> str:
    rows = []
    for name, times in by_mesh.items():
        base = statistics.median(times.dbt)
        for what, values in (
            ("bare `dbt build`", times.dbt),
            ("the usual dagster-dbt job", times.usual),
            ("a second run of it in one process", times.usual_running),
            (f"`mesh refresh {PRODUCT}`", times.command),
            ("a second refresh in one process", times.running),
        ):
            median = statistics.median(values)
            rows.append([name, what, f"{median:.2f}", f"{min(values):.2f}", f"{median / base:.2f}", f"{min(values) / min(times.dbt):.2f}"])
    return _table(["mesh", "what", "median (s)", "least (s)", "times dbt, medians", "times dbt, least"], rows, words=2)


def phases(by_mesh: Mapping[str, Times]) -> str:
    header = ["phase (s, medians)", *(f"{name}, {which} refresh" for name in by_mesh for which in ("first", "second"))]
    columns = [found for times in by_mesh.values() for found in (times.first, times.second)]
    listed = [phase for phase in PHASES if any(phase in each for column in columns for each in column)]
    rows = [[phase, *(f"{statistics.median(each.get(phase, 0.0) for each in column):.2f}" for column in columns)] for phase in listed]
    rows.append(["all", *(f"{statistics.median(sum(each.values()) for each in column):.2f}" for column in columns)])
    return _table(header, rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    rule = ["---" if at < words else "---:" for at in range(len(header))]
    return "\n".join("| " + " | ".join(line) + " |" for line in (header, rule, *rows))


def verdict(by_mesh: Mapping[str, Times]) -> str:
    lines = []
    for name, times in by_mesh.items():
        ratio = statistics.median(times.command) / statistics.median(times.dbt)
        lines.append(f"{'Met' if ratio <= AIM else 'Missed'}: at most {AIM} times a bare dbt build; {name}: {ratio:.2f} times.")
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="one round, and a mesh of 50 products instead of 1,000")
    options.add_argument("--processor", action="store_true", help="seconds of the processor instead of those of the wall clock")
    options.add_argument("--rounds", type=int, help="how often each is measured (5)")
    options.add_argument("--products", type=int, help="size of the large mesh (1,000); 0 leaves it out")
    chosen = options.parse_args()
    rounds = chosen.rounds or (1 if chosen.quick else 5)
    products = (50 if chosen.quick else 1000) if chosen.products is None else chosen.products
    with tempfile.TemporaryDirectory(prefix="mesh_refresh_") as temporary:
        folder = Path(temporary)
        sample = folder / "sample"
        add_sample(sample)
        by_mesh = {"sample": measure(sample, folder / "state_sample", rounds)}
        if products:
            large = generate(folder / "large", products, sample=True)
            by_mesh[f"{products:,} products"] = measure(large, folder / "state_large", rounds)
    print(f"{report(by_mesh)}\n\n{phases(by_mesh)}\n\n{verdict(by_mesh)}")


if __name__ == "__main__":
    main()
