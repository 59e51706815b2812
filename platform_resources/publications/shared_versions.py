"""Published versions and products' databases in a storage that several machines share; this machine's folders are a copy of it.

Below the address, for each product: `pointers/…json` decides; `versions/…/<fence>/` has files and records, `kept/…/<fence>/` databases,
`pins/…/` what consumers read. But for pointers and pins nothing is written twice, and what was written under a fence that no pointer names
is nobody's.
"""

import gzip
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock

from platform_resources.plan import conventions
from platform_resources.publications.own_claims import claiming, last_claim, own_claims
from platform_resources.publications.published_versions import POINTER, RECORDS, Shelf, files_of, files_of_ports
from platform_resources.publications.shared_objects import SharedObjects, StoreUnreachable, shared_objects
from platform_resources.publications.shared_pointer import PointerPlace, SharedPointer
from platform_resources.publications.version_records import (
    PortDraft,
    PortVersion,
    Publication,
    Versions,
    WrittenPort,
    with_names,
)
from platform_resources.publications.whole_files import read_json, replace_json
from platform_resources.warehouses.engine_errors import DatabaseBusy
from platform_resources.warehouses.protocol import ProductDatabase
from platform_resources.warehouses.published_places import PublishedFiles
from platform_resources.warehouses.targets import warehouse

# Beside the published files: of which state of the storage they are a copy. Beside a database: which one it is.
NOTE, HANDED, MIRROR_LOCK = ".store.json", ".handed.json", ".mirror.lock"
POINTERS = "pointers"
# A reader asks for all pointers at most so often, and asks a storage that is away again after so long.
LOOK_AGAIN_SECONDS, AWAY_SECONDS = 1.0, 5.0
DATABASE = "database"
_log = logging.getLogger(__name__)
# By the storage's address and the folder: when it was listed last, and the ETag of each object; None where it gave no answer.
_LISTED: dict[tuple[str, str], tuple[float, dict[str, str] | None]] = {}


def pointer_tags(objects: SharedObjects, *, anew: bool = False) -> dict[str, str] | None:
    """The ETag of each pointer, as of a moment ago; None while the storage gives no answer."""
    return listed_lately(objects, POINTERS, anew=anew)


def listed_lately(objects: SharedObjects, folder: str, *, anew: bool = False) -> dict[str, str] | None:
    """The ETag of each object in the folder, as of a moment ago; None while the storage gives no answer, which is logged.

    `anew`: as of now, unless it gave no answer a moment ago.
    """
    at, tags = _LISTED.get((objects.url, folder), (float("-inf"), None))
    if (tags is None or not anew) and time.monotonic() - at < (AWAY_SECONDS if tags is None else LOOK_AGAIN_SECONDS):
        return tags
    try:
        tags = objects.listed(folder)
    except StoreUnreachable as error:
        _log.warning("what this machine knows already has to do: %s", error)
        tags = None
    _LISTED[objects.url, folder] = (time.monotonic(), tags)
    return tags


