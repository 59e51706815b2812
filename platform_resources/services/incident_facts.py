"""Collect the facts of each incident that its messages need."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from platform_resources.capabilities.registry import traits_of
from platform_resources.incidents.board import Board
from platform_resources.incidents.life_cycle import PLATFORM, Incident, IncidentEvent
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.people import incident_store
from platform_resources.ledger.people.incident_store import StoredIncident
from platform_resources.ledger.queries.candidates import is_of_candidate
from platform_resources.ledger.queries.standing import Standing
from platform_resources.ledger.records import CheckReading, PortPublication
from platform_resources.notify.facts import About, Failure, Impact, NewFault, Trouble
from platform_resources.plan.conventions import check_text
from platform_resources.plan.graph import ancestors
from platform_resources.plan.plan import MeshPlan
from platform_resources.promises.grades import most_urgent_first
from platform_resources.services.watching import Observed


@dataclass(frozen=True, slots=True)
class _Known:
    """What all incidents of a round share."""

    plan: MeshPlan
    board: Board
    below: Mapping[str, tuple[str, ...]]
    lately: Sequence[StoredIncident]
    observed: Mapping[tuple[str, str], Observed]
    standings: Mapping[str, Sequence[Standing]]
    abouts: Mapping[str, About]
    served: Mapping[str, PortPublication]
    gates: frozenset[tuple[str, str]]


def incident_facts(
    connection: Connection,
    plan: MeshPlan,
    own: Iterable[StoredIncident],
    lately: Sequence[StoredIncident],
    observations: Iterable[Observed],
    standings: Mapping[str, Sequence[Standing]],
    abouts: Mapping[str, About],
    served: Mapping[str, PortPublication],
) -> Iterator[Trouble]:
    """The facts of the incidents `own`; `lately` are all recent ones of the mesh, some of which may have moved to them.

    `served` has a publication of the newest version of each product.
    """
    observed = {(observation.product, observation.check): observation for observation in observations}
    board, below = incident_store.board(connection), plan.downstream
    known = _Known(plan, board, below, lately, observed, standings, abouts, served, frozenset(_gates(plan)))
    for stored in own:
        yield _trouble(connection, stored, incident_store.events_of(connection, stored.incident.name), known)


def _gates(plan: MeshPlan) -> Iterator[tuple[str, str]]:
    """The checks that stop a publication, by product."""
    for product in plan.products:
        yield from ((product.name, check_text(check.key, check.name)) for check in product.checks if check.blocking)


def _trouble(connection: Connection, stored: StoredIncident, events: Sequence[IncidentEvent], known: _Known) -> Trouble:
    incident = stored.incident
    again = next((event for event in reversed(events) if event.kind == "reopened"), None)
    reopened = again.at if again is not None else None
    begin = reopened or incident.opened_at
    failures = tuple(_failures(connection, incident, known))
    return Trouble(
        incident=incident,
        severity=stored.severity,
        root=_about(incident.cause, known),
        because=_because(incident.cause, known),
        impacts=tuple(_impacts(incident, events, begin, known)),
        failures=failures,
        reopened_at=reopened,
        moved_from=tuple(_moved_here(incident, begin, known.lately)),
        ending=next((_added(event, incident) for event in reversed(events) if event.kind == "resolved"), ""),
        new_faults=tuple(_new_faults(failures, events, begin)),
        related=tuple(
            (other.incident.name, _about(other.incident.cause, known).title) for other in related(incident, known.lately, known.plan)
        ),
        reopened_by=again.by if again is not None and again.by != PLATFORM else "",
        recovering=incident.live and not failures,
    )


def _new_faults(failures: Sequence[Failure], events: Iterable[IncidentEvent], begin: datetime) -> Iterator[NewFault]:
    """A refresh that failed already when it was noticed last has more to it now than it had then."""
    failing = {failure.check: failure for failure in failures if not any(_follows(failure, other) for other in failures)}
    before = dict.fromkeys(failing, begin)
    for event in events:
        if event.kind == "noticed" and event.at > begin and event.note in failing:
            failure = failing[event.note]
            yield NewFault(failure, event.at, differs=failure.kind == "refresh" and failure.since <= before[event.note])
            before[event.note] = event.at


def _stands_alone(failure: Failure) -> bool:
    return failure.gate or failure.kind == "refresh"


def _follows(failure: Failure, other: Failure) -> bool:
    """Whether it has no cause of its own beside the other one of the product, which failed no later.

    What keeps the product from being refreshed makes it late, one input fails in several ways, and an indicator counts what its objective
    says. Wrong data explain nothing: which of them are of one cause, nobody can tell.
    """
    if _stands_alone(failure) or (other.since, not _stands_alone(other), other.check) >= (failure.since, True, failure.check):
        return False
    if failure.kind == "input":
        return other.kind == "input" and other.check.partition(":")[0] == failure.check.partition(":")[0]
    if failure.kind == "indicator" and other.kind == "objective" and other.dimension == failure.dimension:
        return True
    late = traits_of(failure.dimension).failure == "lateness"
    return late and (other.kind in ("input", "refresh", "versions") or other.gate or traits_of(other.dimension).failure != "content")


def related(incident: Incident, known: Iterable[StoredIncident], plan: MeshPlan) -> tuple[StoredIncident, ...]:
    """Open incidents of upstream products that do not explain this one."""
    above = ancestors(incident.cause, plan.upstream)
    return tuple(stored for stored in known if stored.incident.live and stored.incident.cause in above) if incident.live else ()


def _added(ending: IncidentEvent, incident: Incident) -> str:
    """What a person said beside how it ended: `fixed: a new disk` adds `a new disk`; what the platform notes adds nothing."""
    return "" if ending.by == PLATFORM else ending.note.removeprefix(incident.resolution or "").removeprefix(": ")


def _about(product: str, known: _Known) -> About:
    """One that has left the mesh has only its name."""
    return known.abouts.get(product) or About(product, product, "")


def _because(cause: str, known: _Known) -> str:
    """What the severity follows from."""
    products = {product.name: product for product in known.plan.products}
    if cause not in products:
        return ""
    behind = [products[name] for name in sorted(ancestors(cause, known.below)) if name in products]
    consumers = sum(len(product.consumers) for product in (products[cause], *behind))
    spent = any(
        standing.attainment.budget is not None and standing.attainment.budget.consumed >= 1 for standing in known.standings.get(cause, ())
    )
    reasons = [
        f"its criticality is {products[cause].info.criticality}",
        f"{_count(len(behind), 'product')} and {_count(consumers, 'known consumer')} depend on it",
        "an error budget is spent" if spent else "",
    ]
    return ", ".join(filter(None, reasons))


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _impacts(incident: Incident, events: Iterable[IncidentEvent], begin: datetime, known: _Known) -> Iterator[Impact]:
    since = {event.note: event.at for event in events if event.kind == "attached"}
    failing, own = known.board.failing, {incident.cause: incident.opened_at for incident in known.board.live}
    for product in incident.impacted:
        about = _about(product, known)
        still = product in failing and incident.live and about.status != "healthy"
        until = own.get(product, None if still else incident.resolved_at or incident.changed_at)
        via = tuple(_about(name, known).title for name in _between(incident.cause, product, known.below))
        yield Impact(about, max(since.get(product, begin), begin), until, via)


def _between(root: str, product: str, below: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The products on a shortest way from the root to the product, both left out."""
    ways: list[tuple[str, ...]] = [(root,)]
    seen = {root}
    for way in ways:
        for reader in below.get(way[-1], ()):
            if reader == product:
                return way[1:]
            if reader not in seen:
                seen.add(reader)
                ways.append((*way, reader))
    return ()


