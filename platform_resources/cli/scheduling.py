"""The command `mesh daemon`: Dagster's daemon, of which only one works at a time."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

import typer

from platform_resources.cli.terminal.console import CANNOT_RUN, stop, words
from platform_resources.repository.mesh_folders import mesh_root, state_folder
from platform_resources.repository.needed_files import WORKSPACE

LOOK_SECONDS = 2.0
# A place that cannot be asked for is kept so long: while the database is away, nobody else can take it either.
AWAY_SECONDS = 60.0


def daemon(
    context: typer.Context,
    workspace: Annotated[str, typer.Option("--workspace", "-w", help="The file that says where the code locations are.")] = WORKSPACE,
) -> None:
    """Run Dagster's daemon, which starts runs by schedules and sensors. Where one runs already, wait, and go on when it ends.

    Two of them at work would start runs twice.
    """
    from platform_resources.ledger.database import LedgerUnavailable, OnlyOne, ledger_url

    root = mesh_root(context.obj)
    file = root / workspace
    if not file.exists():
        stop(f"{file} is not there; it says where the code locations are", CANNOT_RUN)
    place, waits = OnlyOne(ledger_url(state_folder(root), os.environ)), ""
    while True:
        why = "another daemon works; this one goes on when that ends"
        try:
            if place.take():
                break
        except LedgerUnavailable as error:
            why = f"{error}; it is tried again"
        if why != waits:
            words.print(waits := why, style="yellow", highlight=False)
        time.sleep(LOOK_SECONDS)
    threading.Thread(target=_keep, args=(place.take, LedgerUnavailable), daemon=True).start()
    from dagster._daemon.cli import run_command

    os.chdir(root)
    run_command(["-w", str(file)])


def _keep(take: Callable[[], bool], unavailable: type[Exception]) -> None:
    """End this process, with all that its daemon has begun, where the place was lost: somebody else has it."""
    kept_until = time.monotonic() + AWAY_SECONDS
    while time.monotonic() < kept_until:
        with suppress(unavailable):
            if not take():
                break
            kept_until = time.monotonic() + AWAY_SECONDS
        time.sleep(LOOK_SECONDS)
    words.print("the place of the daemon was lost; this one ends", style="red", highlight=False)
    os._exit(CANNOT_RUN)
