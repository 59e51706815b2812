"""A folder of files and the input that they are loaded into, for tests of loading."""

import os
from datetime import UTC, datetime

import duckdb

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import PullFiles
from platform_resources.refresh.sources.file_inputs import load_files
from platform_resources.spec.values.clocks import Clock

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
INPUT = Relation("inputs", "tills")


class Landing:
    """A folder of files and the input that they are loaded into."""

    def __init__(self, folder, database, **settings):
        self.folder, self.database, self.record = folder, database, None
        self.settings = {"path": "in/*", "format": "csv", "load": "append", **settings}

    def write(self, name, content, written=None):
        file = self.folder / "in" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        if written is not None:
            os.utime(file, (written.timestamp(), written.timestamp()))
        return file

    def load(self, now=NOW, **settings):
        self.settings |= settings
        with self.database.transaction():
            loaded = self.load_into(self.database, now)
        self.record = loaded.record
        return loaded

    def load_into(self, database, now=NOW):
        """The load alone, without its transaction."""
        return load_files(database, INPUT, PullFiles(**self.settings), self.folder, Clock("UTC", now), self.record)

    @property
    def types(self):
        return self.database.columns(INPUT)

    def rows(self, columns="*"):
        return self.database.connection.execute(f"select {columns} from inputs.tills").fetchall()

    def texts(self, column):
        return [row[0] for row in self.rows(f"cast({column} as varchar)")]


def parquet(file, *selects):
    file.parent.mkdir(parents=True, exist_ok=True)
    duckdb.sql(" union all ".join(selects)).write_parquet(str(file))
