"""The marketplace over a generated mesh: how long its start and a renewal take, and how fast pages are for many readers at once.

`python benchmarks/marketplace.py [--products 1000] [--times 1] [--readings 1000000] [--users 50] [--seconds 10] [--pause 0]
[--workers 0]` prints Markdown tables. `--products 1000 --times 10` measures 10,000, nine of ten of which are copies (multiplied_mesh.py). `mesh serve` and the load generator run in processes of their own on the same cores. Each user asks for pages of one kind, one
after another, of products that differ, and waits `--pause` seconds on average between two; `/` and `/domains` are the same for everybody.
Pages of products are asked for twice: while some are made anew, and once all have been made ahead. Processor time is that of all
processes of `mesh serve`, in which they read the mesh and make pages ahead as well.
"""

import argparse
import concurrent.futures
import http.client
import multiprocessing
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

sys.path.insert(0, str(Path(__file__).parents[1]))

from generated_mesh import generate
from ledger import MadeUpLog, promising
from multiplied_mesh import multiplied

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.changes import newest_change
from platform_resources.ledger.people.checks import register_checks
from platform_resources.ledger.syncing import sync
from platform_resources.marketplace.kept_view import Market, opened_market
from platform_resources.plan.plan import MeshPlan

PUBLISHED_DAYS = 30
# So many searches are made again and again.
SEEN, QUIET_SECONDS = 200, 5
# Of so many different searches one in five has a typing error, and every search has one to three words that stand in the mesh.
SEARCHES, WITH_ERROR = 5_000, 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=1_000)
    parser.add_argument("--readings", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--pause", type=float, default=0)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--mesh", type=Path, help="a mesh that was generated before; a ledger with readings is taken as it is")
    asked = parser.parse_args()
    os.environ.pop("MESH_STATE", None)
    with tempfile.TemporaryDirectory() as folder:
        root = asked.mesh or Path(folder) / "mesh"
        if not asked.mesh:
            promising(generate(root, asked.products))
        measure(root, asked.readings, Users(asked.users, asked.seconds, asked.pause), asked.workers, asked.times)


@dataclass(frozen=True, slots=True)
class Users:
    """So many at once, for so long, each with so many seconds between two pages on average."""

    count: int
    seconds: float
    pause: float


def measure(root: Path, readings: int, users: Users, workers: int, times: int) -> None:
    reading = seconds_of(lambda: read_plan(root))
    plan, problems = read_plan(root)
    assert not plan.rejected, problems
    plan = multiplied(plan, times)
    market = opened_market(root)
    Market._newly_read = lambda *_: plan
    fill(market, plan, readings)
    first = seconds_of(market.view)
    market.keep()
    again = seconds_of(market.renew)
    columns = sum(len(data_set.spec.columns) for product in plan.products for data_set in product.data_sets)
    print(f"{len(plan.products):,} products, {columns:,} columns, {readings:,} readings\n")
    print("| reading the plan (s of the processor) | first view | renewal | memory (MB) |\n| ---: | ---: | ---: | ---: |")
    print(f"| {reading:.1f} | {first:.1f} | {again:.2f} | {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} |\n", flush=True)
    names, words = [product.name for product in plan.products], searches(plan)
    market.stop()
    with_server(root, workers, lambda port, server: load(port, server, names, words, users))


def searches(plan: MeshPlan) -> list[str]:
    """What people may search for, the same for the same plan: words of titles, tags, columns and owners."""
    chance, words = random.Random(7), set[str]()
    for product in plan.products:
        texts = (product.title, *product.info.tags, *product.owners, *(c.name for each in product.data_sets for c in each.spec.columns))
        words.update(word for text in texts for word in re.findall(r"[a-z0-9]{3,}", text.lower()))
    known = sorted(words)
    return [" ".join(_typed(chance.choice(known), chance) for _ in range(chance.randint(1, 3))) for _ in range(SEARCHES)]


def _typed(word: str, chance: random.Random) -> str:
    """As somebody types it: now and then two letters change places."""
    place = chance.randrange(len(word) - 1)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :] if chance.random() < WITH_ERROR else word


