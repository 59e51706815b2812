"""Keep every other refresh of a product out while one runs."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from platform_resources.plan import conventions
from platform_resources.plan.conventions import Placed
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.former_folders import led_elsewhere, take_over

LONGEST_WAIT_SECONDS = 1800.0


class ProductBusy(Exception):
    """Raised when another refresh of the product does not end in time."""


def locked(state: Path, product: Placed, wait_seconds: float = LONGEST_WAIT_SECONDS) -> FileLock:
    """The product's lock, held: release it when the refresh ends; a killed process lets go at once. Raises ProductBusy.

    What the product kept under a former name is its own from then on.
    """
    lock = _acquired(state, product, product.name, wait_seconds)
    try:
        if isinstance(product, ProductPlan):  # a product that is gone takes nothing over
            for former in product.former_names:
                _acquired(state, product, former, wait_seconds).release()
            take_over(state, product)
    except BaseException:
        lock.release()
        raise
    return lock


def take_over_former(state: Path, products: Iterable[ProductPlan]) -> None:
    """What products kept under former names becomes their own now, unless a refresh runs, which has seen to it itself.

    A folder that still leads to what was called like the product before does so no more.
    """
    for product in products:
        if product.former_names or any(port.former_names for port in product.outputs) or led_elsewhere(state, product):
            with suppress(ProductBusy):
                locked(state, product, 0).release()


def _acquired(state: Path, product: Placed, name: str, wait_seconds: float) -> FileLock:
    file = state / conventions.lock_file(product.domain, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file, timeout=wait_seconds)
    try:
        lock.acquire()
    except Timeout:
        raise ProductBusy(f"another refresh of {name} has run for {wait_seconds:.0f} s; try again when it is done") from None
    return lock
