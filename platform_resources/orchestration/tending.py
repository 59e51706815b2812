"""Incidents kept up to date: what was observed goes onto the board, and what follows from it into the ledger."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from platform_resources.capabilities.registry import Registry
from platform_resources.ledger import incident_store
from platform_resources.ledger.checks import imported_checks
from platform_resources.ledger.standing import Standing
from platform_resources.objectives.board import Board, tended, watching, with_reading
from platform_resources.objectives.health import ProductHealth
from platform_resources.objectives.incidents import Event, Incident
from platform_resources.objectives.lineage import ancestors, downstream
from platform_resources.objectives.severity import Severity, severity
from platform_resources.objectives.signals import Rule, Signal, set_right
from platform_resources.orchestration.watching import Observed, watched_checks
from platform_resources.planning.conventions import check_text
from platform_resources.planning.explanations import Symptom, Topic, explained, topics
from platform_resources.planning.faults import fault
from platform_resources.planning.plan import MeshPlan, ProductPlan

MOST_OF_A_REASON = 160
TEST_REMOVED = "test removed"


@dataclass(frozen=True, slots=True)
class Tended:
    """The board as it is now, and what has happened on it."""

    board: Board
    events: tuple[Event, ...]


def tend(
    connection: Connection,
    plan: MeshPlan,
    products: Sequence[ProductPlan],
    observations: Sequence[Observed],
    standings: Mapping[str, Sequence[Standing]],
    registry: Registry,
    now: datetime,
    health: Mapping[str, ProductHealth],
) -> Tended:
    """Hear what was observed of these products, tend the board of the whole mesh, and keep it. `plan` is of the whole mesh.

    The products of other domains keep what was last heard of them. The ledger must be open for projecting: one process at a time.
    """
    observations = [each for each in observations if not each.target]
    before = incident_store.board(connection)
    heard = _up_to_date(before, plan, products, observations, now)
    graph = explained(plan, _symptoms(heard, plan, registry), Rule().settle)
    rules = _rules(plan)
    after, events = tended(heard, graph, now, lambda product: rules.get(product, Rule()), _removed_tests(connection))
    incident_store.keep_board(connection, before, after, events)
    _describe(connection, plan, products, observations, standings, after, health)
    return Tended(after, events)


def _up_to_date(board: Board, plan: MeshPlan, products: Iterable[ProductPlan], observations: Sequence[Observed], now: datetime) -> Board:
    """The board with times that can be, with what is watched now, and with everything that was observed."""
    believed = replace(board, signals={check: set_right(signal, now) for check, signal in board.signals.items()})
    return _heard(watching(believed, _known(board, plan, products, observations)), observations, _rules(plan))


def _rules(plan: MeshPlan) -> dict[str, Rule]:
    return {product.name: product.rule for product in plan.products}


def _removed_tests(connection: Connection) -> dict[tuple[str, str], str]:
    """Tests that ran elsewhere and are there no more."""
    removed = imported_checks(connection, retired=True)
    return {(check.product, check_text(tuple(check.asset_key.split("/")), check.name)): TEST_REMOVED for check in removed}


def _symptoms(board: Board, plan: MeshPlan, registry: Registry) -> Iterator[Symptom]:
    """Everything that fails in the mesh and is not accepted, with what it is about."""
    plans = {product.name: product for product in plan.products}
    for name in sorted(board.failing):
        about = topics(plans[name], registry) if name in plans else {}
        for check in board.failing_checks(name):
            since = board.signals[name, check].failing_since
            if since is not None:
                yield Symptom(name, since, about.get(check, Topic()))


def _known(
    board: Board, plan: MeshPlan, products: Iterable[ProductPlan], observations: Iterable[Observed]
) -> Mapping[str, Collection[str]]:
    """What is watched of these products, and nothing of those that run no more: they are retired, or gone from the mesh."""
    there = plan.running_or_rejected
    known: dict[str, set[str]] = {product: set() for product, _ in board.signals if product not in there}
    known |= {product.name: watched_checks(product) for product in products if product.runs}
    for each in observations:
        known[each.product].add(each.check)
    return known


def _heard(board: Board, observations: Iterable[Observed], rules: Mapping[str, Rule]) -> Board:
    for each in sorted(observations, key=lambda each: each.at):
        board = with_reading(board, each.product, each.check, each.verdict, each.at, rules[each.product], each.reason)
    return board


def _describe(
    connection: Connection,
    plan: MeshPlan,
    products: Iterable[ProductPlan],
    observations: Iterable[Observed],
    standings: Mapping[str, Sequence[Standing]],
    board: Board,
    health: Mapping[str, ProductHealth],
) -> None:
    """Severity and title of the live incidents at these products; those of other domains are described by their own."""
    here = {product.name for product in products}
    live = [incident for incident in board.live if incident.cause in here]
    titles = {(each.product, each.check): each.title for each in observations}
    below = downstream(plan.upstream)
    severities = {
        incident.name: incident_severity(plan, below, health[incident.cause], standings.get(incident.cause, ())) for incident in live
    }
    incident_store.set_severities(connection, severities)
    incident_store.set_titles(connection, {incident.name: _title(incident, board, titles) for incident in live})


def incident_severity(
    plan: MeshPlan, below: Mapping[str, tuple[str, ...]], health: ProductHealth, standings: Iterable[Standing]
) -> Severity:
    """Of an incident at that product: how it is, who depends on it, known consumers among them, and the budget that is spent most."""
    products = {product.name: product for product in plan.products}
    behind = [products[name] for name in sorted(ancestors(health.product, below)) if name in products]
    own = products[health.product]
    consumers = sum(len(product.consumers) for product in (own, *behind))
    consumed = [standing.attainment.budget.consumed for standing in standings if standing.attainment.budget is not None]
    informs = health.status in ("use with care", "healthy")
    return severity(own.info.criticality, [p.info.criticality for p in behind], consumers, max(consumed, default=None), informs)


def _title(incident: Incident, board: Board, titles: Mapping[tuple[str, str], str]) -> str:
    """What broke first with its reason, and how many more there are."""
    failing = board.failing_checks(incident.cause) or incident.checks
    signals = {check: board.signals.get((incident.cause, check), Signal()) for check in failing}
    first, *others = sorted(failing, key=lambda check: (signals[check].failing_since or incident.began_at, check))
    reason = shortened(signals[first].reason, MOST_OF_A_REASON)
    told = f"{fault(first, titles.get((incident.cause, first), first))}{f': {reason}' if reason else ''}"
    return told + (f"; and {len(others)} more" if others else "")


def shortened(text: str, most: int) -> str:
    """The text in one line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
