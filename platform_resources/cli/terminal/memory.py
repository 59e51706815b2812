"""Open Dagster's history and the ledger for commands, with readable error messages."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from platform_resources.cli.terminal.console import CANNOT_RUN, stop, words
from platform_resources.repository.mesh_folders import dagster_home, state_folder
from platform_resources.spec.values.clocks import Clock

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from platform_resources.ledger.database import Ledger

Sync = Annotated[bool, typer.Option("--sync", help="First read what Dagster's history has that the ledger lacks.")]


def history(root: Path) -> "DagsterInstance":
    """Dagster's history. Raises OSError if it is not writable, where Dagster would fail with a traceback."""
    from platform_resources.orchestration.instance import instance, prepared_home

    home = prepared_home(root, state_folder(root))
    for path in (home, *home.glob("*"), *home.glob("*/*.db")):
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return instance(root, state_folder(root))


@contextmanager
def opened(root: Path) -> "Iterator[Ledger]":
    """The ledger, without syncing; the command ends if it cannot be opened."""
    from platform_resources.ledger.database import LedgerUnavailable, ledger_url, open_ledger

    try:
        ledger = open_ledger(ledger_url(state_folder(root), os.environ))
    except LedgerUnavailable as error:
        stop(str(error), CANNOT_RUN)
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def shown(root: Path, now: datetime, sync: bool, quiet: bool = False, zone: str = "UTC") -> "Iterator[Ledger]":
    """The ledger for a command that prints from it, stating as of when; `sync` brings it up to date first.

    `quiet`: nothing is said but what the ledger may lack.
    """
    from platform_resources.services.unread_history import ledger_age

    with synced(root, now) if sync else opened(root) as ledger:
        with ledger.reading() as connection:
            age = ledger_age(connection, dagster_home(state_folder(root)))
        if age.synced_at is not None and not quiet:
            words.print(f"as of {Clock(zone, now).moment(age.synced_at)}", style="dim", highlight=False)
        if age.lacks:
            words.print(age.lacks, style="yellow", markup=False, highlight=False)
        yield ledger


@contextmanager
def synced(root: Path, now: datetime) -> "Iterator[Ledger]":
    """The ledger, synced with Dagster's history; the command ends if it cannot be opened."""
    from platform_resources.ledger.database import LedgerUnavailable
    from platform_resources.orchestration.events.ledger_events import synced_ledger

    try:
        with synced_ledger(state_folder(root), history(root), now) as ledger:
            yield ledger
    except LedgerUnavailable as error:
        stop(str(error), CANNOT_RUN)


def database_trouble(error: Exception) -> str:
    """What is wrong with the ledger or Dagster's history and what to do; empty for other errors.

    The ledger tells of itself. Whatever other database there is is one of Dagster's.
    """
    from platform_resources.ledger.database import LedgerUnavailable
    from platform_resources.ledger.database_errors import database_advice

    if isinstance(error, LedgerUnavailable):
        return str(error)
    advice = database_advice(error)
    return f"Dagster's history (DAGSTER_HOME, or .dagster beside the mesh's state) cannot be used: {advice}" if advice else ""
