"""How long, and with how much memory, Dagster loads the code locations of a mesh as it grows.

    .venv/bin/python benchmarks/load.py            100, 300 and 1,000 products: some minutes
    .venv/bin/python benchmarks/load.py --quick    20 and 100 products

Every figure is of a process of its own that does what a Dagster code server does: load the definitions, resolve everything
that is lazy (`LoadedRepositories`), and make the snapshot that it sends to the web server and the daemon.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from generated_mesh import CHECKS, DOMAINS, MODELS, REPOSITORY, domain, generate

SIZES, QUICK_SIZES = (100, 300, 1000), (20, 100)
TIME_LIMIT, MEMORY_LIMIT = 8.0, 1024.0  # seconds and MB for one location of 1,000 products

# Times in seconds since the process began, and of the processor up to "loaded"; memory as the kernel's peak.
_MEASURED = """
import json, os, resource, sys, time

def since_start():
    ticks = int(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19])
    return float(open("/proc/uptime").read().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")

import dagster
import platform_resources.orchestration.definitions
imported = since_start()
resolved = sent = imported
worked = time.process_time()
assets = jobs = 0
if len(sys.argv) > 1:
    from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
    from dagster._core.remote_representation.external_data import RepositorySnap
    from dagster._grpc.server import LoadedRepositories
    from dagster._serdes import serialize_value

    loaded = LoadedRepositories(LoadableTargetOrigin(python_file=sys.argv[1]), None, ["dagster"], {})
    (repository,) = loaded.definitions_by_name.values()
    resolved, worked = since_start(), time.process_time()
    snapshot = serialize_value(RepositorySnap.from_def(repository, defer_snapshots=True))
    sent = since_start()
    assets, jobs = len(repository.asset_graph.get_all_asset_keys()), len(repository.get_all_jobs())
    checks = len(repository.asset_graph.asset_check_keys)
else:
    checks, snapshot = 0, b""
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([imported, resolved, sent, worked, peak, assets, checks, len(snapshot)]))
"""


@dataclass(frozen=True, slots=True)
class Load:
    """One code location, or the imports alone: seconds since the process began, those of the processor, peak memory in MB, what was found."""

    imported: float
    resolved: float
    sent: float
    worked: float
    peak: float
    assets: int
    checks: int
    snapshot: int


def load(file: Path | None, state: Path) -> Load:
    """Load the location of this file as a code server does, in a fresh process."""
    arguments = [sys.executable, "-c", _MEASURED, *([str(file)] if file else [])]
    environment = {**os.environ, "MESH_STATE": str(state), "DAGSTER_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(arguments, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{file} could not be loaded:\n{done.stderr}")
    return Load(*json.loads(done.stdout.strip().splitlines()[-1]))


@dataclass(frozen=True, slots=True)
class Loads:
    """A mesh of one size, loaded in every way; `again` is with whatever the first loading left behind."""

    products: int
    imports: Load
    domain: Load
    domains: Sequence[Load]
    whole: Load
    again: Load


def measure(products: int, folder: Path, repeats: int) -> Loads:
    mesh, state = generate(folder / f"mesh_{products}", products), folder / f"state_{products}"
    locations = [mesh / "dataproducts" / domain(number) / "definitions.py" for number in range(DOMAINS)]
    whole = load(mesh / "definitions.py", state)
    if whole.assets < products * MODELS:
        sys.exit(f"only {whole.assets} assets were loaded, so products were rejected: `mesh --root DIR validate` says why (--keep DIR)")
    again = [load(mesh / "definitions.py", state) for _ in range(repeats)]
    domains = [load(location, state) for location in locations]
    imports = [load(None, state) for _ in range(repeats)]
    return Loads(products, _median(imports), _median(domains), domains, whole, _median(again))


def _median(loads: Sequence[Load]) -> Load:
    """The one in the middle by time."""
    return sorted(loads, key=lambda each: each.sent)[len(loads) // 2]


def report(all_loads: Sequence[Loads]) -> str:
    header = ["", *(f"{each.products:,} products" for each in all_loads), f"growth {all_loads[0].products:,} to {all_loads[-1].products:,}"]
    rows = [
        ["assets", *(f"{each.whole.assets:,}" for each in all_loads), ""],
        ["checks", *(f"{each.whole.checks:,}" for each in all_loads), ""],
        ["snapshot sent (MB)", *(f"{each.whole.snapshot / 1e6:.1f}" for each in all_loads), ""],
        _seconds("imports alone (s)", [each.imports.sent for each in all_loads]),
        _seconds("one location of all, first time: loaded (s)", [each.whole.resolved for each in all_loads]),
        _seconds("one location of all, again: loaded (s)", [each.again.resolved for each in all_loads]),
        _seconds("... of that, processor time (s)", [each.again.worked for each in all_loads]),
        _seconds("... of that, without imports (s)", [each.again.resolved - each.again.imported for each in all_loads]),
        _seconds("one location of all, again: loaded and sent (s)", [each.again.sent for each in all_loads]),
        _megabytes("one location of all, peak memory (MB)", [max(each.whole.peak, each.again.peak) for each in all_loads]),
        _seconds(f"one of {DOMAINS} domains, median: loaded and sent (s)", [each.domain.sent for each in all_loads]),
        _seconds(f"all {DOMAINS} domains, slowest (s)", [max(d.sent for d in each.domains) for each in all_loads]),
        _seconds(f"all {DOMAINS} domains, sum (s)", [sum(d.sent for d in each.domains) for each in all_loads]),
        _megabytes("one domain, peak memory (MB), median", [statistics.median(d.peak for d in each.domains) for each in all_loads]),
    ]
    return _table(header, rows)


def _seconds(name: str, values: Sequence[float]) -> list[str]:
    return [name, *(f"{value:.2f}" for value in values), f"x {values[-1] / values[0]:.1f}"]


def _megabytes(name: str, values: Sequence[float]) -> list[str]:
    return [name, *(f"{value:.0f}" for value in values), f"x {values[-1] / values[0]:.1f}"]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    right = ["---", *("---:" for _ in header[1:])]
    return "\n".join("| " + " | ".join(line) + " |" for line in (header, right, *rows))


def verdict(loads: Loads) -> str:
    time, memory = loads.again.resolved, max(loads.whole.peak, loads.again.peak)
    met = time <= TIME_LIMIT and memory <= MEMORY_LIMIT
    aim = f"at most {TIME_LIMIT:.0f} s and {MEMORY_LIMIT:.0f} MB for one location of {loads.products:,} products"
    return f"{'Met' if met else 'Missed'}: {aim}; it took {time:.1f} s, then {loads.again.sent - time:.1f} s for the snapshot, and {memory:.0f} MB."


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="small meshes, each figure once")
    options.add_argument("--sizes", type=int, nargs="+", help="numbers of products")
    options.add_argument("--repeats", type=int, default=3, help="how often imports and the one location are loaded; medians are shown")
    options.add_argument("--keep", type=Path, help="write the meshes here and leave them there")
    chosen = options.parse_args()
    sizes = chosen.sizes or (QUICK_SIZES if chosen.quick else SIZES)
    with tempfile.TemporaryDirectory(prefix="mesh_load_") as temporary:
        folder = chosen.keep or Path(temporary)
        loads = [measure(products, folder, 1 if chosen.quick else chosen.repeats) for products in sizes]
    print(f"{DOMAINS} domains, {MODELS} models and {CHECKS} declared checks a product, and the platform's own checks of its inputs.\n")
    print(report(loads))
    print(f"\n{verdict(loads[-1])}")


if __name__ == "__main__":
    main()
