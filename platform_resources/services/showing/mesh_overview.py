"""The data behind all pages: one snapshot of the mesh, read once and shared by requests until something changes."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from platform_resources.access.grants import KnownGrants
from platform_resources.access.reader_standing import Reader
from platform_resources.capabilities.registry import traits_of
from platform_resources.ledger.changes import newest_change
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.made_up import MadeUpHistory, made_up_history
from platform_resources.ledger.marks import read_until
from platform_resources.ledger.people import incident_store
from platform_resources.ledger.people.certifications import certified_since
from platform_resources.ledger.people.consumer_answers import ConsumerAnswer, consumer_answers
from platform_resources.ledger.people.grant_store import grants_of, newest_decision
from platform_resources.ledger.people.incident_store import StoredIncident
from platform_resources.ledger.people.score_store import PastScore, newest_letters
from platform_resources.ledger.queries.evidence import Memory
from platform_resources.ledger.queries.standing import Standing
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.promises.grades import CheckState, ProductHealth
from platform_resources.services.access.reader_views import ReaderView
from platform_resources.services.catalog.similar_products import Likenesses
from platform_resources.services.catalog.use_of_products import MeshUse, mesh_use
from platform_resources.services.product_status import Known, known, trust
from platform_resources.services.trust import Trust
from platform_resources.services.unread_history import LedgerAge, ledger_age

LATELY = timedelta(days=90)
LedgerMark = tuple[Iterable[tuple[str, int]], int, int, int]


@dataclass(frozen=True, slots=True)
class MeshOverview:
    """A snapshot of the mesh at `at`. `incidents` are open ones and those of the last 90 days, newest first.

    `mark` differs as soon as anything was written into the ledger that it shows.

    `answers` are those of known consumers that were asked, by product and consumer; `certified` says since when products are known to be.

    `letters` are the newest score of each product that was scored, and still runs.

    `changed` has of each product since when nothing has changed of it, neither by what was written nor by the clock; ages do not count.

    `same` is equal, in any process, for snapshots of the same texts, grants, warnings and made-up history.

    `reader` is who it is shown to, None for the user of this computer; `grants` are those that the ledger has, which count as of
    `granted_at` where it says one.

    `charted` are the indicators as charts show them: with the history that is `made_up`, if any is. Nothing is judged by them.
    """

    plan: MeshPlan
    at: datetime
    known: Known
    trust: Mapping[str, Trust]
    incidents: tuple[StoredIncident, ...]
    use: MeshUse
    age: LedgerAge
    charted: Mapping[str, tuple[Standing, ...]]
    made_up: MadeUpHistory | None
    likenesses: Likenesses
    mark: LedgerMark
    answers: Mapping[tuple[str, str], ConsumerAnswer]
    certified: Mapping[str, datetime]
    grants: KnownGrants
    letters: Mapping[str, PastScore]
    changed: Mapping[str, datetime]
    same: str
    reader: Reader | None = None
    granted_at: datetime | None = None

    @property
    def reading(self) -> ReaderView:
        """What the reader sees of each product, as of this moment."""
        return ReaderView(self.plan, self.grants, self.granted_at or self.at, self.reader, health=self.health)

    def sees_all(self, product: str) -> bool:
        """Whether the reader sees the whole product; a product with a broken description only this computer's user sees."""
        plan = self.plan.by_name.get(product)
        return self.reader is None or (plan is not None and self.reading.standing(plan).sees == "all")

    def named_reader(self, product: str) -> str:
        """The reader's name if they see the product only in part; otherwise empty."""
        return "" if self.reader is None or self.sees_all(product) else self.reader.name

    @property
    def health(self) -> Mapping[str, ProductHealth]:
        """The health of each product by name."""
        return self.known.health

    def healthy_of(self, domain: str) -> tuple[int, int]:
        """How many of a domain's products are healthy, of how many; one that is retired counts nowhere."""
        states = [self.health[product.name].status for product in self.plan.products if product.domain == domain]
        return states.count("healthy"), len(states) - states.count("retired")

    @property
    def live(self) -> tuple[StoredIncident, ...]:
        """Open incidents."""
        return tuple(stored for stored in self.incidents if stored.incident.live)

    @property
    def real_incidents(self) -> tuple[StoredIncident, ...]:
        """Incidents that statistics count: all that are not made up."""
        return tuple(stored for stored in self.incidents if not self.is_made_up(stored))

    def is_made_up(self, stored: StoredIncident) -> bool:
        """Whether an incident is part of a made-up history."""
        return self.made_up is not None and stored.incident.name in self.made_up.incidents

    def incidents_of(self, product: str) -> tuple[StoredIncident, ...]:
        """Incidents of the product, and those of other products that affect it."""
        return tuple(stored for stored in self.incidents if product in (stored.incident.cause, *stored.incident.impacted))


