"""Update incidents: apply new observations to the incident board, and store the result in the ledger."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from platform_resources.capabilities.registry import Registry
from platform_resources.incidents.board import Board, Unexplained, tended, watching, with_reading
from platform_resources.incidents.explanations import Symptom, Topic, explained, holds_values_from_above, topics
from platform_resources.incidents.life_cycle import Incident, IncidentEvent
from platform_resources.incidents.severity import severity
from platform_resources.incidents.signals import Signal, set_right
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.people import incident_store
from platform_resources.ledger.people.checks import imported_checks
from platform_resources.ledger.queries.standing import Standing
from platform_resources.lineage.mesh_lineage import MeshLineage
from platform_resources.plan.conventions import check_text
from platform_resources.plan.faults import fault
from platform_resources.plan.graph import ancestors
from platform_resources.plan.incident_rules import Rule
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.promises.grades import CheckState, ProductHealth, most_urgent_first
from platform_resources.services.watching import Observed, watched_checks
from platform_resources.spec.notifications import Severity

MOST_OF_A_REASON = 160
TEST_REMOVED = "test removed"
Topics = Mapping[tuple[str, str], Topic]


@dataclass(frozen=True, slots=True)
class Tended:
    """The updated incident board and the events of the update."""

    board: Board
    events: tuple[IncidentEvent, ...]


def tend(
    connection: Connection,
    plan: MeshPlan,
    products: Sequence[ProductPlan],
    observations: Sequence[Observed],
    standings: Mapping[str, Sequence[Standing]],
    registry: Registry,
    now: datetime,
    health: Mapping[str, ProductHealth],
    lineage: MeshLineage | None = None,
) -> Tended:
    """Apply the observations of these products to the mesh's incident board, and store it. `plan` covers the whole mesh.

    The products of other domains keep what was last heard of them. The ledger must be open for projecting: one process at a time.
    """
    observations = [observation for observation in observations if not observation.state.target]
    before = incident_store.board(connection)
    about = _topics(plan, {product for product, _ in before.signals} | {product.name for product in products}, registry)
    heard = _up_to_date(before, plan, products, observations, about, now)
    graph = explained(plan, _symptoms(heard, about), lineage)
    rules = _rules(plan)
    gone, alone = _removed_tests(connection), _unexplained(heard, about, plan, lineage)
    after, events = tended(heard, graph, now, lambda product: rules.get(product, Rule()), gone, alone)
    events = tuple(_with_related(event, after, plan) for event in events)
    incident_store.keep_board(connection, before, after, events)
    _describe(connection, plan, products, observations, standings, after, health)
    return Tended(after, events)


def _with_related(event: IncidentEvent, board: Board, plan: MeshPlan) -> IncidentEvent:
    """An opening tells which incidents above are open too: nothing proves that they are the cause, and somebody may want to look."""
    if event.kind not in ("opened", "reopened"):
        return event
    above = ancestors(event.incident.partition("#")[0], plan.upstream)
    names = [incident.name for incident in board.live if incident.cause in above]
    return replace(event, note=f"possibly related: {', '.join(names)}") if names else event


def _topics(plan: MeshPlan, names: Collection[str], registry: Registry) -> Topics:
    running = (product for product in plan.products if product.name in names)
    return {(product.name, check): topic for product in running for check, topic in topics(product, registry).items()}


def _up_to_date(
    board: Board, plan: MeshPlan, products: Iterable[ProductPlan], observations: Sequence[Observed], about: Topics, now: datetime
) -> Board:
    """The board with times that can be, with what is watched now, and with everything that was observed."""
    believed = replace(board, signals={check: set_right(signal, now) for check, signal in board.signals.items()})
    return _heard(watching(believed, _known(board, plan, products, observations)), observations, _rules(plan), about)


def _rules(plan: MeshPlan) -> dict[str, Rule]:
    return {product.name: product.rule for product in plan.products}


def _removed_tests(connection: Connection) -> dict[tuple[str, str], str]:
    """Tests that ran elsewhere and are there no more."""
    removed = imported_checks(connection, retired=True)
    return {(check.product, check_text(tuple(check.asset_key.split("/")), check.name)): TEST_REMOVED for check in removed}


def _symptoms(board: Board, about: Topics) -> Iterator[Symptom]:
    """Everything that fails in the mesh and is not accepted, with what it is about."""
    for key, signal in sorted(board.signals.items(), key=lambda signal: signal[0]):
        if signal.counts:
            yield Symptom(key[0], about.get(key, Topic()), signal.reason)


def _unexplained(board: Board, about: Topics, plan: MeshPlan, lineage: MeshLineage | None) -> Unexplained:
    known = {key: about.get(key, Topic()) for key in board.signals}
    alone = frozenset(
        key
        for key, topic in known.items()
        if not topic.late and topic.port is None and not holds_values_from_above(Symptom(key[0], topic), plan, lineage)
    )
    return Unexplained(alone, frozenset(key for key in alone if known[key].stops))


def _known(
    board: Board, plan: MeshPlan, products: Iterable[ProductPlan], observations: Iterable[Observed]
) -> Mapping[str, Collection[str]]:
    """What is watched of these products, and nothing of those that run no more: they are retired, or gone from the mesh."""
    there = plan.running_or_rejected
    known: dict[str, set[str]] = {product: set() for product, _ in board.signals if product not in there}
    known |= {product.name: watched_checks(product) for product in products if product.runs}
    for observation in observations:
        known[observation.product].add(observation.check)
    return known


def _heard(board: Board, observations: Iterable[Observed], rules: Mapping[str, Rule], about: Topics) -> Board:
    for check in sorted(observations, key=lambda check: check.at):
        stops = about.get((check.product, check.check), Topic()).stops
        board = with_reading(
            board, check.product, check.check, check.verdict, check.at, rules[check.product], check.reason, stops, check.failures
        )
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
    seen = {(observation.product, observation.check): observation.state for observation in observations}
    below = plan.downstream
    severities = {
        incident.name: incident_severity(plan, below, health[incident.cause], standings.get(incident.cause, ())) for incident in live
    }
    incident_store.set_severities(connection, severities)
    incident_store.set_titles(connection, {incident.name: _title(incident, board, seen) for incident in live})


def incident_severity(
    plan: MeshPlan, below: Mapping[str, tuple[str, ...]], health: ProductHealth, standings: Iterable[Standing]
) -> Severity:
    """The severity of an incident from the product's health, its dependents, its consumers, and its worst error budget."""
    products = {product.name: product for product in plan.products}
    behind = [products[name] for name in sorted(ancestors(health.product, below)) if name in products]
    own = products[health.product]
    consumers = sum(len(product.consumers) for product in (own, *behind))
    consumed = [standing.attainment.budget.consumed for standing in standings if standing.attainment.budget is not None]
    informs = health.status in ("use with care", "healthy")
    return severity(own.info.criticality, [p.info.criticality for p in behind], consumers, max(consumed, default=None), informs)


def _title(incident: Incident, board: Board, seen: Mapping[tuple[str, str], CheckState]) -> str:
    """What is most urgent, and of that what broke first, with its reason; and how many more there are."""
    failing = board.failing_checks(incident.cause) or incident.checks
    signals = {check: board.signals.get((incident.cause, check), Signal()) for check in failing}
    states = {check: seen[incident.cause, check] for check in failing if (incident.cause, check) in seen}
    since = {check: signal.failing_since or incident.began_at for check, signal in signals.items()}
    first, *others = most_urgent_first(since, states)
    reason = shortened(signals[first].reason, MOST_OF_A_REASON)
    text = f"{fault(first, states[first].title if first in states else first)}{f': {reason}' if reason else ''}"
    return text + (f"; and {len(others)} more" if others else "")


def shortened(text: str, most: int) -> str:
    """The text in one line of at most `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
