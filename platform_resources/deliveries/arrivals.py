"""Find the files of an input that have arrived completely, and recognise known ones by their content."""

import glob
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from os import stat_result
from pathlib import Path
from typing import Any

from platform_resources.capabilities.protocols import PullFiles, ReaderOption
from platform_resources.deliveries.manifests import Manifest, manifest
from platform_resources.deliveries.objects import SCHEME, bring, listed, local_copy
from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.durations import duration_text


class NotArrived(Exception):
    """Raised when an input's files are not there, or not whole yet; says which and why."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file as it was when it was looked at. `name` is its path below the product's folder, or on the machine if it lies elsewhere.

    An object of a storage is named by its address and has a `tag`; `bring` copies it to its path.
    """

    path: Path
    name: str
    stat: stat_result
    tag: str = ""

    @property
    def modified(self) -> str:
        """The time of the last change in UTC, so that a file is the same in every time zone."""
        return datetime.fromtimestamp(self.stat.st_mtime, UTC).isoformat()

    @property
    def look(self) -> list[Any]:
        """What differs after every write: the time of change cannot be set by hand, that of modification can. An object has an ETag."""
        return [self.stat.st_size, self.stat.st_mtime_ns, self.tag or self.stat.st_ctime_ns]

    def bring(self) -> None:
        """See that the file is on this machine. Raises OSError."""
        if self.tag:
            bring(self.name, self.tag)

    def let_go(self) -> None:
        """Take the copy of an object away."""
        if self.tag:
            self.path.unlink(missing_ok=True)

    @property
    def entry(self) -> dict[str, Any]:
        """The file as it is recorded: name, size in bytes, time of modification."""
        return {"path": self.name, "bytes": self.stat.st_size, "modified": self.modified}

    def is_as_before(self) -> bool:
        """Whether nobody has written to it since it was looked at. Of an object, the copy that was made is read."""
        if self.tag:
            return True
        try:
            return input_file(self.path, self.name).look == self.look
        except OSError:
            return False


def input_file(path: Path, name: str) -> InputFile:
    """The file at the path, with its size and time as they are now."""
    return InputFile(path, name, path.stat())


def content(file: InputFile) -> str:
    """The SHA-256 of what is in the file. Raises OSError."""
    file.bring()
    with file.path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def matching_files(path: str, folder: Path) -> list[InputFile]:
    """The files that a path or glob names now. Names that begin with `_` or `.` are left out unless the path writes them so.

    Raises OSError where a storage cannot be listed.
    """
    if path.startswith(SCHEME):
        return [InputFile(local_copy(name, tag), name, stat, tag) for name, stat, tag in listed(path)]
    literal = folder / path
    if literal.is_file() and not {"*", "?"} & set(path):
        return [input_file(literal, _name(literal, folder))]
    names = sorted(glob.glob(path, root_dir=folder, recursive=True))
    files = (folder / name for name in names if not _is_hidden(name, path))
    return [input_file(file, _name(file, folder)) for file in files if file.is_file()]


def _name(file: Path, folder: Path) -> str:
    """Below the product's folder by the path there, so that a mesh may be moved."""
    return str(file.relative_to(folder) if file.is_relative_to(folder) else file.resolve())


def _is_hidden(name: str, path: str) -> bool:
    """Whether a wildcard alone has matched a part that begins with `_` or `.`: what writers and tools keep for themselves."""
    written = [part for part in Path(path).parts if part[0] in "_."]
    return any(part[0] in "_." and not any(fnmatchcase(part, pattern) for pattern in written) for part in Path(name).parts)


def arrived(pull: PullFiles, folder: Path, clock: Clock, loaded: Iterable[str] = ()) -> list[InputFile]:
    """The files that have arrived. Raises NotArrived if there is none, or with `load: replace` if one of the set is not whole.

    With `load: append` a file that is not whole yet is left for a later refresh. `loaded` names the files that were loaded before.
    """
    files = matching_files(pull.path, folder)
    if not files:
        raise NotArrived(f"no file matches {pull.path}")
    whole, reasons = _by_manifest(files, pull.manifest, folder, frozenset(loaded)) if pull.manifest else (files, [])
    still = [file for file in whole if pull.quiet is None or clock.now - _written(file) >= pull.quiet]
    reasons += [_moving(file, pull.quiet, clock) for file in whole if pull.quiet is not None and file not in still]
    if reasons and (pull.load == "replace" or not (still or loaded)):
        raise NotArrived("; ".join(reasons))
    return still


