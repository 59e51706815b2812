"""Python processes that are forked from one that has imported everything: as real as any other, without the seconds that imports take.

`Forked` stands for `subprocess.Popen` of `python -c TEXT …`, and `program` makes a file for others to run, which does the same. What Python reads only as it starts, such as PYTHONPATH, is that of the
server; tests of that start a process of their own.
"""

import atexit
import importlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from tests.garbage import collect_rarely
from tests.repeated_work import do_once

REPOSITORY = Path(__file__).parents[1]
MESH = [sys.executable, "-c", "import sys; sys.argv[0] = 'mesh'; from platform_resources.cli.app import main; main()"]
LIMIT_SECONDS = 600
LONGEST = 1_000_000
NUMBER = struct.Struct("i")
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
WARMING = (["refresh", "readings"], ["evaluate"], ["query", "readings", "from measurements"])


def forked(command: list[str], environment: Mapping[str, str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """What a command says in the folder and its exit code, as `subprocess.run` gives them. It is killed after ten minutes."""
    with Forked(command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        out, err = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, out, err)


# Python that begins with nothing, asks for a process with its own streams, and ends as that one does.
ASKING = """#!{python} -SE
import json, os, signal, socket, struct, sys
asked = {{"text": {text!r}, "arguments": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd()}}
own, (told, telling) = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET), os.pipe()
own.connect({address!r})
socket.send_fds(own, [json.dumps(asked).encode()], [0, 1, 2, telling])
os.close(telling)
os.read(told, {size})
(code,) = struct.unpack("i", os.read(told, {size}))
if code < 0:
    signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
    os.kill(os.getpid(), -code)
sys.exit(code)
"""


def program(file: Path, text: str) -> Path:
    """A program at `file` that is `python -c TEXT …`; it may be run for as long as this process lives."""
    _server()
    file.write_text(ASKING.format(python=sys.executable, text=text, address=str(_address()), size=NUMBER.size))
    file.chmod(0o755)
    return file


class Forked(subprocess.Popen):  # type: ignore[type-arg]
    """A running `python -c TEXT …`, whose pipes, signals and exit code are those of any process. It ends after ten minutes at the latest."""

    def _execute_child(self, args, executable, preexec_fn, close_fds, pass_fds, cwd, env, startupinfo, creationflags, shell, *more):
        python, option, text, *arguments = args
        environment = dict(os.environ if env is None else env)
        if (python, option) != (sys.executable, "-c") or _read_by_python(environment) != _read_by_python(_server_environment()):
            raise ValueError("what Python reads as it starts comes too late here; start a process of its own")
        pipes, told = more[:6], os.pipe()
        asked = {"text": text, "arguments": arguments, "environment": environment, "folder": str(cwd or Path.cwd())}
        streams = [own if own != -1 else default for own, default in zip((pipes[0], pipes[3], pipes[5]), (0, 1, 2), strict=True)]
        socket.send_fds(_server(), [json.dumps(asked).encode()], [*streams, told[1]])
        os.close(told[1])
        self._told = told[0]
        self.pid = self._number()
        self._child_created = True
        self._close_pipe_fds(*pipes)

    def _number(self) -> int:
        """The process's id, and then its exit code, negative for a signal."""
        said = os.read(self._told, NUMBER.size)
        if len(said) < NUMBER.size:
            raise RuntimeError("the process that forks others has ended; its standard error says why")
        return int(NUMBER.unpack(said)[0])

    def _internal_poll(self, *_: Any, timeout: float | None = 0, **__: Any) -> int | None:
        if self.returncode is None:
            told = select.poll()
            told.register(self._told, select.POLLIN)
            if told.poll(None if timeout is None else timeout * 1000):
                self.returncode = self._number()
                os.close(self._told)
        return self.returncode

    def _wait(self, timeout: float | None) -> int:
        if self._internal_poll(timeout=timeout) is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return int(self.returncode)


def _read_by_python(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("PYTHON")}


def _server_environment() -> dict[str, str]:
    """Without what tests set for a while, of which the first one that asks for a process has some."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MESH_", "DAGSTER_", "SNOWFLAKE_", "DBT_"))}
    return own | {"PYTHONPATH": str(REPOSITORY), "DAGSTER_DISABLE_TELEMETRY": "true"}


@cache
def _address() -> Path:
    """Where programs ask the server; it goes with this process."""
    folder = tempfile.mkdtemp(prefix="forked")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder) / "socket"


@cache
def _server() -> socket.socket:
    """Its other end is read by a process that ends when this one does."""
    own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LONGEST)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(str(_address()))
    listening.listen()
    given = [other.fileno(), listening.fileno()]
    command = [sys.executable, "-c", f"from tests.forked_commands import serve; serve(*{given})"]
    nothing = subprocess.DEVNULL
    subprocess.Popen(command, cwd=REPOSITORY, env=_server_environment(), stdin=nothing, stdout=nothing, pass_fds=given)
    other.close()
    listening.close()
    return own


def serve(descriptor: int, listener: int) -> None:
    """Fork a process for each request. Another one waits for it and writes its id and its exit code, so that many can run at once."""
    for module in (*IMPORTED, *_modules_of_commands()):
        importlib.import_module(module)
    do_once()
    _warm_up()
    collect_rarely()
    if len(os.listdir("/proc/self/task")) > 1:
        raise SystemExit("a process with threads cannot be forked safely; what starts one that stays must not be done here")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    requests, listening = socket.socket(fileno=descriptor), socket.socket(fileno=listener)
    while True:
        if requests in select.select([requests, listening], [], [])[0]:
            asked, streams, _, _ = socket.recv_fds(requests, LONGEST, 4)
            if not asked:
                return
        else:
            with listening.accept()[0] as program:
                asked, streams, _, _ = socket.recv_fds(program, LONGEST, 4)
        if not os.fork():
            _attend(json.loads(asked), *streams)
        for stream in streams:
            os.close(stream)


def _warm_up() -> None:
    """Do once what every command does first, such as compiling statements and templates: two seconds of each refresh."""
    from typer.testing import CliRunner

    from platform_resources.cli.app import app
    from tests.meshes import tiny_mesh

    before = dict(os.environ)
    os.environ["DBT_STATIC_PARSER"] = "false"  # it starts threads for the life of the process
    with tempfile.TemporaryDirectory(prefix="warm") as folder:
        root = tiny_mesh(Path(folder, "mesh"))
        for command in WARMING:
            done = CliRunner().invoke(app, ["--root", str(root), *command])
            if getattr(done.exception, "code", done.exit_code):
                raise SystemExit(f"mesh {' '.join(command)} fails: {done.output} {done.exception!r}")
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join()
    os.environ.clear()
    os.environ.update(before)
    tempfile.tempdir = None


def _modules_of_commands() -> set[str]:
    from platform_resources.cli.app import COMMANDS

    return {f"platform_resources.cli.{module}" for module, _ in COMMANDS}


def _attend(asked: dict[str, Any], stdin: int, stdout: int, stderr: int, told: int) -> None:
    """Fork once more, and return in the new process to become what was asked; this one ends with it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if not child:
        os.close(told)
        for number, stream in enumerate((stdin, stdout, stderr)):
            os.dup2(stream, number)
            os.close(stream)
        _become(**asked)
    for stream in (stdin, stdout, stderr):
        os.close(stream)
    os.write(told, NUMBER.pack(child))
    os.write(told, NUMBER.pack(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
    os._exit(0)


def _become(text: str, arguments: list[str], environment: Mapping[str, str], folder: str) -> NoReturn:
    signal.alarm(LIMIT_SECONDS)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = ["-c", *arguments]
    if "sys.path" in text:
        _forget_what_is_installed()
    exec(compile(text, "<string>", "exec"), {"__name__": "__main__"})
    raise SystemExit


def _forget_what_is_installed() -> None:
    """For a program that brings packages of its own, which the ones before it had not."""
    for name, module in list(sys.modules.items()):
        if name.startswith("platform_resources"):
            for value in vars(module).values():
                if callable(forget := getattr(value, "cache_clear", None)):
                    forget()
