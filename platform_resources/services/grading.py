"""The health of products as the ledger knows it: the same for `mesh status`, Dagster's checks, messages and the digest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from platform_resources.plan.conventions import VERSIONS_CHECK, check_text
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises.grades import NEVER, CheckState, ProductHealth, Said, WatchedCheck, check_state, check_states
from platform_resources.publications.published_versions import VersionsUnreadable, shelf
from platform_resources.services.product_health import health_of, published_state, watched
from platform_resources.services.watching import Observed
from platform_resources.spec.values.clocks import Clock

UNREADABLE = Said("unknown", "what it said last is in the ledger, which cannot be read")


def graded(
    state: Path, products: Sequence[ProductPlan], observations: Iterable[Observed], outcomes: Mapping[str, str]
) -> tuple[ProductHealth, ...]:
    """The health of each product by its observations; `outcomes` has how the last refresh of each ended."""
    by_product: dict[str, dict[str, Observed]] = {product.name: {} for product in products}
    for each in observations:
        if each.product in by_product:
            by_product[each.product][each.check] = each
    return tuple(_health(state, product, by_product[product.name], outcomes.get(product.name, "")) for product in products)


def _health(state: Path, product: ProductPlan, seen: Mapping[str, Observed], outcome: str) -> ProductHealth:
    checks = (*(_planned(check, seen) for check in watched(product)), *_others(product, seen))
    try:
        latest = shelf(state, product.domain, product.name).latest()
    except VersionsUnreadable as error:
        return health_of(product, None, (), outcome, str(error))
    return health_of(product, published_state(latest) if latest is not None else None, checks, outcome)


def graded_without_ledger(state: Path, product: ProductPlan, now: datetime, outcome: str) -> ProductHealth:
    """The health of a product where nothing can be read of what its checks said: they are unknown, but for the age of its data."""
    try:
        latest = shelf(state, product.domain, product.name).latest()
    except VersionsUnreadable as error:
        return health_of(product, None, (), outcome, str(error))
    published = published_state(latest) if latest is not None else None
    executions = {(check.key, check.name): UNREADABLE for check in watched(product)}
    checks = check_states(watched(product), published, executions, Clock(product.zone, now))
    return health_of(product, published, checks, outcome)


def _planned(check: WatchedCheck, seen: Mapping[str, Observed]) -> CheckState:
    said = seen.get(check_text(check.key, check.name))
    return said.state if said is not None else check_state(check, NEVER)


def _others(product: ProductPlan, seen: Mapping[str, Observed]) -> Iterator[CheckState]:
    """Tests that ran elsewhere, and what is wrong with refreshes and budgets; those two only if something is."""
    planned = {check_text(check.key, check.name) for check in product.checks}
    for name, said in sorted(seen.items()):
        if name not in planned and name != VERSIONS_CHECK and (said.imported or said.verdict == "missed"):
            yield said.state