def seemingly_whole(pull: PullFiles, folder: Path, now: datetime) -> list[InputFile] | None:
    """The files that may have arrived, and their manifests, told without reading the files. None while one of a set that is replaced whole
    has surely not."""
    files, come, whole = matching_files(pull.path, folder), dict[Path, Manifest](), True
    if pull.manifest:
        places = {file: _manifest_place(file, pull.manifest, folder) for file in files}
        listings = {place: manifest(place, _name(place, folder)) for place in set(places.values())}
        come = {place: listing for place, listing in listings.items() if isinstance(listing, Manifest)}
        members = [file for file, place in places.items() if place in come and file.path not in come and come[place].names(file.path)]
        files = [file for file in members if not _is_late(file, come[places[file]])]
        whole = len(come) == len(listings) and len(files) == len(members)
    still = [file for file in files if pull.quiet is None or now - _written(file) >= pull.quiet]
    if pull.load == "replace" and not (whole and len(still) == len(files)):
        return None
    return still + [input_file(place, listing.name) for place, listing in come.items()]


def _manifest_place(file: InputFile, name: str, folder: Path) -> Path:
    return folder / name if "/" in name else file.path.parent / name


def _written(file: InputFile) -> datetime:
    return datetime.fromtimestamp(file.stat.st_mtime, UTC)


def _moving(file: InputFile, quiet: timedelta, clock: Clock) -> str:
    return f"{file.name} was written at {clock.moment(_written(file))} and has not been still for {duration_text(quiet)} (quiet)"


def _by_manifest(files: Sequence[InputFile], name: str, folder: Path, loaded: frozenset[str]) -> tuple[list[InputFile], list[str]]:
    """The files that their manifests call whole, and why others are not."""
    groups: dict[Path, list[InputFile]] = {}
    for file in files:
        place = _manifest_place(file, name, folder)
        if file.path != place:
            groups.setdefault(place, []).append(file)
    whole: list[InputFile] = []
    reasons: list[str] = []
    for place, group in groups.items():
        listing = manifest(place, _name(place, folder))
        members = [file for file in group if not isinstance(listing, Manifest) or listing.names(file.path)]
        reason = listing if isinstance(listing, str) else _unfinished(listing, members, folder, loaded)
        reasons += [reason] if reason else []
        whole += members if not reason else []
    return whole, reasons


def _unfinished(listing: Manifest, members: Sequence[InputFile], folder: Path, loaded: frozenset[str]) -> str:
    """Why a manifest does not hold yet; empty if it does."""
    there = {file.path for file in members}
    missing = [_name(path, folder) for path in listing.files if path not in there and _name(path, folder) not in loaded]
    if missing:
        return f"{listing.name} lists {', '.join(missing)}, which did not come"
    wrong = [file.name for file in members if (listing.files.get(file.path) or "") not in ("", content(file))]
    if wrong:
        return f"{', '.join(wrong)} is not as {listing.name} says: its SHA-256 is another"
    late = [file.name for file in members if _is_late(file, listing)]
    return f"{', '.join(late)} was written after {listing.name}, which is to be written last" if late else ""


def _is_late(file: InputFile, listing: Manifest) -> bool:
    """Whether it was written after a manifest that has no sum of it."""
    return not listing.files.get(file.path) and file.stat.st_mtime_ns > listing.written


def told_by_path(name: str, pull: PullFiles) -> tuple[str, ...]:
    """What of a file's path stands in its rows, because the team asks for it: two files of one content may differ by that."""
    if str(pull.options.get("filename", False)).lower() not in ("false", "0", "no"):
        return (name,)
    partitioned = is_on(pull.options.get("hive_partitioning", False))
    return tuple(part for part in Path(name).parts[:-1] if partitioned and "=" in part)


def is_on(option: ReaderOption) -> bool:
    """Whether a written option means yes: `true`, `1` or `yes`."""
    return str(option).lower() in ("true", "1", "yes")


def is_news(files: Sequence[InputFile], record: Mapping[str, Any], pull: PullFiles) -> bool:
    """Whether a pull would load something else than what the record says was loaded, or would report that there is no file."""
    before = {entry["path"]: entry for entry in record.get("files", ())}
    if not files or (pull.load == "replace" and {file.name for file in files} != set(before)):
        return True
    return any(file.entry.items() - before.get(file.name, {}).items() and _is_other(file, before, pull) for file in files)


def _is_other(file: InputFile, before: Mapping[str, Any], pull: PullFiles) -> bool:
    """A file that was only touched, or copied again, is no news to a set that grows."""
    known = {(entry.get("sha256"), *told_by_path(name, pull)) for name, entry in before.items()}
    return pull.load == "replace" or (content(file), *told_by_path(file.name, pull)) not in known
