"""`mesh` in a process that is forked from one that has imported everything: as real as any other, without the seconds that imports take.

What a process reads only as it starts, such as PYTHONPATH, is that of the server; tests of that start a process of their own.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from tests.repeated_work import do_once

REPOSITORY = Path(__file__).parents[1]
LIMIT_SECONDS = 600
# What the longest commands import when they are called. All else is imported by these.
IMPORTED = (
    "platform_resources.cli.app",
    "platform_resources.orchestration.definitions",
    "platform_resources.orchestration.evaluation_job",
    "platform_resources.orchestration.refresh_runs",
    "platform_resources.ledger.database",
    "alembic.command",
    "dbt.cli.main",
    "dbt.adapters.duckdb",
    "dbt.task.build",
)


def forked(arguments: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """`mesh ARGUMENTS` in a process of its own with this environment, in the current folder. It is killed after ten minutes."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        asked = {"arguments": arguments, "environment": dict(environment), "folder": os.getcwd(), "out": str(out), "err": str(err)}
        server = _server()
        print(json.dumps(asked), file=server.stdin, flush=True)
        code = server.stdout.readline()
        if not code:
            raise RuntimeError("the process that forks `mesh` has ended; its standard error says why")
        return subprocess.CompletedProcess(arguments, int(code), out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))


@cache
def _server() -> Any:
    """Ends when this process does, which closes the pipe that it reads."""
    command = [sys.executable, "-c", "from tests.forked_commands import serve; serve()"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def serve() -> None:
    """Run what comes on standard input, one command at a time, and print the exit code of each, negative for a signal."""
    for module in IMPORTED:
        importlib.import_module(module)
    if len(os.listdir("/proc/self/task")) > 1:
        raise SystemExit("a process with threads cannot be forked safely; what starts one on import must not be imported here")
    do_once()
    while line := sys.stdin.readline():
        asked = json.loads(line)
        child = os.fork()
        if not child:
            _become_mesh(**asked)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _become_mesh(arguments: list[str], environment: Mapping[str, str], folder: str, out: str, err: str) -> NoReturn:
    from platform_resources.cli.app import main

    signal.alarm(LIMIT_SECONDS)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT), 1)
    os.dup2(os.open(err, os.O_WRONLY | os.O_CREAT), 2)
    sys.argv = ["mesh", *arguments]
    main()
    raise SystemExit
