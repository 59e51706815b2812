"""Keep every other refresh of a product out while one runs."""

from pathlib import Path

from filelock import FileLock, Timeout

from platform_resources.plan import conventions
from platform_resources.plan.conventions import Placed

LONGEST_WAIT_SECONDS = 1800.0


class ProductBusy(Exception):
    """Raised when another refresh of the product does not end in time."""


def locked(state: Path, product: Placed, wait_seconds: float = LONGEST_WAIT_SECONDS) -> FileLock:
    """The product's lock, held: release it when the refresh ends; a killed process lets go at once. Raises ProductBusy."""
    file = state / conventions.lock_file(product.domain, product.name)
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file, timeout=wait_seconds)
    try:
        lock.acquire()
    except Timeout:
        raise ProductBusy(f"another refresh of {product.name} has run for {wait_seconds:.0f} s; try again when it is done") from None
    return lock