def fill(market: Market, plan: MeshPlan, readings: int) -> None:
    with market.ledger.reading() as connection:
        if newest_change(connection):
            return
    checks = [(check.key, check.name) for product in plan.products for check in product.checks if check.kind != "input"]
    ports = [port.key for product in plan.products for port in product.outputs]
    now = datetime.now(UTC)
    register_checks(market.ledger, plan, now)
    sync(market.ledger, MadeUpLog(checks, ports, max(1, readings // len(checks)), now, PUBLISHED_DAYS), now, batch=5_000)


def with_server(root: Path, workers: int, act: Callable[[int, int], None]) -> None:
    """Gives the server's port, and its process."""
    command = [sys.executable, "-c", "from platform_resources.cli.app import main; main()", "--root", str(root), "serve", "--port", "0"]
    begun = time.perf_counter()
    with subprocess.Popen([*command, "--workers", str(workers)], stderr=subprocess.PIPE, text=True) as process:
        address = process.stderr.readline().removeprefix("marketplace: ").strip()
        print(f"listens after {time.perf_counter() - begun:.1f} s, ", end="")
        port = urlsplit(address).port
        asked_by_one(port, ["/"], 0, 0.1)
        print(f"answers after {time.perf_counter() - begun:.1f} s ({processor_seconds(process.pid):.1f} s of the processor)\n", flush=True)
        act(port, process.pid)
        process.send_signal(signal.SIGTERM)


def processor_seconds(parent: int) -> float:
    """What a process and those below it have taken so far."""
    total, waiting = 0.0, [parent]
    while waiting:
        process = Path("/proc") / str(waiting.pop())
        told = (process / "stat").read_text().rpartition(")")[2].split()
        total += (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
        waiting += [int(each) for task in (process / "task").iterdir() for each in (task / "children").read_text().split()]
    return total


def load(port: int, server: int, names: list[str], words: list[str], users: Users) -> None:
    products = [f"/products/{name}" for name in names]
    kinds = {
        "home": ["/"],
        "product, while pages are made ahead": products,
        f"search, {len(words):,} that differ": [f"/search?{urlencode({'q': text})}" for text in words],
        f"search, {SEEN} that differ": [f"/search?{urlencode({'q': text})}" for text in words[:SEEN]],
        "product, any": products,
        "lineage (JSON), any": [f"/api/v1/products/{name}/lineage" for name in names],
        "domains": ["/domains"],
        "map": ["/map"],
    }
    asked = f"each after {users.pause:g} s on average" if users.pause else "without a pause"
    print(f"{users.count} users at once, {asked}, load generator included\n")
    print("| page | p50 (ms) | p99 (ms) | requests/s | of a core, each (ms) |\n|---| ---: | ---: | ---: | ---: |")
    for kind, paths in kinds.items():
        if kind == "product, any":
            until_quiet(server)
        before = processor_seconds(server)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            times = pool.apply(asked_by_many, (port, paths, users))
        each = (processor_seconds(server) - before) / len(times) * 1000
        times.sort()
        p50, p99 = times[len(times) // 2] * 1000, times[int(len(times) * 0.99)] * 1000
        print(f"| {kind} | {p50:.0f} | {p99:.0f} | {len(times) / users.seconds:,.0f} | {each:.1f} |", flush=True)


def until_quiet(server: int) -> None:
    """Until all pages have been made ahead: until five seconds in turn cost next to nothing."""
    begun, quiet = time.perf_counter(), 0
    while quiet < QUIET_SECONDS and time.perf_counter() - begun < 1_800:
        before = processor_seconds(server)
        time.sleep(1)
        quiet = quiet + 1 if processor_seconds(server) - before < 0.05 else 0
    print(f"| (pages made ahead for {time.perf_counter() - begun - quiet:.0f} s more) | | | | |", flush=True)


def asked_by_many(port: int, paths: list[str], users: Users) -> list[float]:
    with concurrent.futures.ThreadPoolExecutor(users.count) as pool:
        asked = pool.map(lambda user: asked_by_one(port, paths, user, users.seconds, users.pause), range(users.count))
        return [one for times in asked for one in times]


def asked_by_one(port: int, paths: list[str], user: int, seconds: float, pause: float = 0) -> list[float]:
    choose, times = random.Random(user), []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    end = time.perf_counter() + seconds
    time.sleep(choose.uniform(0, pause))
    while time.perf_counter() < end:
        begun = time.perf_counter()
        connection.request("GET", choose.choice(paths), headers={"accept-encoding": "gzip"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        times.append(time.perf_counter() - begun)
        if pause:
            time.sleep(choose.uniform(0, 2 * pause))
    return times


def seconds_of(act: Callable[[], object]) -> float:
    """Of the processor: whatever else runs on the machine."""
    begun = time.process_time()
    act()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
