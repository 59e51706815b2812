"""Forecast which deadlines will be missed by which products if an input stays late.

An impact is what would happen, not what has: the longest way down through the usual durations of the refreshes decides by when the late
input has to arrive, and a deadline that a product can still meet with what it has is not at risk.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_resources.plan.graph import ProductGraph, ancestors
from platform_resources.promises.periods import ZERO
from platform_resources.spec.values.deadlines import MaxAge, asked_at
from platform_resources.spec.values.moments import in_utc

Way = tuple[timedelta, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class NextPromise:
    """What a product owes next: its `deadline` (None if it promises no freshness) and `max_age`; how long its refresh usually takes.

    `readers` are its known consumers outside the mesh.
    """

    deadline: datetime | None = None
    max_age: MaxAge = ZERO
    usual_refresh: timedelta = ZERO
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LateInput:
    """Something whose newest data is as of `known_until`. `arrives` is when the next is expected; None while it stays late."""

    product: str
    known_until: datetime
    arrives: datetime | None = None


@dataclass(frozen=True, slots=True)
class MissedDeadline:
    """A deadline that will be missed: whose, when, through which products, for whom.

    `needed_by`: the input would have to arrive by then. `certain`: that has passed already.
    """

    product: str
    deadline: datetime
    needed_by: datetime
    via: tuple[str, ...]
    consumers: tuple[str, ...]
    certain: bool


def impacts(late: LateInput, graph: ProductGraph, promises: Mapping[str, NextPromise], now: datetime) -> tuple[MissedDeadline, ...]:
    """The deadlines missed by the product with the late input and by all below it, soonest first. `late.product` need not have a promise.

    `consumers` are those of the product alone; each product below has an impact of its own if it has a promise.
    """
    all_impacts = (
        _impact(late, product, length, via, promises, in_utc(now)) for product, (length, via) in slowest_ways(late, graph, promises).items()
    )
    return tuple(sorted((impact for impact in all_impacts if impact is not None), key=lambda impact: (impact.deadline, impact.product)))


def _impact(
    late: LateInput, product: str, length: timedelta, via: tuple[str, ...], promises: Mapping[str, NextPromise], now: datetime
) -> MissedDeadline | None:
    promise = promises.get(product, NextPromise())
    if promise.deadline is None:
        return None
    deadline = in_utc(promise.deadline)
    needed_by = deadline - length
    in_time = late.arrives is not None and in_utc(late.arrives) <= needed_by
    # As of the very moment that the promise counts from, there is nothing newer to publish: the product itself always is in that case.
    if in_time or in_utc(late.known_until) > asked_at(promise.max_age, deadline):
        return None
    return MissedDeadline(product, deadline, needed_by, via, promise.readers, now > needed_by)


def slowest_ways(late: LateInput, graph: ProductGraph, promises: Mapping[str, NextPromise]) -> Mapping[str, Way]:
    """For that product and each below it: the longest time that news takes to get there, and its way. Circles are cut."""
    readers = graph.downstream
    ways: dict[str, Way] = {late.product: (_refresh(late.product, promises), (late.product,))}
    for product in _in_order(late.product, graph):
        for reader in readers.get(product, ()) if product in ways else ():
            length, way = ways[product]
            candidate = (length + _refresh(reader, promises), (*way, reader))
            if reader not in way and (reader not in ways or candidate[0] > ways[reader][0]):
                ways[reader] = candidate
    return ways


def _in_order(start: str, graph: ProductGraph) -> list[str]:
    """The start and all below it, each after all that it reads from."""
    below = {start, *ancestors(start, graph.downstream)}
    return sorted(below, key=lambda name: (graph.depths.get(name, 0), name))


def _refresh(product: str, promises: Mapping[str, NextPromise]) -> timedelta:
    return promises[product].usual_refresh if product in promises else ZERO
