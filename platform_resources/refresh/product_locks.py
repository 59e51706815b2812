"""Keep every other refresh of a product out while one runs: on this machine by a file, on all machines by a note in the warehouse."""

import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from platform_resources.plan import conventions
from platform_resources.plan.conventions import Placed
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.former_folders import led_elsewhere, take_over, take_over_names
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import Versions, VersionsUnreadable
from platform_resources.warehouses.engine_errors import EngineError, NotSupported

LONGEST_WAIT_SECONDS = 1800.0
# There as long as a backup is being restored: of half a state nothing is refreshed.
RESTORING = ".mesh/restoring"
_LOOK_AGAIN_SECONDS = 5.0
_log = logging.getLogger(__name__)


class ProductBusy(Exception):
    """Raised when another refresh of the product does not end in time."""


@dataclass(frozen=True, slots=True)
class ProductLock:
    """The lock on a product, held until it is released."""

    file: FileLock
    versions: Versions

    def release(self) -> None:
        """A claim that cannot be let go ends by itself."""
        try:
            self.versions.let_go()
        except (EngineError, VersionsUnreadable, OSError) as error:
            _log.warning("the claim on %s could not be let go; it ends by itself: %s", self.file.lock_file, error)
        finally:
            self.file.release()

    def __enter__(self) -> "ProductLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def locked(state: Path, product: Placed, wait_seconds: float = LONGEST_WAIT_SECONDS) -> ProductLock:
    """The product's lock, held: release it when the refresh ends; a killed process lets go at once. Raises ProductBusy, EngineError.

    Where other machines refresh into the same warehouse too, they are kept out until the claim there is let go or over, which outlives a
    machine that dies. What the product kept under a former name is its own from then on.
    """
    file, until = _acquired(state, product, product.name, wait_seconds), time.monotonic() + wait_seconds
    lock = ProductLock(file, shelf(state, product.domain, product.name))
    try:
        _claim(lock.versions, product, until)
        if isinstance(product, ProductPlan):  # a product that is gone takes nothing over
            for former in product.former_names:
                _acquired(state, product, former, wait_seconds).release()
            take_over(state, product)
            if product.former_names:  # what came with the former name is there to be claimed by now
                _claim(lock.versions, product, until)
            take_over_names(state, product)
    except BaseException:
        lock.release()
        raise
    return lock


def _claim(versions: Versions, product: Placed, until: float) -> None:
    while other := versions.claim():
        if time.monotonic() > until:
            raise ProductBusy(f"{product.name} is refreshed from another place: {other}; try again when it is done")
        time.sleep(min(_LOOK_AGAIN_SECONDS, max(0.0, until - time.monotonic())))


def take_over_former(state: Path, products: Iterable[ProductPlan]) -> None:
    """What products kept under former names becomes their own now, unless a refresh runs, which has seen to it itself.

    A folder that still leads to what was called like the product before does so no more.
    """
    for product in products:
        if product.former_names or any(port.former_names for port in product.outputs) or led_elsewhere(state, product):
            with suppress(ProductBusy, EngineError, VersionsUnreadable, NotSupported):  # the next refresh says why
                locked(state, product, 0).release()


def _acquired(state: Path, product: Placed, name: str, wait_seconds: float) -> FileLock:
    if (state / RESTORING).exists():
        raise ProductBusy(f"a backup is being restored to {state}, or was broken off; then take away what is there, and restore it again")
    file = state / conventions.lock_file(product.domain, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file, timeout=wait_seconds)
    try:
        lock.acquire()
    except Timeout:
        raise ProductBusy(f"another refresh of {name} has run for {wait_seconds:.0f} s; try again when it is done") from None
    return lock
