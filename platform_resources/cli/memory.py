"""What commands remember by: Dagster's history and the ledger, opened with words for what is wrong with them."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from platform_resources.cli.console import CANNOT_RUN, stop
from platform_resources.repository.mesh_repository import state_folder

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from platform_resources.ledger.database import Ledger


def history(root: Path) -> "DagsterInstance":
    """Dagster's history. Raises OSError where it cannot be written: its database would tell that with a traceback."""
    from platform_resources.orchestration.instance import dagster_home, instance

    home = dagster_home(root, state_folder(root))
    for path in (home, *home.glob("*"), *home.glob("*/*.db")):
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return instance(root, state_folder(root))


@contextmanager
def opened(root: Path) -> "Iterator[Ledger]":
    """The ledger as it is, without Dagster's history; the command ends where it cannot be had."""
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
def synced(root: Path, now: datetime) -> "Iterator[Ledger]":
    """The ledger, up to date with Dagster's history; the command ends where it cannot be had."""
    from platform_resources.ledger.database import LedgerUnavailable
    from platform_resources.orchestration.evaluation_round import synced_ledger

    try:
        with synced_ledger(state_folder(root), history(root), now) as ledger:
            yield ledger
    except LedgerUnavailable as error:
        stop(str(error), CANNOT_RUN)


def database_trouble(error: Exception) -> str:
    """What is wrong with the ledger or with Dagster's history, and what to do; empty where the error is about neither.

    The ledger tells of itself. Whatever other database there is is one of Dagster's.
    """
    from platform_resources.ledger.database import LedgerUnavailable
    from platform_resources.ledger.database_errors import database_trouble as trouble

    if isinstance(error, LedgerUnavailable):
        return str(error)
    told = trouble(error)
    return f"Dagster's history (DAGSTER_HOME, or .dagster beside the mesh's state) cannot be used: {told}" if told else ""
