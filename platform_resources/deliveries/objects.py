"""Which objects of S3-compatible storage a glob names, and how they are brought to this machine: whole, and only to be read."""

import importlib
import os
import tempfile
from collections.abc import Iterator
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

SCHEME = "s3://"
_PIECE = 8 * 2**20
_WILD = ("*", "?", "[")


def listed(pattern: str) -> Iterator[tuple[str, os.stat_result, str]]:
    """The address, size and times, and ETag of each object that the glob names now, by address. Raises OSError."""
    bucket, _, wanted = pattern.removeprefix(SCHEME).partition("/")
    parts = wanted.split("/")
    plain = next((at for at, part in enumerate(parts) if any(sign in part for sign in _WILD)), len(parts) - 1)
    prefix = "/".join(parts[:plain])
    try:
        objects = [entry for page in opened_bucket(bucket).list(prefix=prefix or None) for entry in page]
    except Exception as error:  # whatever the storage, or the way to it, makes of a request
        raise OSError(f"{SCHEME}{bucket}/{prefix} cannot be listed: {_first_line(error)}") from error
    for entry in sorted(objects, key=lambda entry: str(entry["path"])):
        if matches(entry["path"].split("/"), parts):
            yield f"{SCHEME}{bucket}/{entry['path']}", _stat(entry["size"], entry["last_modified"]), str(entry["e_tag"])


def matches(names: list[str], pattern: list[str]) -> bool:
    """Whether a path is what a glob names; `**` stands for any folders, and a wildcard for no name that begins with `_` or `.`."""
    if not pattern or not names:
        return not pattern and not names
    if pattern[0] == "**":
        return matches(names, pattern[1:]) or (names[0][:1] not in ("_", ".") and matches(names[1:], pattern))
    hidden = names[0][:1] in ("_", ".") and pattern[0][:1] not in ("_", ".")
    return not hidden and fnmatchcase(names[0], pattern[0]) and matches(names[1:], pattern[1:])


def local_copy(address: str, tag: str) -> Path:
    """The path of the local copy of the object with this ETag, there or not; it keeps the name, which shows the format."""
    return Path(_folder()) / quote(tag, safe="") / quote(address.rpartition("/")[0], safe="") / address.rpartition("/")[2]


def bring(address: str, tag: str) -> None:
    """Copy the object to this machine, if it is still the one of this ETag and not here yet. Raises OSError."""
    place = local_copy(address, tag)
    if place.exists():
        return
    bucket, _, key = address.removeprefix(SCHEME).partition("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f".{place.name}.part")
    try:
        answer = opened_bucket(bucket).get(key, options={"if_match": tag})
        with part.open("wb") as stream:
            for piece in answer.stream(min_chunk_size=_PIECE):
                stream.write(piece)
    except Exception as error:  # as above; an object that was replaced meanwhile is one that is not whole yet
        raise OSError(f"{address} cannot be read: {_first_line(error)}") from error
    os.replace(part, place)


def opened_bucket(bucket: str, prefix: str | None = None) -> Any:
    """The bucket, or what is below a prefix, with the credentials and the endpoint that the environment has for S3. Raises OSError."""
    try:
        store = importlib.import_module("obstore.store")
    except ImportError as error:
        raise OSError(f"{error}; the extra s3 is not installed: pip install 'platform-resources[s3]'") from error
    plain = os.environ.get("AWS_ENDPOINT_URL", os.environ.get("AWS_ENDPOINT", "")).startswith("http://")
    return store.S3Store(bucket, prefix=prefix, client_options={"allow_http": plain}, retry_config={"max_retries": 3})


def _stat(size: int, modified: datetime) -> os.stat_result:
    at = modified.timestamp()
    finer = {"st_mtime": at, "st_mtime_ns": int(at * 10**9), "st_ctime_ns": int(at * 10**9)}
    return os.stat_result((0, 0, 0, 0, 0, 0, size, at, at, at), finer)


@cache
def _folder() -> str:
    """A folder that goes with this process."""
    folder = tempfile.TemporaryDirectory(prefix="mesh_objects_")
    _KEPT.append(folder)
    return folder.name


_KEPT: list[Any] = []


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no reason given'}"
