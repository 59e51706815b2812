"""Twenty people in the data lab at once, and records of a port beside its Parquet file.

.venv/bin/python benchmarks/lab.py    the tables of "The lab" in docs/performance.md, after `make demo`; a few minutes

A server of two processes, the people and what they send run on the same cores. Each person sends one query after another; nobody waits in between.
"""

import argparse
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq

from platform_resources.publications.published_versions import shelf
from platform_resources.repository.mesh_folders import state_folder

PEOPLE, AT_ONCE = 20, 2
PRODUCT, PORT, TABLE = "purchase_orders", "order_lines_file", "purchase_orders.order_lines"
QUERIES = (
    f"select count(*) as n, sum(net_sales) as net_sales from {TABLE}",
    f"select store_id, sum(net_sales) as net_sales from {TABLE} group by store_id order by net_sales desc",
    f"select * from {TABLE} order by net_sales desc limit 100",
)
HEAVY = f"select count(*) from {TABLE} a join {TABLE} b on a.quantity = b.quantity where a.net_sales > b.net_sales"
# What is not read whole is read as far as one answer gets within its 30 seconds.
FORMS = {"arrow": {}, "parquet": {}, "csv": {}, "ndjson": {"limit": 200_000}, "json": {"limit": 10_000}}


@contextmanager
def marketplace(root: Path) -> Iterator[tuple[str, int]]:
    """Its address and process; whoever asks says in a header who they are, as a proxy would."""
    environment = {**os.environ, "MESH_AUTH": "proxy", "MESH_AUTH_PROXIES": "127.0.0.1"}
    command = [sys.executable, "-c", "from platform_resources.cli.app import main; main()", "--root", str(root), "serve", "--port", "0"]
    with subprocess.Popen([*command, "--workers", "2"], stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        address = next(line for line in process.stderr if line.startswith("marketplace: ")).removeprefix("marketplace: ").strip()
        try:
            yield address, process.pid
        finally:
            process.terminate()


def person(number: int) -> dict[str, str]:
    return {"x-forwarded-email": f"person{number:02}@example.com", "x-forwarded-groups": "sales-data", "accept-encoding": "identity"}


def first_row(address: str, sql: str, who: Mapping[str, str]) -> tuple[float, bool]:
    """Seconds until the first row was there, and whether the query was answered."""
    begun = time.perf_counter()
    with httpx.stream("GET", f"{address}/lab/result.csv", params={"sql": sql}, headers=who, timeout=300) as answer:
        row = next(answer.iter_bytes(), b"").decode(errors="replace")
        if answer.status_code != 200 and not any(said in row for said in ("others' queries", "former query", "queries wait", "broken off")):
            raise SystemExit(row)
        return time.perf_counter() - begun, answer.status_code == 200


def together(people: int, act: Callable[[int], list[float]]) -> list[list[float]]:
    with ThreadPoolExecutor(people) as pool:
        return list(pool.map(act, range(people)))


def asked(address: str, number: int, rounds: int) -> list[float]:
    """What each query of a person took; one that found no place is sent again, as a person would."""
    took = []
    for at in range(rounds):
        begun = time.perf_counter()
        while not first_row(address, QUERIES[(number + at) % len(QUERIES)], person(number))[1]:
            REFUSED.append(number)
        took.append(time.perf_counter() - begun)
    return took


REFUSED: list[int] = []


class Memory:
    """The most that all processes of a server had at once, each shared page counted once."""

    def __init__(self, server: int) -> None:
        self.server, self.most, self.over = server, 0, threading.Event()

    def __enter__(self) -> "Memory":
        threading.Thread(target=self._look, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()

    def _look(self) -> None:
        while not self.over.wait(0.2):
            self.most = max(self.most, sum(map(_memory, _tree(self.server))))


def _tree(process: int) -> Iterator[int]:
    yield process
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _tree(int(child))


def _memory(process: int) -> int:
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return 0


def jain(rates: list[float]) -> float:
    """R. Jain 1984: 1 where all get the same, 1/n where one gets everything."""
    return sum(rates) ** 2 / (len(rates) * sum(rate * rate for rate in rates))


def lab_table(address: str, server: int, rounds: int) -> None:
    print(
        "| people at once | to the first row, s: median | 95 % | longest | queries/s | fairness (Jain) | refused, sent again | memory, MB |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for people in (1, PEOPLE):
        REFUSED.clear()
        begun = time.perf_counter()
        with Memory(server) as memory:
            took = together(people, lambda number: asked(address, number, rounds))
        every, lasted = sorted(one for each in took for one in each), time.perf_counter() - begun
        fair, most = jain([rounds / sum(each) for each in took]), memory.most / 2**20
        middle, high = statistics.median(every), every[-1 - len(every) // 20]
        speed = f"{len(every) / lasted:.1f} | {fair:.3f} | {len(REFUSED)} | {most:,.0f}"
        print(f"| {people} | {middle:.2f} | {high:.2f} | {every[-1]:.2f} | {speed} |", flush=True)


def greedy_line(address: str) -> None:
    """Ten others, while one person sends heavy queries, four at a time, until the others are done."""
    over = threading.Event()

    def greedy(_: int) -> list[float]:
        while not over.is_set():
            first_row(address, HEAVY, person(99))
        return []

    def others() -> float:
        return statistics.median(one for each in together(10, lambda number: asked(address, number, 2)) for one in each)

    alone = others()
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(greedy, number) for number in range(4)]
        beside = others()
        over.set()
        for each in sent:
            each.result()
    print(f"\nTen others, to the first row: {alone:.2f} s; while one person sends heavy queries, four at a time: {beside:.2f} s")


def records_table(address: str, root: Path, runs: int) -> None:
    shelves = shelf(state_folder(root), "sales", PRODUCT)
    latest = shelves.latest()
    assert latest is not None
    port = next(each for each in latest.ports if each.port == PORT)
    files = [str(shelves.path(file)) for file in port.files]
    print(
        f"\n{port.rows:,} rows of {len(port.columns)} columns, {port.bytes / 2**20:,.0f} MB as Parquet\n\n| read as | rows/s | of the file's |\n|---|---:|---:|"
    )
    whole = port.rows / least(runs, lambda: pa.concat_tables(pq.read_table(file) for file in files))
    print(f"| Parquet file, by pyarrow | {whole:,.0f} | 100 % |")
    for form, more in FORMS.items():
        rows = int(more.get("limit", port.rows))
        took = least(runs, lambda form=form, more=more: read(address, form, more))
        print(
            f"| records as {form}{f', a page of {rows:,}' if more else ''} | {rows / took:,.0f} | {100 * rows / took / whole:.2g} % |",
            flush=True,
        )


def read(address: str, form: str, more: Mapping[str, int]) -> None:
    url = f"{address}/api/v1/ports/sales/{PRODUCT}/{PORT}/records"
    with httpx.stream("GET", url, params={"format": form, **more}, headers=person(0), timeout=300) as answer:
        assert answer.status_code == 200, answer.read()
        for _ in answer.iter_raw():
            pass


def least(runs: int, act: Callable[[], object]) -> float:
    took = []
    for _ in range(runs):
        begun = time.perf_counter()
        act()
        took.append(time.perf_counter() - begun)
    return min(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="queries of each person")
    given, root = parser.parse_args(), Path(__file__).parents[1]
    print(f"{os.cpu_count()} cores; {os.getloadavg()[0]:.1f} other processes wanted one when it began\n")
    with marketplace(root) as (address, server):
        first_row(address, QUERIES[0], person(0))
        lab_table(address, server, given.rounds)
        greedy_line(address)
        records_table(address, root, given.rounds)


if __name__ == "__main__":
    main()
