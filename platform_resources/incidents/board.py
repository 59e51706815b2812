"""All incidents of the mesh, each at its root cause: decides which to open, move, reopen and resolve.

One incident per cause: `incidents` holds the newest of each cause, and a new one begins only when that is resolved. A product that fails
because of others has none of its own; it is attached to theirs. If its own was opened before the root showed up, it moves there.

A product fails as soon as one of its checks does. What a person has accepted of a check is no failure, neither for the product nor for
those below it, until that check was well in between.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from platform_resources.capabilities.judgements import Verdict
from platform_resources.incidents import life_cycle
from platform_resources.incidents.life_cycle import NO_TROUBLE, OVER, Change, Incident, IncidentEvent
from platform_resources.incidents.root_cause import causes
from platform_resources.incidents.signals import Condition, Signal, condition, heard
from platform_resources.plan.graph import Graph
from platform_resources.plan.incident_rules import Rule
from platform_resources.spec.values.moments import in_utc

Check = tuple[str, str]
RuleOf = Callable[[str], Rule]
Keep = Callable[[Change], None]
Roots = Mapping[str, tuple[str, ...]]
ByProduct = Mapping[str, Mapping[str, Signal]]
NOT_WATCHED = "nothing that failed is watched any more"
NONE_GONE: Mapping[Check, str] = {}


@dataclass(frozen=True, slots=True)
class Board:
    """What the readings of every check amount to, by product and check, and the newest incident of each cause.

    `forgotten` are the checks that `watching` has left out while they failed, `begun` those that have begun to count as failing, or
    fail for more than before: both until the next tending.
    """

    signals: Mapping[Check, Signal] = field(default_factory=dict)
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    forgotten: frozenset[Check] = frozenset()
    begun: frozenset[Check] = frozenset()

    @property
    def failing(self) -> frozenset[str]:
        """Products with a failing check that nobody has accepted."""
        return frozenset(product for (product, _), signal in self.signals.items() if signal.counts)

    @property
    def live(self) -> tuple[Incident, ...]:
        """The incidents that are not resolved, by cause."""
        return tuple(incident for _, incident in sorted(self.incidents.items()) if incident.live)

    def failing_checks(self, product: str) -> tuple[str, ...]:
        """The product's checks that fail and that nobody has accepted, sorted."""
        return tuple(sorted(check for (owner, check), signal in self.signals.items() if owner == product and signal.counts))


def with_reading(
    board: Board,
    product: str,
    check: str,
    verdict: Verdict,
    at: datetime,
    rule: Rule,
    reason: str = "",
    stops: bool = False,
    failures: Collection[str] = (),
) -> Board:
    """The board after one check's reading. It opens nothing yet: `tended` does, once all that is known has been heard.

    `check` is any text that names the check within its product; `reason` says what was wrong, if it was. `stops`: it ends a
    refresh then, in which `failures` have failed.
    """
    key = (product, check)
    before = board.signals.get(key, Signal())
    signal = heard(before, verdict, at, rule, reason, stops, failures)
    begun = board.begun | {key} if signal.begins_after(before) else board.begun if signal.counts else board.begun - {key}
    return replace(board, signals={**board.signals, key: signal}, forgotten=board.forgotten - {key}, begun=begun)


def watching(board: Board, known: Mapping[str, Collection[str]]) -> Board:
    """The board without the checks that are watched no longer: those of a product in `known` that are not in its collection.

    A product that is not in `known` keeps all of its own, since nobody could say what it promises: a mistake in its file ends no promise.
    """
    gone = frozenset((product, check) for product, check in board.signals if product in known and check not in known[product])
    kept = {key: signal for key, signal in board.signals.items() if key not in gone}
    forgotten = board.forgotten | {key for key in gone if board.signals[key].counts}
    return replace(board, signals=kept, forgotten=forgotten, begun=board.begun - gone)


