"""What is lost where a part of the platform dies? Starts all parts as processes, breaks each under readers and refreshes, and tells.

    make deployment

The parts are those of a real deployment: PostgreSQL for Dagster and the ledger, one code server for each domain, Dagster's daemon and
web server, two servers of the marketplace. The mesh is a new one with two domains; everything is in a folder that is gone afterwards,
unless --keep says where. As root the state is on a small file system of its own, which is filled up too.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from breaks import BREAKS, full_disk
from parts import DOMAINS, Deployment, until

(DOMAIN, PRODUCT), *_ = DOMAINS.items()
PAGES = {
    "pages": (f"/products/{PRODUCT}", b"<h1"),
    "records": (f"/api/v1/ports/{DOMAIN}/{PRODUCT}/{PRODUCT}_sql/records?limit=1", b'"rows":[{'),
    "downloads": (f"/api/v1/products/{PRODUCT}/ports/{PRODUCT}_sql/file", b"PAR1"),
}
# Longer than a message waits for the next look at what is due.
TOLD_SECONDS = 180


class Readers:
    """Read what is published over and over: the newest files, and pages, records and downloads of the marketplace."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment, self.stopped = deployment, threading.Event()
        self.counts = {"files": [0, 0], **{name: [0, 0] for name in PAGES}}
        self.threads = [
            threading.Thread(target=self._read, args=(name, 0.3 if name == "files" else 1), daemon=True) for name in self.counts
        ]

    def _files(self) -> bool:
        import duckdb

        folder = self.deployment.state / f"ports/{DOMAIN}/{PRODUCT}"
        newest = json.loads((folder / "latest.json").read_text())["version"]
        port = newest["ports"][0]
        ((rows,),) = (
            duckdb.connect().execute("select count(*) from read_parquet(?)", [[str(folder / file) for file in port["files"]]]).fetchall()
        )
        return int(rows) == port["rows"]

    def _read(self, name: str, pause: float) -> None:
        while not self.stopped.wait(pause):
            try:
                if name == "files":
                    is_good, why = self._files(), "rows"
                else:
                    path, mark = PAGES[name]
                    is_good, why = mark in self.deployment.read(path), "content"
            except (OSError, ValueError, KeyError) as error:
                is_good, why = False, str(error)
            self.counts[name][0 if is_good else 1] += 1
            if not is_good:
                print(f"  a read of {name} failed: {why}", flush=True)

    @contextmanager
    def reading(self) -> Iterator[None]:
        for thread in self.threads:
            thread.start()
        yield
        self.stopped.set()
        for thread in self.threads:
            thread.join()


def lost(deployment: Deployment, readers: Readers) -> Iterator[str]:
    """What was lost, or done twice."""
    statuses = deployment.statuses()
    yield from (f"run {run} was not done: {statuses.get(run)}" for run in deployment.submitted if "SUCCESS" not in statuses.get(run, []))
    if twice := deployment.runs_started_twice():
        yield f"{twice} runs were begun twice"
    for domain in DOMAINS:
        versions = deployment.versions(domain)
        runs = [version["run_id"] for version in versions]
        yield from (f"run {run} has published twice" for run in set(runs) if runs.count(run) > 1)
        rows = [version["ports"][0]["rows"] for version in versions]
        if rows != sorted(rows):
            yield f"{domain} has lost rows: {rows}"
    yield from (f"{bad} reads of {name} failed" for name, (_, bad) in readers.counts.items() if bad)


def told_twice(deployment: Deployment) -> Iterator[str]:
    """Versions that were told by several messages. Waits until each was told."""
    messages = deployment.machine.messages
    awaited = {version["id"] for domain in DOMAINS for version in deployment.versions(domain)} - deployment.untold
    until("every version is told", lambda: messages.keys() >= awaited, TOLD_SECONDS)
    yield from (f"version {version} was told by {len(keys)} messages" for version, keys in messages.items() if len(keys) > 1)


def tried(deployment: Deployment, wanted: Callable[[str], bool]) -> Iterator[str]:
    """Break one thing after the other; gives what to print."""
    for name, broken in BREAKS.items():
        if not wanted(name):
            continue
        if broken is full_disk and not deployment.own_disk:
            yield f"{name}: not tried, as no file system can be mounted here: {deployment.why_no_disk}"
        else:
            yield f"{name}: well again after {broken(deployment):.0f} s"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--keep", type=Path, help="a new folder for all that is made, which stays")
    options.add_argument("--only", default="", help="break only what has one of these words in its name, parted by commas")
    asked, begin = options.parse_args(), time.monotonic()
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="deployment-"))
    folder.mkdir(parents=True, exist_ok=True)
    deployment = Deployment(folder.resolve())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    words = [word.strip() for word in asked.only.split(",")]
    try:
        deployment.prepare()
        print(f"started in {deployment.start():.0f} s: PostgreSQL, {', '.join(deployment.parts)}", flush=True)
        runs = [deployment.submit(domain) for domain in DOMAINS]
        until("each product is published", lambda: all(map(deployment.is_done, runs)))
        readers = Readers(deployment)
        with readers.reading():
            for line in tried(deployment, lambda name: any(word in name for word in words)):
                print(line, flush=True)
        gone = [*lost(deployment, readers), *told_twice(deployment)]
        for name, (good, bad) in readers.counts.items():
            print(f"{name}: read {good} times, {bad} of the tries failed")
        heard = deployment.machine.messages
        print(f"versions told to a machine: {len(heard)}, again after a break: {sum(sum(keys.values()) - 1 for keys in heard.values())}")
        restarts = {name: part.restarts for name, part in deployment.parts.items() if part.restarts}
        print(f"ended by themselves and were started again: {restarts or 'none'}")
        print(f"{len(deployment.submitted)} refreshes in {time.monotonic() - begin:.0f} s; lost: {'; '.join(gone) or 'nothing'}")
        sys.exit(1 if gone else 0)
    finally:
        deployment.stop()
        if asked.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
