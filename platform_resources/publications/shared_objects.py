"""How objects of the storage that machines share are read, written under a condition, listed and taken away."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from platform_resources.deliveries.objects import opened_bucket
from platform_resources.plan.conventions import SNOWFLAKE
from platform_resources.publications.version_records import VersionsUnreadable
from platform_resources.redaction.redaction import mask
from platform_resources.settings import LEDGER, STORE, TARGET
from platform_resources.warehouses.limits import SettingInvalid

# A bucket has no @ in its name: what stands before one would be credentials.
_URL = re.compile(r"s3://([^/\s@]+)(?:/(\S*?))?/*")
_PIECE = 8 * 2**20
# Of each write of a pointer: which one it is. A client that tries again may be refused because its first try succeeded.
_WRITE = "write"


class StoreUnreachable(VersionsUnreadable):
    """Raised where the shared storage does not answer, refuses, or lacks what it should have; says of what, and what it said."""

    def __init__(self, origin: str, what: str) -> None:
        Exception.__init__(self, f"{origin}: {what}")
        self.file, self.what = origin, what


@dataclass(frozen=True, slots=True)
class SharedObjects:
    """The objects below an address. Everything raises StoreUnreachable."""

    url: str
    bucket: Any

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        try:
            yield
        except StoreUnreachable:
            raise
        except Exception as error:  # whatever the storage, or the way to it, makes of a request
            said = next(iter(str(error).strip().splitlines()), "no reason given")
            raise StoreUnreachable(f"{self.url}/{key}", f"the shared storage gives no answer ({type(error).__name__}: {said})") from error

    def read(self, key: str) -> tuple[dict[str, Any], str] | None:
        """A JSON object, and its ETag; None where there is none."""
        from obstore.exceptions import NotFoundError

        with self._explained(key):
            try:
                answer = self.bucket.get(key)
            except (NotFoundError, FileNotFoundError):
                return None
            return json.loads(bytes(answer.bytes())), bare(answer.meta["e_tag"])

    def write(self, key: str, record: Mapping[str, Any]) -> None:
        """Write a JSON object, whatever is there."""
        with self._explained(key):
            self.bucket.put(key, json.dumps(record).encode())

    def replace(self, key: str, record: Mapping[str, Any], known: str | None) -> bool:
        """Write a JSON object if what is there still has the ETag `known`, or if nothing is there for None. Tells whether it did."""
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        written = {**record, _WRITE: uuid4().hex}
        try:
            self.bucket.put(key, json.dumps(written).encode(), mode="create" if known is None else {"e_tag": f'"{known}"'})
            return True
        except Exception as error:
            with self._explained(key):
                there = self.read(key)
                written_so = there is not None and there[0].get(_WRITE) == written[_WRITE]
                if not written_so and not isinstance(error, (AlreadyExistsError, FileExistsError, PreconditionError)):
                    raise
                return written_so

    def send(self, file: Path, key: str) -> None:
        """Write the file as an object that nobody else writes."""
        with self._explained(key):
            self.bucket.put(key, file)

    def fetch(self, key: str, file: Path) -> None:
        """Bring an object that never changes; the file is whole or not there."""
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f".{file.name}.{uuid4().hex}.part")
        try:
            with self._explained(key), part.open("wb") as stream:
                for piece in self.bucket.get(key).stream(min_chunk_size=_PIECE):
                    stream.write(piece)
            os.replace(part, file)
        finally:
            part.unlink(missing_ok=True)

    def listed(self, folder: str) -> dict[str, str]:
        """The ETag of each object in the folder, by key."""
        with self._explained(folder):
            return {entry["path"]: bare(entry["e_tag"]) for page in self.bucket.list(folder, chunk_size=1000) for entry in page}

    def remove(self, keys: Iterable[str]) -> None:
        """Take objects away; one that is gone is no error."""
        for key in keys:
            with self._explained(key), _gone():
                self.bucket.delete(key)


@contextmanager
def _gone() -> Iterator[None]:
    """An object that somebody else has taken away is away."""
    from obstore.exceptions import NotFoundError

    try:
        yield
    except (NotFoundError, FileNotFoundError):
        return


def bare(tag: str | None) -> str:
    """An ETag without its quotes, which answers have and lists may not have."""
    return (tag or "").strip('"')


def shared_objects() -> SharedObjects:
    """The storage that MESH_STORE names. Raises SettingInvalid."""
    environment = os.environ
    url = STORE.value(environment)
    if _URL.fullmatch(url) is None:
        raise SettingInvalid(f'{STORE.name} is "{mask(url)}"; write an address such as s3://bucket/prefix')
    if TARGET.value(environment) == SNOWFLAKE:
        raise SettingInvalid(
            f"{STORE.name} is for products in DuckDB, and {TARGET.name} is {SNOWFLAKE}, which all machines share; take one away"
        )
    if not LEDGER.value(environment).startswith("postgres"):
        raise SettingInvalid(
            f"{STORE.name} lets several machines refresh, and they need one ledger: set {LEDGER.name} to a PostgreSQL database"
        )
    return _opened(url)


@cache
def _opened(url: str) -> SharedObjects:
    """One client for the whole process, which keeps its connections."""
    match = _URL.fullmatch(url)
    assert match is not None
    try:
        return SharedObjects(url.rstrip("/"), opened_bucket(match[1], match[2] or None))
    except OSError as error:
        raise SettingInvalid(f"{STORE.name} cannot be used: {error}") from error