@dataclass(slots=True)
class Memories:
    """What one server caches between snapshots: evaluations, and series for charts."""

    real: Memory = field(default_factory=Memory)
    charted: Memory = field(default_factory=lambda: Memory(made_up=True))
    likenesses: Likenesses | None = None
    facts: dict[str, tuple[tuple[Any, ...], datetime]] = field(default_factory=dict)

    @property
    def plans(self) -> Mapping[str, ProductPlan]:
        """The plan of each product when it was last read."""
        return {name: kept.plan for name, kept in self.real.kept.items()}

    def changed(self, view: "MeshOverview") -> Mapping[str, datetime]:
        """For each product, the time of the first snapshot that shows it as this one does."""
        for product in view.plan.products:
            facts, known = _facts(view, product), self.facts.get(product.name)
            if known is None or known[0] != facts:
                self.facts[product.name] = (facts, view.at)
        return {product.name: self.facts[product.name][1] for product in view.plan.products}

    def likenesses_of(self, plan: MeshPlan) -> Likenesses:
        """The similar products of a plan, computed once per plan."""
        if self.likenesses is None or self.likenesses.plan is not plan:
            self.likenesses = Likenesses(plan)
        return self.likenesses


def mesh_overview(
    ledger: Ledger, state: Path, home: Path, plan: MeshPlan, now: datetime, memories: Memories | None = None, stamp: str = ""
) -> MeshOverview:
    """Read a snapshot, changing nothing. `home` is Dagster's home folder, whose unread events `age` reports, `stamp` that of the texts."""
    memories = memories or Memories()
    with ledger.reading() as connection:
        mark = ledger_mark(connection)
        age = ledger_age(connection, home)
        facts, made_up = known(connection, state, plan.products, now, memory=memories.real), made_up_history(connection)
        charted = facts.standings
        if made_up is not None:
            memories.charted.look(connection, plan.products, now)
            charted = {product.name: memories.charted.standings(product.name) for product in plan.products}
        view = MeshOverview(
            plan,
            now,
            facts,
            trust(connection, plan, plan.products, facts, now),
            incident_store.incidents_of(connection, since=now - LATELY),
            mesh_use(connection, plan, now, facts.evidence),
            age,
            charted,
            made_up,
            memories.likenesses_of(plan),
            mark,
            consumer_answers(connection),
            certified_since(connection),
            KnownGrants(grants_of(connection)),
            {name: letter for name, letter in newest_letters(connection).items() if name in plan.by_name and plan.by_name[name].runs},
            {},
            _same((stamp, mark[-1], age.lacks, made_up and (made_up.since, made_up.until, made_up.products, sorted(made_up.incidents)))),
        )
    return replace(view, changed=memories.changed(view))


def _same(parts: tuple[Any, ...]) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()


def _facts(view: MeshOverview, product: ProductPlan) -> tuple[Any, ...]:
    """Everything that is shown of a product and is no age."""
    name = product.name
    health, trusted = view.health[name], view.trust[name]
    # When they were judged is left out: what is judged by the clock is so at each moment, and a new reading is new evidence.
    said = tuple((check.name, check.verdict, "" if _shows_an_age(check) else check.shown) for check in health.checks)
    of_now = (health.status, health.published, said, health.outcome, health.problem, health.columns, health.held_back)
    of_trust = (trusted.coverage, trusted.response, trusted.incidents, trusted.forecast, trusted.reads, trusted.accepted)
    answers = tuple(view.answers.get((name, consumer.name)) for consumer in product.consumers)
    used = (view.use.uses[name], view.use.scores[name], view.certified.get(name), view.letters.get(name), answers)
    # What is judged is the same object as long as nothing has changed of it.
    judged = (_Same(view.known.evidence[name]), *map(_Same, view.known.standings[name]), *map(_Same, view.charted[name]))
    return _Same(product), of_now, of_trust, used, judged


def _shows_an_age(check: CheckState) -> bool:
    """Which is another one at each moment, though nothing has changed."""
    return "age" in traits_of(check.dimension).vouches_for


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """Equal to itself alone."""

    what: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.what is other.what

    def __hash__(self) -> int:
        return id(self.what)


def ledger_mark(connection: Connection) -> LedgerMark:
    """A mark that changes with every new event, incident action or grant decision in the ledger."""
    newest = (incident_store.newest_event(connection), newest_change(connection), newest_decision(connection))
    return tuple(sorted(read_until(connection).items())), *newest