def changed(board: Board, cause: str, act: Callable[[Incident], Change]) -> tuple[Board, tuple[IncidentEvent, ...]]:
    """What a person does to the newest incident of a cause: `changed(board, "orders", lambda i: acknowledged(i, now, "ana"))`.

    Resolving it as no trouble accepts those of its checks that still fail; one that the incident has not noticed yet, and that nobody can
    have had in mind, is not among them. Reopening it, or resolving it in another way after all, takes that back. Raises KeyError if the
    cause never had an incident, and IllegalTransition.
    """
    before = board.incidents[cause]
    incident, events = act(before)
    signals = board.signals
    if incident.resolution != before.resolution and (incident.resolution in NO_TROUBLE or not before.live):
        signals = _with_acceptance(signals, cause, incident.checks, incident.resolution in NO_TROUBLE)
    return replace(board, signals=signals, incidents={**board.incidents, cause: incident}), events


def taken_back(board: Board, cause: str, checks: Collection[str]) -> Board:
    """The board after the acceptance of these checks, by a former incident of the cause, is withdrawn."""
    return replace(board, signals=_with_acceptance(board.signals, cause, checks, False))


def _with_acceptance(signals: Mapping[Check, Signal], cause: str, checks: Iterable[str], accepted: bool) -> Mapping[Check, Signal]:
    keys = [(cause, check) for check in checks]
    failing = {key: signals[key] for key in keys if key in signals and signals[key].failing}
    return {**signals, **{key: replace(signal, accepted=accepted) for key, signal in failing.items()}}


@dataclass(frozen=True, slots=True)
class Unexplained:
    """Failing checks that no failure upstream can explain. Those that `stop` a refresh are noticed each time they begin to fail."""

    checks: frozenset[Check] = frozenset()
    stop: frozenset[Check] = frozenset()


def tended(
    board: Board,
    upstream: Graph,
    at: datetime,
    rule_of: RuleOf,
    gone: Mapping[Check, str] = NONE_GONE,
    unexplained: Unexplained = Unexplained(),
) -> tuple[Board, tuple[IncidentEvent, ...]]:
    """The board as it should be at `at`, and what happened to get there. Tending it again changes nothing.

    `rule_of` gives each product's rule. Of it, the cooldown of the product whose incident it is counts, and the settle time of the product
    that has to catch up: how soon a repair arrives depends on how often the product below is refreshed. It is asked about products that
    have failing checks, those that left the mesh included. `gone` says of checks that are watched no longer why, where that is known.
    What is `unexplained` waits for the repair of no other product.
    """
    at, checks = in_utc(at), _by_product(board.signals)
    by_product = causes(upstream, board.failing)
    incidents, events = dict(board.incidents), list[IncidentEvent]()

    def keep(change: Change) -> None:
        incidents[change[0].cause] = change[0]
        events.extend(change[1])

    for incident in board.live:
        if incident.cause not in by_product:
            keep(_ended(incident, board, at, gone))
    alone = {key[0] for key, signal in board.signals.items() if signal.counts and key in unexplained.checks}
    waiting = {product for product in by_product.keys() - alone if _is_catching_up(product, board, checks, at, rule_of(product))}
    for product, roots in by_product.items():
        if roots == (product,) and product not in waiting:
            _open_if_due(product, checks[product], incidents, at, rule_of(product), keep)
    _attach_below(by_product, incidents, at, keep)
    again = {(cause, check) for cause, check in board.begun & unexplained.stop if cause in board.incidents and board.incidents[cause].live}
    _notice(by_product, checks, incidents, at, keep, again)
    return replace(board, incidents=incidents, forgotten=frozenset(), begun=frozenset()), tuple(events)


def _attach_below(by_product: Roots, incidents: Mapping[str, Incident], at: datetime, keep: Keep) -> None:
    for product, roots in by_product.items():
        if roots != (product,):
            _attach(product, roots, incidents, at, keep)


