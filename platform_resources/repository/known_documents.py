"""Keep what each product.yaml says in the mesh's state, so that the next process need not read its YAML again."""

import hashlib
import logging
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from platform_resources.capabilities.registry import Registry
from platform_resources.spec.reading import ProductReading, read_product
from platform_resources.spec.values.field_types import time_zones

FOLDER = ".mesh/documents"
DIGEST = 32  # bytes
Reader = Callable[[str, str, Registry], ProductReading]


def remembering_reader(state: Path, registry: Registry) -> Reader:
    """`read_product` that keeps each good product below the state folder, and takes it from there while nothing it depends on has changed.

    A document with problems is read anew each time. Any number of processes may share the folder, and it may be deleted at any time.
    """
    environment = environment_digest(registry)

    def read(text: str, file: str, registry: Registry) -> ProductReading:
        key = _digest(environment, file.encode(), text.encode(errors="surrogatepass"))
        kept = state / FOLDER / _digest(file.encode())[:16].hex()
        known = _known(kept, key)
        if known is not None:
            return known
        reading = read_product(text, file, registry)
        if reading.product is not None and not reading.problems:
            _keep(kept, key, reading)
        return reading

    return read


def _known(kept: Path, key: bytes) -> ProductReading | None:
    """What was kept under this key; None where there is nothing, something older, or a file that is not whole."""
    try:
        content = kept.read_bytes()
    except OSError:  # why it cannot be had is said when it is written
        return None
    written_key, written_digest, body = content[:DIGEST], content[DIGEST : 2 * DIGEST], content[2 * DIGEST :]
    if written_key != key or written_digest != _digest(body):
        return None
    known: ProductReading = pickle.loads(body)
    return known


def _keep(kept: Path, key: bytes, reading: ProductReading) -> None:
    """Write the reading, whole or not at all. A package's settings that cannot be kept as they are will be read anew."""
    try:
        body = pickle.dumps(reading, pickle.HIGHEST_PROTOCOL)
        if pickle.loads(body) != reading:
            return
    except (pickle.PicklingError, TypeError, AttributeError):
        return
    part = kept.with_name(f"{kept.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(key + _digest(body) + body)
        os.replace(part, kept)
    except OSError as error:
        logging.getLogger(__name__).warning(f"{kept}: {error.strerror or error}; without this file the mesh takes longer to load")


def environment_digest(registry: Registry) -> bytes:
    """Digest of all that the reading of a document depends on besides its text: code, installed packages, Python, time zones."""
    digest = hashlib.blake2b(repr((sys.version, sorted(time_zones()))).encode(), digest_size=DIGEST)
    for line in _installed():
        digest.update(line.encode())
    for file in sorted({file for module in _capability_modules(registry) for file in _sources(module)}):
        digest.update(f"\n{file}\n".encode())
        digest.update(file.read_bytes())
    return digest.digest()


def _installed() -> Iterator[str]:
    """Every installed distribution: name and version from its folder's name, and when it was installed."""
    for folder in filter(os.path.isdir, sys.path):
        with os.scandir(folder) as entries:
            paths = sorted(entry.path for entry in entries if entry.name.endswith((".dist-info", ".egg-info")))
        yield from (f"\n{path} {os.stat(path).st_mtime_ns}" for path in paths)


def _capability_modules(registry: Registry) -> set[str]:
    """Top-level names of the packages that the platform's capabilities and those of other packages come from."""
    capabilities: list[Any] = [capability for names in registry.by_kind.values() for capability in names.values()]
    classes = [kind for capability in capabilities for kind in (type(capability), capability.config)]
    return {kind.__module__.partition(".")[0] for kind in classes} | {__name__.partition(".")[0]}


def _sources(module: str) -> Iterator[Path]:
    imported = sys.modules[module]
    for folder in getattr(imported, "__path__", ()):
        yield from Path(folder).rglob("*.py")
    if getattr(imported, "__file__", None):
        yield Path(str(imported.__file__))


def _digest(*parts: bytes) -> bytes:
    """Of parts that end in one of any length."""
    digest = hashlib.blake2b(digest_size=DIGEST)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()
