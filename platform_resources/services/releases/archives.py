"""What is kept of a retired product: its last version as Parquet, its contract, its description and its scores."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from platform_resources.ledger.connections import Connection
from platform_resources.ledger.people.score_store import kept_scores
from platform_resources.plan import conventions
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises.scores import score_data
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import Publication
from platform_resources.publications.whole_files import replace_json
from platform_resources.services.standards.exported_products import export
from platform_resources.warehouses.published_places import PublishedRows
from platform_resources.warehouses.targets import warehouse

CONTENTS = "archive.json"
# The contract is kept as documents of these standards.
STANDARDS = ("odps", "odcs")


class ArchiveDamaged(Exception):
    """Raised where an archive does not hold what was written to it; says which files."""


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """One file of an archive, with its rows if it has some."""

    bytes: int
    sha256: str
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """A complete archive: `folder` is relative to the state folder; `version` is empty where the product never published."""

    product: str
    folder: str
    made_at: str
    version: str
    product_version: str
    files: Mapping[str, ArchivedFile]

    @property
    def rows(self) -> int:
        """How many rows of all data sets it holds."""
        return sum(file.rows or 0 for file in self.files.values())


def archive_of(state: Path, domain: str, product: str) -> Archive | None:
    """The product's archive; None if there is none that was finished."""
    file = state / conventions.archive_folder(domain, product) / CONTENTS
    if not file.is_file():
        return None
    record = json.loads(file.read_text(encoding="utf-8"))
    return Archive(**{**record, "files": {name: ArchivedFile(**saved) for name, saved in record["files"].items()}})


def damaged(state: Path, archive: Archive) -> tuple[str, ...]:
    """Its files that are gone, or do not hold what was written."""
    folder = state / archive.folder
    return tuple(name for name, saved in archive.files.items() if _look(folder / name, saved.rows) != saved)


def write_archive(connection: Connection, root: Path, state: Path, product: ProductPlan, now: datetime) -> Archive:
    """Write the archive anew and read it back. It appears whole or not at all.

    Raises ArchiveDamaged, EngineError, OSError, CannotExport.
    """
    place = conventions.archive_folder(product.domain, product.name)
    folder, part = state / place, state / f"{place}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700, parents=True)
    latest = shelf(state, product.domain, product.name).latest()
    rows = _write_rows(state, product, latest, part) if latest is not None else {}
    for standard in STANDARDS:
        document = export(root, product, standard, {})
        (part / document.name).write_text(document.text, encoding="utf-8")
    shutil.copyfile(root / product.place.file, part / "product.yaml")
    kept = kept_scores(connection, [product.name]).get(product.name)
    scores = {"at": kept.at.isoformat(), **score_data(kept.score)} if kept is not None else {}
    (part / "datsis.json").write_text(json.dumps(scores, indent=1), encoding="utf-8")
    files = {path.name: _look(path, rows.get(path.name)) for path in sorted(part.iterdir())}
    versions = (latest.id, latest.product_version) if latest is not None else ("", product.info.version)
    archive = Archive(product.name, place, now.isoformat(), *versions, {name: saved for name, saved in files.items() if saved is not None})
    replace_json(part / CONTENTS, asdict(archive))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(part, folder)
    if wrong := damaged(state, archive):
        raise ArchiveDamaged(f"{place} does not hold what was written to it: {', '.join(wrong)}")
    return archive


def _write_rows(state: Path, product: ProductPlan, latest: Publication, folder: Path) -> dict[str, int]:
    """One file for each data set, whose rows are counted again. Raises ArchiveDamaged."""
    shelves = shelf(state, product.domain, product.name)
    places = {port.data_set: (port, shelves.where(port)) for port in latest.ports}
    places |= {port.data_set: (port, place) for port in latest.ports if isinstance(place := shelves.where(port), PublishedRows)}
    written = dict[str, int]()
    for data_set, (port, place) in places.items():
        file = folder / f"{data_set}.parquet"
        written[file.name] = warehouse().save_rows(place, file)
        if not port.rows == written[file.name] == parquet_rows(file):
            raise ArchiveDamaged(f"of {data_set} {port.rows} rows were published, and {written[file.name]} could be archived")
    return written


def parquet_rows(file: Path) -> int:
    """How many rows a Parquet file says that it has."""
    from pyarrow import parquet  # type: ignore[import-untyped]

    return int(parquet.read_metadata(file).num_rows)


def _look(file: Path, rows: int | None) -> ArchivedFile | None:
    """What is in a file; None if it is gone."""
    if not file.is_file():
        return None
    with file.open("rb") as opened:
        os.fsync(opened.fileno())  # what it was made from is removed next
        return ArchivedFile(file.stat().st_size, hashlib.file_digest(opened, "sha256").hexdigest(), rows)