def _notice(
    by_product: Roots, checks: ByProduct, incidents: Mapping[str, Incident], at: datetime, keep: Keep, again: Collection[Check]
) -> None:
    """What else fails of a product that has an incident of its own, and what has stopped its refresh once more."""
    for product in by_product:
        incident = incidents.get(product)
        if incident is not None and incident.live:
            keep(life_cycle.noticed(incident, _failing(checks[product]), at, [check for cause, check in again if cause == product]))


def _by_product(signals: Mapping[Check, Signal]) -> ByProduct:
    by_product: dict[str, dict[str, Signal]] = {}
    for (product, check), signal in signals.items():
        by_product.setdefault(product, {})[check] = signal
    return by_product


def _failing(checks: Mapping[str, Signal]) -> tuple[str, ...]:
    return tuple(sorted(check for check, signal in checks.items() if signal.counts))


def _ended(incident: Incident, board: Board, at: datetime, gone: Mapping[Check, str]) -> Change:
    """Nothing of its cause fails any more. That is a recovery only if what failed last was watched to the end."""
    checks = {(incident.cause, check) for check in incident.checks}
    if checks and (checks.isdisjoint(board.signals) or checks & board.forgotten):
        lost = sorted(check for check in checks if check in board.forgotten or check not in board.signals)
        why = dict.fromkeys(gone.get(check, NOT_WATCHED) for check in lost)
        return life_cycle.resolved(incident, "no action", at, note="; ".join(why))
    return life_cycle.resolved(incident, "auto-recovered", at)


def _open_if_due(
    product: str, checks: Mapping[str, Signal], incidents: Mapping[str, Incident], at: datetime, rule: Rule, keep: Keep
) -> None:
    last = incidents.get(product)
    if last is not None and last.live:
        return
    now, failing = condition(checks.values()), _failing(checks)
    began = now.failing_since or at
    if last is None or last.resolved_at is None:
        keep(life_cycle.opened(product, began, at, checks=failing))
    elif not _is_trouble_again(last, now, failing):
        return
    elif last.resolution in OVER and at - last.resolved_at <= rule.cooldown:
        keep(life_cycle.reopened(last, at, note=", ".join(failing)))
    else:
        keep(life_cycle.opened(product, began, max(at, last.changed_at), last.number + 1, failing))


def _is_catching_up(product: str, board: Board, checks: ByProduct, at: datetime, rule: Rule) -> bool:
    """Whether a root that it failed under has recovered so lately that the repair may still be on its way down."""
    causes_above = (incident.cause for incident in board.incidents.values() if product in incident.impacted)
    roots = (condition(checks.get(cause, {}).values()) for cause in causes_above)
    return any(not root.failing and root.well_since is not None and at < root.well_since + rule.settle for root in roots)


def _is_trouble_again(incident: Incident, now: Condition, failing: Collection[str]) -> bool:
    """Whether a resolved incident's product fails anew.

    Said to be fixed, it needs a later bad reading, or a check that has not failed before. However else it was resolved, nothing that failed
    then counts any more, so that whatever does is new.
    """
    if incident.resolution != "fixed" or incident.resolved_at is None:
        return True
    is_bad_later = now.last_bad_at is not None and now.last_bad_at > incident.resolved_at
    return is_bad_later or not set(failing) <= set(incident.checks)


def _attach(product: str, roots: tuple[str, ...], incidents: Mapping[str, Incident], at: datetime, keep: Keep) -> None:
    """To the incident of every root that has one, also one that a person has called fixed: it explains what fails below it."""
    own = incidents.get(product)
    moving = own if own is not None and own.live else None
    known = [incidents[root] for root in roots if root in incidents]
    for incident in known:
        keep(life_cycle.attached(incident, (product, *(moving.impacted if moving is not None else ())), at))
    if moving is not None and known:
        keep(life_cycle.moved(moving, [incident.cause for incident in known], at))
