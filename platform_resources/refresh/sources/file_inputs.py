"""Update an input of files: find new files, load them, and record them."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.protocols import PullFiles
from platform_resources.capabilities.support.recency import newest_modified
from platform_resources.deliveries.arrivals import InputFile, NotArrived, arrived, content, told_by_path
from platform_resources.refresh.sources.text_encodings import in_utf8
from platform_resources.spec.values.clocks import Clock
from platform_resources.warehouses.engine_errors import LoadFailed
from platform_resources.warehouses.protocol import FileShape, ProductDatabase


@dataclass(frozen=True, slots=True)
class LoadedFiles:
    """What a load brought: the record of the file set, whether the data is another than before, and what did not arrive."""

    record: dict[str, Any]
    changed: bool
    missing: str = ""


@dataclass(frozen=True, slots=True)
class _Before:
    """What the former record says: each file's entry, and how it looked when its content was last read."""

    entries: Mapping[str, Mapping[str, Any]]
    looks: Mapping[str, Sequence[Any]]
    options: Mapping[str, Any] | None
    watermark: str | None

    @staticmethod
    def of(record: Mapping[str, Any] | None) -> "_Before":
        known = record or {}
        return _Before({f["path"]: f for f in known.get("files", ())}, known.get("looks", {}), known.get("options"), known.get("watermark"))

    def content(self, file: InputFile) -> str:
        """The file's SHA-256; a file that nobody has written to since need not be read."""
        look = self.looks.get(file.name, ())
        return str(look[-1]) if list(look[:-1]) == file.look else content(file)


def load_files(
    database: ProductDatabase,
    relation: Relation,
    pull: PullFiles,
    folder: Path,
    clock: Clock,
    former: Mapping[str, Any] | None,
    kept: Iterable[Path] = (),
) -> LoadedFiles:
    """Load what is new. To be called in a transaction. Raises NotArrived, LoadFailed and OSError; then nothing is to be kept.

    No file may lie in one of the folders that are `kept`, wherever links lead.
    """
    before = _Before.of(former)
    files = arrived(pull, folder, clock, before.entries)
    _refuse_kept(files, kept)
    try:
        contents = {file.name: before.content(file) for file in files}
        with ExitStack() as scratch:
            steps = _Steps(database, relation, pull, before, contents, scratch)
            there = former is not None and database.exists(relation)
            changed, missing = steps.grow(files) if pull.load == "append" and there else steps.anew(files, not there)
        disturbed = [file.name for file in files if not file.is_as_before() and content(file) != contents[file.name]]
    finally:
        for file in files:
            file.let_go()
    if disturbed:
        raise NotArrived(f"{', '.join(disturbed)} was written to while it was read")
    return LoadedFiles(steps.record(files, missing, clock.now), changed, "; ".join(missing.values()))


def _refuse_kept(files: Iterable[InputFile], kept: Iterable[Path]) -> None:
    """What the platform keeps of products is read through their output ports, where agreements decide."""
    folders = [folder.resolve() for folder in kept]
    for file in files:
        if any(file.path.resolve().is_relative_to(folder) for folder in folders):
            remedy = "read an output port of that product, by an input port of interface data-product"
            raise NotArrived(f"{file.name} leads into what the platform keeps of a product; {remedy}")


