"""Make `first_release.tar.xz`: what the first platform left behind that had a ledger, of the tiny mesh, refreshed and evaluated twice.

    git archive 9c092ae7 | tar -x -C OLD
    PYTHONPATH=OLD python tests/recorded/first_release.py OLD

The commit is of version 0.1.0, the last whose ledger is of the first revision.
"""

import io
import os
import sqlite3
import sys
import tarfile
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

KEPT = ("ports", "warehouse", ".mesh", ".dagster/history", ".dagster/schedules")


def made(root: Path) -> None:
    """By the modules of the old checkout, which are the first on the path."""
    import dagster as dg
    from platform_resources.cli.console import Stop
    from platform_resources.orchestration.evaluation import synced_ledger

    from platform_resources.cli.app import app
    from tests.meshes import tiny_mesh

    tiny_mesh(root)
    os.chdir(root)
    for day in (1, 2):
        csv = root / "dataproducts/plant/readings/landing/readings.csv"
        csv.write_text(csv.read_text() + f"{100 + day},north,20.5,2024-06-0{day} 06:00:00,\n")
        with suppress(Stop):
            app(["refresh", "--all"], standalone_mode=False)
        os.environ["DAGSTER_HOME"] = str(root / ".dagster")
        with dg.DagsterInstance.get() as instance, synced_ledger(root, instance, datetime.now(UTC)):
            pass


def pack(root: Path, into: Path) -> None:
    for file in root.rglob("*.db"):
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("pragma wal_checkpoint(truncate)")
    with tarfile.open(into, "w:xz", preset=9) as archive:
        for folder in KEPT:
            for file in sorted((root / folder).rglob("*")):
                if file.is_file() and not file.name.endswith((".lock", "-wal", "-shm")):
                    data, entry = file.read_bytes(), tarfile.TarInfo(str(file.relative_to(root)))
                    entry.size = len(data)
                    archive.addfile(entry, io.BytesIO(data))


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    sys.path.remove(str(Path(__file__).parent)) if str(Path(__file__).parent) in sys.path else None
    with TemporaryDirectory() as folder:
        made(Path(folder) / "mesh")
        pack(Path(folder) / "mesh", Path(__file__).with_suffix(".tar.xz"))
