"""What one run of a tool costs: its process is started in the tool's own environment, and waited for with its children."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from peers import contracts, dbt, expectations, hand, ours, soda3, soda4
from peers.checks import Job

BENCHMARKS = Path(__file__).parent.parent
DUCKDB = "1.5.6"
QUIET = {
    "SODA_CORE_TELEMETRY_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
}


@dataclass(frozen=True, slots=True)
class Tool:
    """`requirements` are what its environment holds; `override` is what it must take though it says that it does not."""

    title: str
    module: str
    requirements: tuple[str, ...]
    override: bool = False


TOOLS = (
    Tool("ours", "ours", ("pydantic>=2.12,<3", "pyyaml", "sqlglot", "packaging", "croniter")),
    Tool("one aggregate by hand", "hand", ()),
    Tool("Soda Core 4", "soda4", ("soda-duckdb==4.28.0",)),
    Tool("Soda Core 3", "soda3", ("soda-core-duckdb==3.5.6", "setuptools<81"), override=True),
    Tool("dbt tests", "dbt", ("dbt-core==1.11.16", "dbt-duckdb==1.11.1")),
    Tool("datacontract-cli", "contracts", ("datacontract-cli[duckdb]==1.2.8",)),
    Tool("Great Expectations", "expectations", ("great-expectations==1.24.1", "duckdb-engine==0.17.0", "sqlalchemy<2.1")),
)
_MODULES = {
    "ours": ours,
    "hand": hand,
    "soda4": soda4,
    "soda3": soda3,
    "dbt": dbt,
    "contracts": contracts,
    "expectations": expectations,
}


@dataclass(frozen=True, slots=True)
class Run:
    """CPU seconds are of the process and its children, user and system; `peak` in bytes; `error` is why there is no answer."""

    cpu: float
    wall: float
    peak: int
    answer: Mapping[str, tuple[int, bool]]
    queries: int | None = None
    error: str = ""


def environment(tool: Tool, folder: Path, uv: Path) -> Path:
    """The tool's interpreter, in a virtual environment that is made where there is none. Raises CalledProcessError if it cannot be."""
    python = folder / tool.module / "bin" / "python"
    if python.exists():
        return python
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", version, folder / tool.module], check=True)
    pinned = folder / f"{tool.module}.txt"
    pinned.write_text(f"duckdb=={DUCKDB}\n")
    ruled = ["--override", pinned] if tool.override else [f"duckdb=={DUCKDB}"]
    subprocess.run([uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *tool.requirements, *ruled], check=True)
    return python


def prepared(tool: Tool, job: Job, python: Path) -> Path:
    """The tool's files for the job, written into its folder. Gives the job's own."""
    folder = Path(job.folder)
    for name, text in {**_MODULES[tool.module].files(job), "job.json": json.dumps(job.told())}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    if tool.module == "dbt":
        dbt.prepare(job, python.parent)
    return folder / "job.json"


def run(tool: Tool, python: Path, file: Path, limit: float, count: bool = False) -> Run:
    """One run, broken off after `limit` seconds."""
    folder = file.parent
    for old in ("answer.json", "queries.json"):
        (folder / old).unlink(missing_ok=True)
    known = {**os.environ, **QUIET, "PYTHONPATH": os.pathsep.join((str(BENCHMARKS), str(BENCHMARKS.parent))), "HOME": str(folder)}
    if count:
        known["COUNT_QUERIES"] = "1"
    started = time.perf_counter()
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [python, "-m", f"peers.{tool.module}", file], cwd=folder, env=known, stdout=log, stderr=log, start_new_session=True
        )
        late = threading.Timer(limit, os.killpg, (process.pid, signal.SIGKILL))
        late.start()
        _, status, used = os.wait4(process.pid, 0)
        late.cancel()
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    error = _error(process.returncode, folder, wall >= limit, limit)
    answer = {} if error else {id: (n, met) for id, (n, met) in json.loads((folder / "answer.json").read_text()).items()}
    queries = json.loads((folder / "queries.json").read_text()) if count and not error else None
    return Run(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * 1024, answer, queries, error)


def _error(code: int, folder: Path, late: bool, limit: float) -> str:
    if late:
        return f"broken off after {limit:.0f} s"
    if code == 0 and (folder / "answer.json").exists():
        return ""
    lines: Sequence[str] = (folder / "log.txt").read_text().strip().splitlines()
    return lines[-1][:300] if lines else f"exit code {code}"