def shared_products(keys: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Domain and name of each product that has a pointer."""
    return tuple((Path(key).parent.name, Path(key).stem) for key in keys)


@dataclass(frozen=True, slots=True)
class SharedVersions(Versions):
    """One product's versions: `local` is the copy on this machine, which readers still have while the storage is away."""

    objects: SharedObjects
    local: Shelf
    state: Path
    domain: str
    product: str
    place: PointerPlace = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", PointerPlace(self.objects, f"{POINTERS}/{self.domain}/{self.product}.json"))

    # Reading

    def published(self) -> tuple[Publication, ...]:
        """All readable versions, oldest first; while the storage is away those of which this machine has files."""
        if self._is_current():
            return self.local.published()
        return tuple(version for version in self.local.published() if any(map(self._is_here, version.ports)))

    def latest(self) -> Publication | None:
        return self.local.latest() if self._is_current() else next(reversed(self.published()), None)

    def was_published(self) -> bool:
        self._is_current()
        return self.local.was_published()

    def where(self, version: PortVersion) -> PublishedFiles:
        """The files on this machine, brought there first where they are not yet."""
        for file in (*version.files, *version.own_files):
            if not self.local.path(file).exists():
                self._bring(file)
        return self.local.where(version)

    def damage(self, version: PortVersion) -> str:
        self.where(version)
        return self.local.damage(version)

    def complete(self) -> None:
        """Bring every file of every version, and the pins."""
        for publication in self.published():
            for port in publication.ports:
                for part in port.parts:
                    self.where(part)
        for consumer, version in self.pins().items():
            self.local.pin(consumer, version)

    def _is_here(self, port: PortVersion) -> bool:
        return any(all(self.local.path(file).exists() for file in part.files) for part in port.parts)

    def _bring(self, file: str) -> None:
        self._is_current()
        version = Path(file).parts[2]
        fence = read_json(self.local.folder / NOTE).get("published", {}).get(version)
        if fence is None:
            raise StoreUnreachable(f"{self.objects.url}/{self.place.key}", f"version {version} is not kept any more")
        self.local.made(self.local.path(Path(file).parts[0]))
        self.objects.fetch(self._key("versions", fence, file), self.local.path(file))

    def _key(self, kind: str, fence: int, file: str) -> str:
        return f"{kind}/{self.domain}/{self.product}/{fence:08d}/{file}"

    def _is_current(self) -> bool:
        """Bring the copy up to date; tells whether it is, which it is not while the storage gives no answer."""
        tags = pointer_tags(self.objects)
        while tags is not None:
            tag, note = tags.get(self.place.key), self._note()
            if tag is None and note:
                raise StoreUnreachable(f"{self.objects.url}/{self.place.key}", "the pointer is gone; restore it from a backup")
            if tag is None or tag == note.get("tag"):
                return True
            try:
                self._mirror()
                return True
            except StoreUnreachable:
                tags = pointer_tags(self.objects, anew=True)
                if tags is not None and tags.get(self.place.key) == tag:  # otherwise the pointer has moved on meanwhile
                    raise
        return False

    def _note(self) -> Mapping[str, Any]:
        note = read_json(self.local.folder / NOTE)
        return note if note.get("url") == self.objects.url else {}

    def _mirror(self, move: Callable[[], object] = str) -> None:
        """Copy what the pointer says now, records before the pointer; what it does not name any more goes.

        `move` puts files of the newest version in place, which are here already.
        """
        folder = self.local.folder
        self.local.made(folder)
        with FileLock(folder / MIRROR_LOCK):
            pointer, tag = self.place.read()
            move()
            note = self._note()
            if not note and (own := read_json(folder / POINTER).get("published")):
                if not pointer.published:
                    return  # the next refresh hands over what this machine has
                if not pointer.published.keys() >= set(own):  # otherwise it was killed when it had just done so
                    raise StoreUnreachable(str(folder), f"it has versions that are not from {self.objects.url}; move it away")
            again = pointer.renames != note.get("renames", 0)
            for version, fence in pointer.published.items():
                record = folder / RECORDS / f"{version}.json"
                if again or not record.exists():
                    self.objects.fetch(self._key("versions", fence, f"{RECORDS}/{version}.json"), record)
            if pointer.version is not None:
                here = {"latest": pointer.version["id"], "published": list(pointer.published), "version": pointer.version}
                if read_json(folder / POINTER) != here:
                    replace_json(folder / POINTER, here)
                self.local.keep_ids(pointer.published)
            elif note.get("published"):  # another machine has removed it
                self._forget_here()
            # A refresh on this machine, of this process or another, has newer ones than it has handed over.
            is_refreshed_here = pointer.holder in own_claims(self.state, self.domain, self.product)
            if self.place.held is None and not is_refreshed_here:
                self._take({name: file for name, file in pointer.kept.items() if name != DATABASE})
            replace_json(folder / NOTE, {"url": self.objects.url, "tag": tag, "published": pointer.published, "renames": pointer.renames})
        tags = _LISTED.get((self.objects.url, POINTERS), (0.0, None))[1]
        if tags is not None and tag is not None:
            tags[self.place.key] = tag

    # Pins

    def pin(self, consumer: str, version: str) -> None:
        self.objects.write(self._pin(consumer), {"consumer": consumer, "version": version})

    def unpin(self, consumer: str) -> None:
        self.objects.remove([self._pin(consumer)])

    def pins(self) -> dict[str, str]:
        there = map(self.objects.read, map(self._pin, self.pinning()))
        return {pin[0]["consumer"]: pin[0]["version"] for pin in there if pin is not None}

    def pinning(self) -> tuple[str, ...]:
        return tuple(Path(key).stem for key in sorted(self.objects.listed(f"pins/{self.domain}/{self.product}")))

    def _pin(self, consumer: str) -> str:
        return f"pins/{self.domain}/{self.product}/{consumer}.json"

    # The claim, and the product's database

    def claim(self) -> str:
        """Claim the product, and have its database as the last holder left it; a second time changes nothing."""
        held = self.place.held
        if held is not None and held.token == last_claim(self.state, self.domain, self.product):
            return ""
        if other := claiming(self.state, self.domain, self.product, self.place.claim):
            return other
        try:
            pointer, _ = self.place.read()
            if pointer.is_new and (self.local.folder / POINTER).exists() and not self._note():
                self._adopt()
            else:
                self._mirror()
                self._take(pointer.kept)
        except BaseException:
            self.place.let_go(lambda now: now)
            raise
        return ""

    def confirm(self) -> None:
        self.place.update(lambda now: now)

    def hand_over(self, close: Callable[[], object]) -> None:
        """Keep the product's database where the next holder finds it."""
        close()
        pointer, _ = self.place.read()
        handed = self._handed(pointer)
        if handed != pointer.kept:
            self.place.update(lambda now: replace(now, kept=handed))

    def let_go(self) -> None:
        """What a holder that has lost its claim has made is nobody's; the next claim here takes what was handed over."""
        if self.place.held is None:
            return
        handed: Mapping[str, Mapping[str, str]] | None = None
        try:
            handed = self._handed(self.place.read()[0])
        finally:
            try:
                self.place.let_go(lambda now: replace(now, kept=now.kept if handed is None else handed))
            except DatabaseBusy as error:
                _log.warning("what was made here is not handed over: %s", error)

    def _files(self) -> dict[str, Path]:
        where = {DATABASE: conventions.database_file, "lineage": conventions.lineage_file, "work": conventions.work_file}
        return {name: self.state / named(self.domain, self.product) for name, named in where.items()}

    @property
    def _handed_note(self) -> Path:
        file = self._files()[DATABASE]
        return file.with_name(f".{file.stem}{HANDED}")

    def _handed(self, pointer: SharedPointer) -> dict[str, Mapping[str, str]]:
        """Send those files that are not what the pointer names; gives where all are."""
        claim = self.place.held
        if claim is None:
            raise DatabaseBusy(f"{self.place.key} is not changed: this process has not claimed it")
        note, handed = read_json(self._handed_note), dict[str, Mapping[str, str]]()
        for name, file in self._files().items():
            if not file.exists():
                continue
            if file.with_name(f"{file.name}.wal").exists():
                with warehouse().opened(self.state, self.domain, self.product):
                    """What was committed last is in the file itself once it is closed."""
            known = pointer.kept.get(name)
            if known is not None and note.get(name) == [known["key"], *_stamp(file)]:
                handed[name] = known
                continue
            digest = _digest(file)
            if known is not None and known["sha256"] == digest:
                handed[name] = known
            else:
                handed[name] = {"key": self._key("kept", claim.fence, f"{digest}.gz"), "sha256": digest}
                self._send_packed(file, handed[name]["key"])
            note[name] = [handed[name]["key"], *_stamp(file)]
        replace_json(self._handed_note, note)
        return handed

    def _send_packed(self, file: Path, key: str) -> None:
        part = file.with_name(f".{file.name}.{uuid4().hex}.gz")
        try:
            with file.open("rb") as source, gzip.open(part, "wb", compresslevel=1) as target:
                shutil.copyfileobj(source, target, 1 << 20)
            self.objects.send(part, key)
        finally:
            part.unlink(missing_ok=True)

    def _take(self, kept: Mapping[str, Mapping[str, str]]) -> None:
        """Have these files as they were handed over; what a killed refresh has left here goes."""
        note = read_json(self._handed_note)
        for name, there in kept.items():
            file = self._files()[name]
            if file.exists() and note.get(name) == [there["key"], *_stamp(file)]:
                continue
            packed, part = (file.with_name(f".{file.name}.{uuid4().hex}.{end}") for end in ("gz", "part"))
            try:
                self.objects.fetch(there["key"], packed)
                with gzip.open(packed) as source, part.open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                if _digest(part) != there["sha256"]:
                    raise StoreUnreachable(f"{self.objects.url}/{there['key']}", "it is not what was handed over; restore it from a backup")
                file.with_name(f"{file.name}.wal").unlink(missing_ok=True)
                os.replace(part, file)
            finally:
                for left in (packed, part):
                    left.unlink(missing_ok=True)
            note[name] = [there["key"], *_stamp(file)]
            replace_json(self._handed_note, note)

    def _adopt(self) -> None:
        """The first claim of all: what this machine has becomes what is shared."""
        _log.info("%s/%s: what is on this machine is handed over to %s", self.domain, self.product, self.objects.url)
        published, pointer = self.local.published(), self.place.read()[0]
        for publication in published:
            self._send(publication, ((file, self.local.path(file)) for file in files_of_ports(publication.ports)))
        for consumer, version in self.local.pins().items():
            self.pin(consumer, version)
        handed = self._handed(pointer)
        fences = dict.fromkeys((publication.id for publication in published), pointer.fence)
        latest = asdict(published[-1])
        self.place.update(lambda now: replace(now, published=fences, version=latest, kept=handed))
        self._mirror()

    # Publishing

    def begin(self, version: str) -> None:
        """Ask whether the claim holds, and clear the folder for what is written."""
        self.confirm()
        self.local.begin(version)

    def write(self, database: ProductDatabase, draft: PortDraft) -> WrittenPort:
        return self.local.write(database, draft)

    def staged(self, version: str, port: PortVersion) -> PublishedFiles:
        return self.local.staged(version, port)

    def publish(self, publication: Publication) -> None:
        """Send files and record, then replace the pointer, the one step that publishes. Raises DatabaseBusy, StoreUnreachable."""
        self._send(publication, self.local.staged_files(publication.id, publication.ports))

        def _with_it(now: SharedPointer) -> SharedPointer:
            return replace(now, published={**now.published, publication.id: now.fence}, version=asdict(publication))

        self.place.update(_with_it)
        self._mirror(lambda: self.local.move(publication.id, publication.ports))
        shutil.rmtree(self.local.staging(publication.id), ignore_errors=True)

    def _send(self, publication: Publication, files: Iterable[tuple[str, Path]]) -> None:
        claim = self.place.held
        if claim is None:
            raise DatabaseBusy(f"version {publication.id} is not published: this process has not claimed {self.product}")
        for file, path in files:
            self.objects.send(path, self._key("versions", claim.fence, file))
        self.objects.write(self._key("versions", claim.fence, f"{RECORDS}/{publication.id}.json"), asdict(publication))

    def rename(self, ports: Mapping[str, str], data_sets: Mapping[str, str]) -> None:
        """Write all records with these names, the pointer last. Files stay where they are."""
        self.confirm()
        pointer, _ = self.place.read()
        renamed = False
        for version, fence in pointer.published.items():
            key = self._key("versions", fence, f"{RECORDS}/{version}.json")
            there = self.objects.read(key)
            if there is not None and (now := with_names(there[0], ports, data_sets)) != there[0]:
                self.objects.write(key, now)
                renamed = True
        latest = with_names(pointer.version, ports, data_sets) if pointer.version is not None else None
        if renamed or latest != pointer.version:
            self.place.update(lambda now: replace(now, version=latest, renames=now.renames + 1))
            self._mirror()

    def point_at(self, staying: Sequence[Publication]) -> None:
        ids = {publication.id for publication in staying}
        self.place.update(lambda now: replace(now, published={id: fence for id, fence in now.published.items() if id in ids}))
        self._mirror()

    def keep_only(self, staying: Sequence[Publication]) -> None:
        """Take away objects that the pointer does not name, and those of killed publications."""
        self.objects.remove(list(self._garbage()))

    def remove(self) -> None:
        """The pointer names nothing any more; other machines take away their copies as soon as they see that.

        The product's database is handed over again where it is still here when the claim ends.
        """
        self.place.update(lambda now: replace(now, published={}, version=None, kept={}))
        for consumer in self.pinning():
            self.unpin(consumer)
        self.keep_only(())
        self.local.remove()

    def _forget_here(self) -> None:
        self.local.remove()
        self._files()[DATABASE].unlink(missing_ok=True)

    def _garbage(self) -> Iterator[str]:
        """Objects that the pointer does not name, of no later fence than this claim's: those of later ones are another's work."""
        pointer, _ = self.place.read()
        claim = self.place.held
        named = {f"{fence:08d}/{version}" for version, fence in pointer.published.items()}
        keys = {there["key"] for there in pointer.kept.values()}
        for kind in ("versions", "kept"):
            for key in self.objects.listed(f"{kind}/{self.domain}/{self.product}"):
                fence, *parts = key.split("/")[3:]
                version = parts[1].removesuffix(".json") if parts[0] == RECORDS else parts[min(2, len(parts) - 1)]
                if claim is not None and int(fence) <= claim.fence and key not in keys and f"{fence}/{version}" not in named:
                    yield key


def shared_shelf(state: Path, domain: str, product: str) -> SharedVersions:
    """The product's versions in the storage that MESH_STORE names. Raises SettingInvalid."""
    return SharedVersions(shared_objects(), files_of(state, domain, product), state, domain, product)


def bring_pointers(state: Path, product: str = "*") -> None:
    """Copy the pointer of each product, or of those with this name, to this machine, as far as the storage answers."""
    for domain, name in shared_products(pointer_tags(shared_objects()) or ()):
        if product in ("*", name):
            with suppress(StoreUnreachable):  # whoever reads this product hears of it
                shared_shelf(state, domain, name).latest()


def _stamp(file: Path) -> tuple[int, int]:
    seen = file.stat()
    return seen.st_size, seen.st_mtime_ns


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
