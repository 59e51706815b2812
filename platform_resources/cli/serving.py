"""The commands `mesh serve` and `mesh mcp`: the marketplace for browsers and programs, and for a local agent."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from platform_resources.cli.terminal.console import CANNOT_RUN, stop, words
from platform_resources.repository.mesh_folders import mesh_root, state_folder
from platform_resources.settings import SERVING, TOKEN

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from platform_resources.marketplace.api.acting_routes import TakenResults
    from platform_resources.marketplace.people.auth_settings import AuthSettings

LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_WORKERS = 4
TAKES_AT_MOST_SECONDS = 300
NEEDED = ("uvicorn", "fastapi", "jinja2", "itsdangerous", "markdown_it", "nh3", "pyarrow", "prometheus_client")


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="The port; 0 takes any that is free.", min=0, max=65535)] = 8080,
    host: Annotated[str, typer.Option(help="Where to listen: on this computer only, unless people sign in (MESH_AUTH).")] = LOOPBACK[0],
    reader: Annotated[
        str | None, typer.Option("--as", help="Show it as this person, team:name or product:name sees it; whole if left out.")
    ] = None,
    workers: Annotated[int, typer.Option(help=f"How many processes answer; 0: one for each core, at most {MOST_WORKERS}.", min=0)] = 0,
    postgres: Annotated[
        int | None,
        typer.Option(
            help="Also run PostgreSQL on this port of this computer, for ports of the interface postgres; for development.",
            min=1,
            max=65535,
        ),
    ] = None,
) -> None:
    """Serve the marketplace to browsers: find products, and see why to trust them. Ends with Ctrl-C."""
    if reader is not None and not reader.strip():
        stop("--as is empty; say who reads, or leave the option out", CANNOT_RUN)
    root = mesh_root(context.obj)
    if missing := next((module for module in NEEDED if find_spec(module) is None), ""):
        stop(f'the marketplace needs {missing}; install the extra "marketplace"', CANNOT_RUN)
    import uvicorn

    auth = _known_readers(root, host, reader)
    settings = uvicorn.Config(
        partial(_served, root, auth, reader),
        factory=True,
        workers=workers or min(len(os.sched_getaffinity(0)), MOST_WORKERS),
        timeout_worker_healthcheck=60,
        log_level="warning",
        server_header=False,
        # The address of a request is whose it is, never what a header says: by it a proxy is trusted.
        proxy_headers=False,
    )
    with _listening(host, port) as listening, suppress(KeyboardInterrupt), _tables(state_folder(root), postgres):
        taken = listening.getsockname()[1]
        words.print(f"marketplace: http://{f'[{host}]' if ':' in host else host}:{taken}", highlight=False)
        _run(settings, listening)


def _known_readers(root: Path, host: str, reader: str | None) -> "AuthSettings":
    """How readers are known; ends where that, the ledger or the place to listen at is refused."""
    from platform_resources.ledger.database import LedgerUnavailable, ledger_url, open_ledger
    from platform_resources.marketplace.people.auth_settings import AuthSettingsWrong, auth_settings

    try:
        auth = auth_settings(os.environ)
        open_ledger(ledger_url(state_folder(root), os.environ)).close()
    except (AuthSettingsWrong, LedgerUnavailable) as error:
        stop(str(error), CANNOT_RUN)
    if host not in LOOPBACK and (auth.kind == "local" or reader is not None):
        why = "as nobody has to sign in; MESH_AUTH says how readers are known" if auth.kind == "local" else "as --as shows it to everybody"
        stop(f'--host is "{host}"; allowed: {", ".join(LOOPBACK)}, {why}', CANNOT_RUN)
    return auth


def mcp(
    context: typer.Context,
    url: Annotated[str, typer.Option(help="A marketplace elsewhere, such as https://market.example.com; this mesh if left out.")] = "",
    reader: Annotated[str | None, typer.Option("--as", help="Read as this person, team:name or product:name; whole if left out.")] = None,
) -> None:
    """Serve the marketplace as tools to an agent, over standard input and output (Model Context Protocol)."""
    if reader is not None and (not reader.strip() or url):
        stop("--as names who reads of this mesh; elsewhere the token of MESH_TOKEN says it", CANNOT_RUN)
    try:
        from platform_resources.marketplace.application import application, shown_as
        from platform_resources.marketplace.kept_view import opened_market
        from platform_resources.mcp.api_calls import Api
        from platform_resources.mcp.tools import mesh_tools
    except ModuleNotFoundError as error:
        stop(f'tools for agents need {error.name}; install the extras "marketplace" and "mcp"', CANNOT_RUN)
    from platform_resources.ledger.database import LedgerUnavailable

    if url:
        api = Api(url.rstrip("/"))
    else:
        try:
            app = application(opened_market(mesh_root(context.obj)), watch=False, who=shown_as(reader) if reader else None)
        except LedgerUnavailable as error:
            stop(str(error), CANNOT_RUN)
        api = Api(app=app)
    mesh_tools(api, TOKEN.value(os.environ)).run("stdio")


def _served(root: Path, auth: "AuthSettings", reader: str | None) -> "FastAPI":
    """The application of one process, with `/mcp` if its extra is installed; the process that starts the others never loads it."""
    if find_spec("mcp") is None:
        from platform_resources.marketplace.application import served_mesh

        return served_mesh(root, auth, reader, partial(take_results, root))
    from platform_resources.mcp.serving_agents import served_with_agents

    return served_with_agents(root, auth, reader, partial(take_results, root))


def take_results(root: Path, document: bytes, tool: str, product: str, only: Sequence[str] | None) -> "TakenResults":
    """Import results, and judge what follows, in a process of its own: the server holds neither the run history nor Dagster."""
    from platform_resources.marketplace.api.acting_routes import TakenResults

    options = ["--json", *(["--product", product] if product else []), *(part for name in only or () for part in ("--only", name))]
    start = (sys.executable, "-c", "from platform_resources.cli.app import main; main()")
    command = [*start, "--root", str(root), "import-results", "-", "--tool", tool, *options]
    try:
        done = subprocess.run(command, input=document, capture_output=True, timeout=TAKES_AT_MOST_SECONDS)
    except subprocess.TimeoutExpired:
        return TakenResults(None, f"it takes longer than {TAKES_AT_MOST_SECONDS} seconds; look at the products, and send it again")
    words = done.stderr.decode(errors="replace").strip()
    try:
        imported = json.loads(done.stdout)
    except ValueError:
        return TakenResults(None, words or f"it ended with code {done.returncode}")
    return TakenResults(imported, words if done.returncode == CANNOT_RUN and not imported["refused"] else "")


@contextmanager
def _tables(state: Path, port: int | None) -> Iterator[None]:
    """PostgreSQL beside the marketplace, if a port for it is named; the other processes find its address in a file."""
    if port is None:
        yield
        return
    from platform_resources.warehouses.limits import SettingInvalid
    from platform_resources.warehouses.table_servers import ServingFailed
    from platform_resources.warehouses.targets import serving_here

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that it is stopped as well
    try:
        with serving_here(state, port) as file:
            export = f'to refresh: export {SERVING.name}="$(cat {shlex.quote(str(file))})"'
            words.print(f"PostgreSQL: 127.0.0.1:{port}; {export}", highlight=False)
            yield
    except (SettingInvalid, ServingFailed) as error:
        stop(str(error), CANNOT_RUN)


def _run(settings: "uvicorn.Config", listening: socket.socket) -> None:
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    class Workers(Multiprocess):
        """Processes of which one that dies while it is asked whether it lives is replaced at once, not after a minute."""

        def keep_subprocess_alive(self) -> None:
            for process in self.processes:
                process.child_conn.close()  # the worker has its own; with this one open its end would not be noticed
            super().keep_subprocess_alive()

    if settings.workers == 1:
        uvicorn.Server(settings).run(sockets=[listening])
    else:
        Workers(settings, sockets=[listening]).run()


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        stop(
            f"port {port} of {host} cannot be listened on: {error.strerror}\n--port chooses another one; 0 takes any that is free",
            CANNOT_RUN,
        )