@dataclass(frozen=True, slots=True)
class _Steps:
    database: ProductDatabase
    relation: Relation
    pull: PullFiles
    before: _Before
    contents: Mapping[str, str]
    scratch: ExitStack

    def anew(self, files: Sequence[InputFile], first: bool) -> tuple[bool, dict[str, str]]:
        """The whole set. With `load: replace` every file of it must have arrived; a set that grows begins with those that have."""
        if not first and not self._is_another(files):
            return False, {}
        shapes = self._shapes(self._once(files))
        missing = self._without_rows(shapes)
        if missing and (self.pull.load == "replace" or len(missing) == len(shapes)):
            raise NotArrived("; ".join(missing.values()))
        self.database.replace(self.relation, [shape for shape in shapes if shape.file.name not in missing], self.pull)
        return True, missing

    def _shapes(self, files: Sequence[InputFile]) -> Sequence[FileShape]:
        for file in files:
            file.bring()
        return self.database.shapes(*in_utf8(files, self.pull, self.scratch))

    def _is_another(self, files: Sequence[InputFile]) -> bool:
        return {file.name for file in files} != set(self.before.entries) or any(map(self._is_news, files)) or self._reads_otherwise()

    def _is_news(self, file: InputFile) -> bool:
        entry = self.before.entries.get(file.name)
        if entry is None or "sha256" in entry:
            return entry is None or entry["sha256"] != self.contents[file.name]
        return dict(entry) != file.entry  # recorded before contents were

    def _reads_otherwise(self) -> bool:
        return self.before.options is not None and self.before.options != _options(self.pull)

    def _once(self, files: Iterable[InputFile]) -> list[InputFile]:
        """In a set that grows, a file with the content of another is a copy of it."""
        if self.pull.load == "replace":
            return list(files)
        return list({self._known_by(file.name): file for file in reversed(list(files))}.values())[::-1]

    def _known_by(self, name: str) -> tuple[str | None, ...]:
        """A file's content, and what else its rows are made of: columns that its path tells."""
        content = self.contents[name] if name in self.contents else self.before.entries[name].get("sha256")
        return (content, *told_by_path(name, self.pull))

    def _without_rows(self, shapes: Sequence[FileShape]) -> dict[str, str]:
        if self.pull.empty == "allowed":
            return {}
        return {shape.file.name: _empty(shape) for shape in shapes if not shape.rows}

    def grow(self, files: Sequence[InputFile]) -> tuple[bool, dict[str, str]]:
        """Only what was not loaded before, known by its content."""
        self._refuse_changed(files)
        known = {self._known_by(name) for name in self.before.entries}
        new = self._once(file for file in files if file.name not in self.before.entries and self._known_by(file.name) not in known)
        shapes = self._shapes(new)
        missing = self._without_rows(shapes)
        whole = [shape for shape in shapes if shape.file.name not in missing]
        if missing and not whole:
            raise NotArrived("; ".join(missing.values()))
        again = self._reads_otherwise() and self._all_there(files)
        if whole or again:
            self._add(files, whole, again)
        return bool(whole) or again, missing

    def _refuse_changed(self, files: Iterable[InputFile]) -> None:
        changed = [file.name for file in files if file.name in self.before.entries and self._is_news(file)]
        if changed:
            raise LoadFailed(
                f"files that were loaded already have changed: {', '.join(changed)}; with load: append a file is loaded once: "
                "put the old content back and deliver what is new as a file of another name, or set load: replace for one refresh, "
                "which loads all files that are there anew"
            )

    def _add(self, files: Sequence[InputFile], whole: Sequence[FileShape], again: bool) -> None:
        """Behind what is there, if that has the types for it; else all files together, if they are there; else what is there is widened."""
        texts_kept = all("sha256" in entry for entry in self.before.entries.values())
        if not again and texts_kept and self.database.fits(self.relation, whole, self.pull):
            self.database.append(self.relation, whole, self.pull, texts_kept)
        elif self._all_there(files):
            old = self._shapes(self._once(file for file in files if file.name in self.before.entries))
            self.database.replace(self.relation, [*old, *whole], self.pull)
        else:
            self.database.append(self.relation, whole, self.pull, texts_kept)

    def _all_there(self, files: Iterable[InputFile]) -> bool:
        """Whether the content of every file that was loaded is still there."""
        there = {file.name for file in files if file.name in self.before.entries}
        contents = {self._known_by(name) for name in there}
        return all(name in there or self._known_by(name) in contents for name in self.before.entries)

    def record(self, files: Sequence[InputFile], missing: Mapping[str, str], now: datetime) -> dict[str, Any]:
        """What versions cite (`files`, `watermark`), and what the next pull needs: how the files looked, and how they were read."""
        taken = [file for file in files if file.name not in missing]
        entries = [self._entry(file) for file in taken]
        if self.pull.load == "append":
            there = {file.name for file in taken}
            entries = [*(dict(entry) for name, entry in self.before.entries.items() if name not in there), *entries]
        return {
            "files": entries,
            "watermark": newest_modified(entries, now) or self.before.watermark,
            "looks": {file.name: [*file.look, self.contents[file.name]] for file in taken},
            "options": _options(self.pull),
        }

    def _entry(self, file: InputFile) -> dict[str, Any]:
        """A file of a set that grows stays as old as it was when it was loaded, whoever touches or copies it."""
        known = self.before.entries.get(file.name)
        if known is not None and (self.pull.load == "append" or known.items() >= file.entry.items()) and not self._is_news(file):
            return dict(known)
        first = self._first_of(file) if self.pull.load == "append" else None
        return {**file.entry, "sha256": self.contents[file.name], **({"modified": first} if first else {})}

    def _first_of(self, file: InputFile) -> str | None:
        """When a content came first, of which a file is a copy."""
        copied = self._known_by(file.name)
        return next((str(entry["modified"]) for name, entry in self.before.entries.items() if self._known_by(name) == copied), None)


def _options(pull: PullFiles) -> dict[str, Any]:
    """How the files are read. What their contract adds is there only where it adds anything: old records have no word for it."""
    contract = {"contract": pull.contract.settings} if pull.contract.settings else {}
    return {**pull.options, "types": dict(pull.types), "format": pull.format, **contract}


def _empty(shape: FileShape) -> str:
    what = "is empty (0 bytes)" if not shape.file.stat.st_size else "has no rows"
    return f"{shape.file.name} {what}, so it counts as not arrived; empty: allowed would take it"
