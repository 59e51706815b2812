"""Ask sources whether they have new data, without loading it."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from platform_resources.capabilities.protocols import ChangeTeller, PullFiles, PullRows, PullShared, untold
from platform_resources.deliveries.arrivals import matching_files
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import InputPlan
from platform_resources.refresh.sources.shared_pulls import waits_until
from platform_resources.repository.product_secrets import mask_of
from platform_resources.spec.values.clocks import Clock

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class SourceMarks:
    """The answers of one product's sources: a change mark per port, and for others the reason why there is none."""

    marks: Mapping[str, str]
    silent: Mapping[str, str]


def watched_ports(product: ProductPlan) -> tuple[InputPlan, ...]:
    """The input ports that can report new data, of a product that is refreshed when its inputs change."""
    if product.refresh is None or product.refresh.on is None or not product.runs:
        return ()
    return tuple(port for port in product.inputs if port.upstream is None and not untold(port.pull))


# What sources are still asked for, by product and port, with the time since when.
Pending = dict[tuple[str, str], tuple[Future[str | None], datetime]]


def source_marks(
    root: Path, state: Path, products: Sequence[ProductPlan], now: datetime, seconds: float, pending: Pending
) -> dict[str, SourceMarks]:
    """Of each product. Sources are asked beside each other. One that takes longer than `seconds` is silent until it has answered: it stays
    in `pending`, and nobody waits for it again."""
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="source marks")
    watched = [(product, port) for product in products for port in watched_ports(product)]
    begun = {
        (product.name, port.name): (pool.submit(_mark, root, state, product, port, now), now)
        for product, port in watched
        if (product.name, port.name) not in pending
    }
    wait([answer for answer, _ in begun.values()], seconds)
    pool.shutdown(wait=False, cancel_futures=True)
    asked = {**pending, **begun}
    pending.clear()
    pending.update({key: answer for key, answer in asked.items() if not answer[0].done()})
    by_product: dict[str, SourceMarks] = {}
    for product in products:
        marks: dict[str, str] = {}
        silent: dict[str, str] = {}
        for port in watched_ports(product):
            answer, since = asked[product.name, port.name]
            if not answer.done() or answer.cancelled():
                silent[port.name] = f"no answer since {Clock(product.zone, now).moment(since)}"
            elif (error := answer.exception()) is not None:
                silent[port.name] = mask_of(root, product)(f"{type(error).__name__}: {error}".splitlines()[0])
            elif (mark := answer.result()) is not None:
                marks[port.name] = mark
        by_product[product.name] = SourceMarks(marks, silent)
    return by_product


def _mark(root: Path, state: Path, product: ProductPlan, port: InputPlan, now: datetime) -> str | None:
    """None while nothing is to be done, whatever the source has: what a domain shares is not pulled anew before its time."""
    match port.pull:
        case PullFiles(path):
            return hashlib.sha256("\n".join(_looks(path, (root / product.place.file).parent)).encode()).hexdigest()[:16]
        case PullShared(rows=PullRows(ChangeTeller() as reader)) as shared:
            return reader.mark() if waits_until(state, shared) <= now else None
        case PullRows(ChangeTeller() as reader):
            return reader.mark()
        case _:
            raise TypeError(f"{port.name} cannot tell whether there is something new")


def _looks(path: str, folder: Path) -> Iterator[str]:
    return (f"{file.name} {file.look}" for file in matching_files(path, folder))
