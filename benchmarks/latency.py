"""How long it takes from the arrival of a file, or of a message, to the published version of a small product.

    .venv/bin/python benchmarks/latency.py             five arrivals of each kind
    .venv/bin/python benchmarks/latency.py --rounds 2

A real `dagster dev` runs in a folder of its own: web server, daemon, and the code servers, which are warm. A file is renamed into the
landing folder, or a message is sent to a broker (librdkafka's own mock, in this process). From then on it is counted until the product's
pointer names the new version. What lies in between is told from the run: until the sensor has asked for it, until its process works, and
until it has published. Nothing of the repository's own state is touched.
"""

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

import dagster as dg  # noqa: E402

from platform_resources.orchestration.instance import prepared_home  # noqa: E402
from tests.brokers import mock_broker  # noqa: E402
from tests.meshes import edited, product_file, tiny_mesh  # noqa: E402
from tests.orchestration.test_dagster_dev import LOCATION, WORKSPACE, Dagster, free_port, interruptible  # noqa: E402
from tests.refresh.running import CSV, batch, deliver  # noqa: E402

AIM_SECONDS = 10.0
PATIENCE_SECONDS = 300.0
PAUSES = random.Random(1)
SPEC = product_file("plant", "readings")
FILE = "interface: file\n        path: landing/readings.csv"
TOPIC = """interface: kafka
        servers: ${PLANT_BROKERS}
        topic: TOPIC
        columns:
          - {name: reading_id, type: bigint}
          - {name: sensor, type: varchar}
          - {name: degrees, type: "decimal(6,2)"}
          - {name: measured_at, type: timestamp}
          - {name: operator, type: varchar}"""


def newest(root: Path) -> str:
    """The version that readers have."""
    pointer = root / "ports/plant/readings/latest.json"
    return str(json.loads(pointer.read_text())["published"][-1]) if pointer.exists() else ""


def waited(condition: object, what: str) -> None:
    """Until the condition holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} did not happen within {PATIENCE_SECONDS:.0f} s")
        time.sleep(0.05)


def measured(root: Path, instance: dg.DagsterInstance, arrive: object) -> dict[str, float]:
    """One arrival; seconds until each stage has come."""
    idle = dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
    waited(lambda: not instance.get_runs(idle), "the end of the runs before")
    time.sleep(PAUSES.uniform(0, 10))  # arrivals know nothing of when somebody looks
    before, began = newest(root), time.time()
    arrive()  # type: ignore[operator]
    waited(lambda: newest(root) != before, "a new version")
    published = time.time()
    made = dg.RunsFilter(job_name="refresh_readings", created_after=datetime.fromtimestamp(began, UTC))
    record = instance.get_run_records(made, limit=1)[0]
    asked, works = record.create_timestamp.timestamp(), record.start_time or published
    return {
        "seen and asked for": asked - began,
        "its process works": works - asked,
        "published": published - works,
        "in all": published - began,
    }


def told(kind: str, rounds: list[dict[str, float]]) -> None:
    """Median and greatest of each stage."""
    for stage in rounds[0]:
        seconds = [measured_round[stage] for measured_round in rounds]
        print(f"{kind:<9} {stage:<20} median {statistics.median(seconds):6.1f} s   most {max(seconds):6.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the beginning; aim: {AIM_SECONDS:.0f} s")
    with mock_broker() as broker:
        os.environ["PLANT_BROKERS"] = broker.servers
        for kind in ("a file", "a message"):
            with tempfile.TemporaryDirectory(prefix="mesh_latency_", ignore_cleanup_errors=True) as folder:
                told(kind, of_kind(Path(folder) / "mesh", kind, broker, rounds))
    print(f"load {os.getloadavg()[0]:.1f} at the end")


def of_kind(root: Path, kind: str, broker: object, rounds: int) -> list[dict[str, float]]:
    """A mesh whose product is refreshed on arrivals of this kind."""
    tiny_mesh(root)
    topic = broker.topic()  # type: ignore[attr-defined]
    edited(root, SPEC, '{cron: "0 5 * * *", timezone: Europe/Berlin}', "{on: inputs}")
    if kind == "a message":
        edited(root, SPEC, FILE, TOPIC.replace("TOPIC", topic))
    numbers = iter(range(1, 1_000))

    def arrive() -> None:
        number = next(numbers)
        if kind == "a file":
            deliver(root, batch(number, 10 + number), CSV)
            return
        reading = {"sensor": "north", "degrees": number, "measured_at": "2024-06-01 06:00:00", "operator": "Ada"}
        several = range(10 * number) if number == 1 else range(10 * number, 10 * number + 10)
        broker.send(topic, *((str(n), {"reading_id": n, **reading}) for n in several))  # type: ignore[attr-defined]

    (root / "workspace.yaml").write_text(WORKSPACE)
    for domain in ("plant", "office"):
        (root / "dataproducts" / domain / "definitions.py").write_text(LOCATION)
    home, programs, port = prepared_home(root, root), Path(sys.executable).parent, free_port()
    environment = {**os.environ, "DAGSTER_HOME": str(home), "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY)}
    command = [str(programs / "dagster"), "dev", "-w", "workspace.yaml", "-p", str(port)]
    with (root / "dev.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=root, env=environment, stdout=log, stderr=log, start_new_session=True, preexec_fn=interruptible
        )
    running = Dagster(root, port)
    try:
        running.until("loading the workspace", running.loaded)
        with dg.DagsterInstance.from_config(str(home)) as instance:
            sensor = "refresh_plant_on_sources"
            waited(lambda: any(tick.cursor for tick in ticks(instance, sensor)), "the first look at the sources")
            measured(root, instance, arrive)  # the first refresh parses dbt's project
            return [measured(root, instance, arrive) for _ in range(rounds)]
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(300)


def ticks(instance: dg.DagsterInstance, sensor: str) -> list[object]:
    """The last looks of a sensor."""
    states = [state for state in instance.all_instigator_state() if state.instigator_name == sensor]
    return [tick for state in states for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=5)]


if __name__ == "__main__":
    main()