def _failures(connection: Connection, incident: Incident, known: _Known) -> Iterator[Failure]:
    """What fails of the root now, or failed when the incident was over; the most urgent first, and of that the oldest."""
    failing = _failing_now(incident, known) if incident.live else incident.checks
    signals = known.board.signals
    states = {check: known.observed[incident.cause, check].state for check in failing if (incident.cause, check) in known.observed}
    for check in most_urgent_first({check: _since(incident, check, known) for check in failing}, states):
        seen = known.observed.get((incident.cause, check))
        signal = signals.get((incident.cause, check))
        reading = seen.reading if seen is not None else None
        yield Failure(
            check=check,
            title=seen.title if seen is not None else check,
            since=_since(incident, check, known),
            dimension=seen.dimension if seen is not None else "",
            reason=signal.reason if signal is not None else "",
            value=(reading.shown or ("" if reading.value is None else f"{reading.value:g}")) if reading is not None else "",
            threshold=reading.threshold if reading is not None else "",
            failing_rows=reading.failing_rows if reading is not None else None,
            run_id=reading.run_id if reading is not None else "",
            held_back=reading is not None and _is_held_back(connection, incident.cause, check, reading, known),
            gate=(incident.cause, check) in known.gates,
            shown=incident.live and seen is not None and seen.verdict == "missed",
        )


def _failing_now(incident: Incident, known: _Known) -> list[str]:
    """A check that is well needs perhaps more good readings until its failure is over; but nobody is told that it fails."""
    well = {check for (product, check), seen in known.observed.items() if product == incident.cause and seen.verdict == "met"}
    return [check for check in known.board.failing_checks(incident.cause) if check not in well]


def _is_held_back(connection: Connection, product: str, check: str, reading: CheckReading, known: _Known) -> bool:
    """Only what is measured on a version can have been held back with it: no input, and nothing that is judged between refreshes."""
    of_a_version = not check.startswith(("inputs/", "scorecard:"))
    return of_a_version and is_of_candidate(connection, reading, known.served.get(product))


def _since(incident: Incident, check: str, known: _Known) -> datetime:
    signal = known.board.signals.get((incident.cause, check))
    return signal.failing_since if signal is not None and signal.failing_since is not None else incident.began_at


def _moved_here(incident: Incident, begin: datetime, lately: Iterable[StoredIncident]) -> Iterator[Incident]:
    """The incidents that have moved to this one since it began, directly or over others."""
    moved = [
        stored.incident for stored in lately if stored.incident.resolution == "moved" and (stored.incident.resolved_at or begin) >= begin
    ]
    here, by_name = {incident.cause}, dict[str, Incident]()
    for _ in moved:
        new = [incident for incident in moved if here & set(incident.moved_to) and incident.name not in by_name]
        by_name |= {incident.name: incident for incident in new}
        here |= {incident.cause for incident in new}
    yield from by_name.values()
