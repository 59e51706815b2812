"""Persist what a server has read and evaluated, so that the next process starts with it.

One SQLite file for all processes of a mesh. It may be deleted at any time: then everything is read and judged anew. It holds what the
ledger and the texts say, so only its owner may read it.
"""

import hashlib
import io
import logging
import os
import pickle
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from platform_resources.capabilities.registry import installed_registry
from platform_resources.ledger.queries.standing import IndicatorEvidence, Standing
from platform_resources.plan.plan import MeshPlan
from platform_resources.repository.known_documents import environment_digest
from platform_resources.services.showing.mesh_overview import Memories

FILE = ".mesh/marketplace/judged.sqlite"
ROWS_AT_ONCE = 100
# A shorter tuple is read back at once.
LONG = 24
# What a shell says of itself, and no plan depends on.
OF_THE_SHELL = frozenset({"_", "PWD", "OLDPWD", "SHLVL"})


class Later(Sequence[Any]):
    """A long tuple, equal to it, that is read back when somebody looks into it: a start looks into few of very many."""

    __slots__ = ("_packed", "_there")

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._there: tuple[Any, ...] | None = None

    def _all(self) -> tuple[Any, ...]:
        values: tuple[Any, ...] = pickle.loads(zlib.decompress(self._packed)) if self._there is None else self._there
        self._there = values
        return values

    def __getitem__(self, place: Any) -> Any:
        return self._all()[place]

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return self is other or self._all() == (other._all() if isinstance(other, Later) else other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __reduce__(self) -> tuple[type["Later"], tuple[bytes]]:
        return Later, (self._packed,)


def later(many: Sequence[Any]) -> Sequence[Any]:
    """The same, to be read back when it is looked into; what is short as it is."""
    if not isinstance(many, tuple) or len(many) < LONG:
        return many
    return Later(zlib.compress(pickle.dumps(many, pickle.HIGHEST_PROTOCOL), 1))


class _Pickler(pickle.Pickler):
    """Writes dataclasses with slots as calls of their constructors, which are read back much faster than field by field."""

    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        if not is_dataclass(kind) or "__slots__" not in kind.__dict__ or hasattr(kind, "__post_init__"):
            return NotImplemented
        if not all(field.init and not field.kw_only for field in fields(kind)):
            return NotImplemented
        values = {field.name: getattr(value, field.name) for field in fields(kind)}
        if kind is Standing:
            values["slices"] = later(value.slices)
        elif kind is IndicatorEvidence:
            values |= {name: later(values[name]) for name in ("publications", "input_states")}
            values["verdicts"] = {check: later(verdicts) for check, verdicts in value.verdicts.items()}
        return kind, tuple(values.values())


@dataclass(slots=True)
class KeptMemories:
    """The file of persisted evaluations. `written` are the objects in the file by product; `ledger` identifies the ledger."""

    state: Path
    ledger: str
    written: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    stamp: str = ""
    writer: FileLock | None = None

    @property
    def file(self) -> Path:
        """The path of the SQLite file in the mesh's state."""
        return self.state / FILE

    def load(self, stamp: str) -> tuple[Memories, MeshPlan | None]:
        """The persisted evaluations, and the plan if the mesh's files still have this stamp. Empty if code or environment changed."""
        memories = Memories()
        if not self.file.exists() or not self._is_own():
            return memories, None
        try:
            with self._opened() as database:
                marks = dict(database.execute("select name, value from told"))
                if marks.get("key") != self._key():
                    return memories, None
                plans = {name: self._take(memories, name, blob) for name, blob in database.execute("select name, kept from products")}
                if marks.get("stamp") != stamp.encode():
                    return memories, None
                rest, names = pickle.loads(marks["plan"])
                self.stamp = stamp
                return memories, replace(rest, products=tuple(plans[name] for name in names))
        except Exception as error:  # of what is not whole, pickle raises anything
            logging.getLogger(__name__).warning(f"{self.file} cannot be read ({error}); it is made anew")
            self.written.clear()
            self.file.unlink(missing_ok=True)
            return Memories(), None

    def _is_own(self) -> bool:
        """Whether nobody else can have written it: what is read back may run as code."""
        seen = self.file.stat()
        if seen.st_uid == os.geteuid() and not seen.st_mode & 0o022:
            return True
        logging.getLogger(__name__).warning(f"{self.file} is not read: others own it or may write it; delete it, and it is made anew")
        return False

    def _take(self, memories: Memories, name: str, blob: bytes) -> Any:
        plan, real, charted = pickle.loads(blob)
        memories.real.kept[name] = real
        if charted is not None:
            memories.charted.kept[name] = charted
        self.written[name] = _marks(memories, name)
        return plan

    def save(self, memories: Memories, plan: MeshPlan, stamp: str) -> None:
        """Write what changed. Only the process that holds the lock writes; others skip it."""
        if not self._may_write() or (self.file.exists() and not self._is_own()):
            self.written.clear()
            return
        changed = [name for name in list(memories.real.kept) if not _same(self.written.get(name, ()), _marks(memories, name))]
        if not changed and self.stamp == stamp:
            return
        with self._opened() as database:
            if dict(database.execute("select name, value from told")).get("key") != self._key():
                database.executescript("delete from products; delete from told")
                changed = list(memories.real.kept)
            # While rows of two plans are mixed there is no stamp.
            _tell(database, {"key": self._key(), "stamp": b""})
            for first in range(0, len(changed), ROWS_AT_ONCE):
                names = changed[first : first + ROWS_AT_ONCE]
                marks = {name: _marks(memories, name) for name in names}
                rows = [(name, _packed(memories, name)) for name in names]
                database.executemany("insert or replace into products values (?, ?)", rows)
                database.commit()
                self.written.update(marks)
            gone = [(name,) for (name,) in database.execute("select name from products") if name not in memories.real.kept]
            database.executemany("delete from products where name = ?", gone)
            kept = all(memories.real.kept[product.name].plan is product for product in plan.products if product.name in memories.real.kept)
            rest = pickle.dumps((replace(plan, products=()), [product.name for product in plan.products]))
            _tell(database, {"plan": rest, "stamp": stamp.encode() if kept else b""})
            self.stamp = stamp

    def _may_write(self) -> bool:
        if self.writer is None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(f"{self.file}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                return False
            self.writer = lock
        return True

    def close(self) -> None:
        """Release the lock, so that another process may write."""
        if self.writer is not None:
            self.writer.release()
            self.writer = None

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        self.file.touch(mode=0o600)
        database = sqlite3.connect(self.file, timeout=30)
        try:
            database.execute("create table if not exists told (name text primary key, value blob)")
            database.execute("create table if not exists products (name text primary key, kept blob)")
            yield database
        finally:
            database.close()

    def _key(self) -> bytes:
        variables = sorted((name, value) for name, value in os.environ.items() if name not in OF_THE_SHELL)
        digest = hashlib.blake2b(environment_digest(installed_registry()), digest_size=32)
        digest.update(repr((variables, self.ledger)).encode(errors="surrogateescape"))
        return digest.digest()


def _tell(database: sqlite3.Connection, marks: Mapping[str, bytes]) -> None:
    database.executemany("insert or replace into told values (?, ?)", marks.items())
    database.commit()


def _marks(memories: Memories, name: str) -> tuple[Any, ...]:
    """What is kept of the product; while these are the same objects, nothing has changed of it."""
    memory = (memories.real.kept.get(name), memories.charted.kept.get(name))
    return tuple(part for kept in memory if kept is not None for part in (kept.plan, kept.evidence, kept.judged))


def _same(some: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))


def _packed(memories: Memories, name: str) -> bytes:
    real = memories.real.kept[name]
    packed = io.BytesIO()
    _Pickler(packed, pickle.HIGHEST_PROTOCOL).dump((real.plan, real, memories.charted.kept.get(name)))
    return packed.getvalue()
