"""All incidents of the mesh, each at its root cause: which to open, move, reopen and resolve.

One incident per cause: `incidents` holds the newest of each cause, and a new one begins only when that is resolved. A product that fails
because of others has none of its own; it is attached to theirs. If its own was opened before the root showed up, it moves there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from platform_resources.capabilities.measures import Verdict
from platform_resources.objectives import incidents
from platform_resources.objectives.incidents import Change, Event, Incident, Resolution
from platform_resources.objectives.lineage import Graph
from platform_resources.objectives.periods import in_utc
from platform_resources.objectives.root_cause import causes
from platform_resources.objectives.signals import Rule, Signal, heard


@dataclass(frozen=True, slots=True)
class Board:
    """What every product's readings amount to, and the newest incident of each cause."""

    signals: Mapping[str, Signal] = field(default_factory=dict)
    incidents: Mapping[str, Incident] = field(default_factory=dict)

    @property
    def failing(self) -> frozenset[str]:
        return frozenset(product for product, signal in self.signals.items() if signal.failing)

    @property
    def live(self) -> tuple[Incident, ...]:
        return tuple(incident for _, incident in sorted(self.incidents.items()) if incident.live)


def with_reading(board: Board, product: str, verdict: Verdict, at: datetime, rule: Rule) -> Board:
    """The board after a product's reading. It opens nothing yet: `tended` does, once all that is known has been heard."""
    signal = heard(board.signals.get(product, Signal()), verdict, at, rule)
    return replace(board, signals={**board.signals, product: signal})


def changed(board: Board, cause: str, act: Callable[[Incident], Change]) -> tuple[Board, tuple[Event, ...]]:
    """What a person does to the newest incident of a cause: `changed(board, "orders", lambda i: acknowledged(i, now, "ana"))`.

    Raises KeyError if the cause never had an incident, and IllegalTransition.
    """
    incident, events = act(board.incidents[cause])
    return replace(board, incidents={**board.incidents, cause: incident}), events


def tended(board: Board, upstream: Graph, at: datetime, rule: Rule) -> tuple[Board, tuple[Event, ...]]:
    """The board as it should be at `at`, and what happened to get there. Tending it again changes nothing."""
    at = in_utc(at)
    by_product = causes(upstream, board.failing)
    found, events = dict(board.incidents), list[Event]()

    def keep(change: Change) -> None:
        found[change[0].cause] = change[0]
        events.extend(change[1])

    for incident in board.live:
        if incident.cause not in by_product:
            keep(incidents.resolved(incident, "auto-recovered", at))
    for product, roots in by_product.items():
        if roots == (product,) and not _is_catching_up(product, board, at, rule):
            _open_if_due(product, board.signals[product], found, at, rule, keep)
    for product, roots in by_product.items():
        if roots != (product,):
            _attach(product, roots, found, at, keep)
    return replace(board, incidents=found), tuple(events)


def _open_if_due(
    product: str, signal: Signal, found: Mapping[str, Incident], at: datetime, rule: Rule, keep: Callable[[Change], None]
) -> None:
    last = found.get(product)
    if last is not None and last.live:
        return
    began = signal.failing_since or at
    if last is None or last.resolved_at is None:
        keep(incidents.opened(product, began, at))
    elif _is_trouble_again(last, signal):
        soon = at - last.resolved_at <= rule.cooldown
        keep(incidents.reopened(last, at) if soon else incidents.opened(product, began, max(at, last.changed_at), last.number + 1))


def _is_catching_up(product: str, board: Board, at: datetime, rule: Rule) -> bool:
    """Whether a root that it failed under has recovered so lately that the repair may still be on its way down."""
    roots = (board.signals.get(incident.cause, Signal()) for incident in board.incidents.values() if product in incident.impacted)
    return any(not root.failing and root.well_since is not None and at < root.well_since + rule.settle for root in roots)


_SAID_TO_BE_NO_TROUBLE: tuple[Resolution, ...] = ("expected", "false positive", "no action")


def _is_trouble_again(incident: Incident, signal: Signal) -> bool:
    """Whether a resolved incident's product fails anew.

    Said to be fixed, it needs a later bad reading; said to be no trouble, it must have been well in between.
    """
    if incident.resolved_at is None or signal.failing_since is None or signal.last_bad_at is None:
        return False
    if incident.resolution in _SAID_TO_BE_NO_TROUBLE:
        return signal.failing_since > incident.resolved_at
    return incident.resolution == "moved" or signal.last_bad_at > incident.resolved_at


def _attach(product: str, roots: tuple[str, ...], found: Mapping[str, Incident], at: datetime, keep: Callable[[Change], None]) -> None:
    """To the incident of every root that has one, also one that a person has called no trouble: it explains what fails below it."""
    own = found.get(product)
    moving = own if own is not None and own.live else None
    known = [found[root] for root in roots if root in found]
    for incident in known:
        keep(incidents.attached(incident, (product, *(moving.impacted if moving is not None else ())), at))
    if moving is not None and known:
        keep(incidents.moved(moving, [incident.cause for incident in known], at))
