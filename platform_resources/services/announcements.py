"""Collect the facts about a domain from ledger and plan, and write the resulting messages into the outbox."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from platform_resources.ledger.connections import Connection
from platform_resources.ledger.made_up import is_made_up_person
from platform_resources.ledger.people import incident_store, outbox
from platform_resources.ledger.people.certifications import newest_certificates, retirement
from platform_resources.ledger.people.grant_store import grants_of
from platform_resources.ledger.people.incident_store import StoredIncident
from platform_resources.ledger.people.review_store import expectations_of
from platform_resources.ledger.people.subscriptions import Subscription, subscriptions
from platform_resources.ledger.queries import history
from platform_resources.ledger.queries.standing import Standing
from platform_resources.ledger.records import PortPublication, check_id
from platform_resources.lineage.mesh_lineage import MeshLineage
from platform_resources.notify.access_notices import USUAL_NOTICE, GrantStanding, access_notices
from platform_resources.notify.due_messages import DueMessages, announcements
from platform_resources.notify.facts import (
    About,
    BudgetStanding,
    Day,
    LostCertificate,
    OpenLine,
    PortEnding,
    ProductLine,
    ResolvedLine,
    RetiredProduct,
    Subscriber,
    product_facts,
)
from platform_resources.notify.notice_wording import digest_words
from platform_resources.notify.notices import (
    budget_notices,
    certificate_notices,
    digest_notices,
    ending_notices,
    input_notices,
    retired_notices,
    schema_notices,
)
from platform_resources.notify.web_pages import NO_PAGES, WebPages
from platform_resources.notify.wording import Words
from platform_resources.plan.plan import MeshPlan, ProductPlan, RejectedProduct
from platform_resources.promises.attainment import ALERT_LEVELS
from platform_resources.promises.grades import ProductHealth
from platform_resources.services.incident_facts import incident_facts
from platform_resources.services.new_versions import retired_calls, version_messages
from platform_resources.services.refreshes.schema_changes import input_changes, published_changes
from platform_resources.services.releases.ending_ports import ending_ports
from platform_resources.services.releases.listeners import listeners
from platform_resources.services.watching import Observed
from platform_resources.spec.problems import errors

# How long a domain may go without an evaluation before something is not told any more.
REMEMBERED = timedelta(days=7)
A_DAY = timedelta(days=1)
# What is written about is never newer than the message, but for the clocks of two computers.
CLOCKS_DIFFER = timedelta(days=1)
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Round:
    """The results of evaluating a domain, from which messages are made. `plan` covers the whole mesh.

    `domains` are those that are evaluated, in which there may be no product: all of their descriptions may be broken. Of those in `digests`
    every product is here that runs.
    """

    plan: MeshPlan
    products: Sequence[ProductPlan]
    observations: Sequence[Observed]
    standings: Mapping[str, Sequence[Standing]]
    now: datetime
    pages: WebPages = NO_PAGES
    domains: Sequence[str] = ()
    digests: Sequence[str] = ()
    health: Mapping[str, ProductHealth] = field(default_factory=dict)
    lineage: MeshLineage | None = None

    @property
    def names(self) -> frozenset[str]:
        """The names of the evaluated products."""
        return frozenset(product.name for product in self.products)

    @property
    def rejected(self) -> tuple[RejectedProduct, ...]:
        """Products of these domains with broken descriptions: they are not evaluated, and their incidents stay as they are."""
        return tuple(product for product in self.plan.rejected if product.domain in self.domains)


def announce(connection: Connection, news: Round) -> int:
    """Queue messages that are due and withdraw outdated ones; returns the number of new ones. Call after `tend`."""
    newest = history.newest_publications(connection, news.now)
    abouts = _abouts(news, newest)
    wanted = _subscribers(subscriptions(connection))
    due = chain(
        _incidents(connection, news, abouts, wanted, {publication.product: publication for publication in newest}),
        _budgets(connection, news, abouts, wanted),
        _schemas(connection, news, abouts, wanted),
        _endings(connection, news, abouts, wanted),
        _retirements(connection, news, abouts),
        _certificates(connection, news, abouts, wanted),
        _digests(connection, news, abouts),
        _grants(connection, news, abouts),
        _versions(connection, news, abouts),
    )
    return sum(_kept(connection, messages, news.now) for messages in due)


def _abouts(news: Round, newest: Sequence[PortPublication]) -> dict[str, About]:
    """What messages say of each product; of one whose description is broken, what its domain says."""
    served = _served(newest)
    broken = {product.name: _about_rejected(product, news.plan) for product in news.rejected}
    return broken | {
        product.name: _about(product, served.get(product.name), news.health.get(product.name)) for product in news.plan.products
    }


def _kept(connection: Connection, due: DueMessages, now: datetime) -> int:
    for key, reason in due.withdraw.items():
        outbox.withdraw(connection, [key], now, reason)
    return outbox.queue(connection, due.queue, now)


def _served(publications: Iterable[PortPublication]) -> dict[str, datetime]:
    """As of when the version is that each product serves, which has passed its gates: its oldest port counts.

    One of which that is not known is told by its publication.
    """
    known_until: dict[str, datetime] = {}
    for publication in publications:
        as_of = publication.known_until or publication.published_at
        known_until[publication.product] = min(as_of, known_until.get(publication.product, as_of))
    return known_until


def _about(product: ProductPlan, good_as_of: datetime | None, health: ProductHealth | None) -> About:
    """A product that declares no time zone goes by the clock of its domain's digest."""
    about = product_facts(product, good_as_of, product.zone)
    return about if health is None else replace(about, status=health.status, because=health.reason)


def _about_rejected(rejected: RejectedProduct, plan: MeshPlan) -> About:
    """What its domain says of it."""
    routes = next((domain.routes for domain in plan.domains if domain.name == rejected.domain), ())
    owners = next((domain.owners for domain in plan.domains if domain.name == rejected.domain), ())
    return About(rejected.name, rejected.name, rejected.domain, owners=owners, routes=routes)


def _incidents(
    connection: Connection,
    news: Round,
    abouts: Mapping[str, About],
    wanted: Sequence[Subscriber],
    newest: Mapping[str, PortPublication],
) -> Iterator[DueMessages]:
    """Every live incident of these products, and those that ended lately, which may not have been told everywhere.

    Of a product whose description is broken its domain's channels hear: where its own are, nobody can say.
    What is retired, or gone from the mesh, has no domain any more that would tell of it: whoever looks does.
    """
    lately = incident_store.incidents_of(connection, since=news.now - REMEMBERED)
    others = news.plan.running_or_rejected - news.names - {product.name for product in news.rejected}
    own = [stored for stored in lately if stored.incident.cause not in others]
    here = next(iter(news.domains), "")
    known_or_gone = {stored.incident.cause: About(stored.incident.cause, stored.incident.cause, here) for stored in own} | {**abouts}
    for trouble in incident_facts(connection, news.plan, own, lately, news.observations, news.standings, known_or_gone, newest):
        names = [trouble.incident.name, *(incident.name for incident in trouble.moved_from)]
        known = {key: state for name in names for key, state in outbox.keys_told(connection, name).items()}
        yield announcements(trouble, wanted, known, news.now, news.pages)


def _budgets(connection: Connection, news: Round, abouts: Mapping[str, About], wanted: Sequence[Subscriber]) -> Iterator[DueMessages]:
    """A budget that never recovers is told once, however long ago: so all that was said of those at risk counts."""
    standings = _budget_standings(connection, news, abouts)
    known = outbox.keys_about(connection, "budget", news.standings)
    yield budget_notices(standings, wanted, known, news.now)


def _budget_standings(connection: Connection, news: Round, abouts: Mapping[str, About]) -> list[BudgetStanding]:
    standings = [(name, standing) for name, of_product in news.standings.items() for standing in of_product if standing.budget_alerts]
    return [standing for name, r in standings if (standing := _budget_standing(connection, abouts[name], r, news.now)) is not None]


def _budget_standing(connection: Connection, about: About, standing: Standing, now: datetime) -> BudgetStanding | None:
    spec, reached = standing.indicator.spec, standing.attainment
    if reached.budget is None or spec.target is None or reached.percent is None:
        return None
    return BudgetStanding(
        about=about,
        indicator=standing.indicator.check.name,
        title=standing.indicator.check.title,
        target=spec.target,
        percent=reached.percent,
        budget=reached.budget,
        window=spec.window,
        levels=standing.budget_alerts,
        interval=spec.interval if spec.method == "timeslices" else None,
        below_at=_below_at(connection, standing, spec.target, now),
    )


def _below_at(connection: Connection, standing: Standing, target: float, now: datetime) -> dict[int, datetime]:
    """When each level of the budget was last not reached: told by former evaluations, whose value is the attainment in percent."""
    check, window = standing.indicator.check, standing.indicator.spec.window
    if isinstance(window, str):  # in a month what is spent is spent, and its value so far does not tell which share that is
        began = standing.slices[0].start
        return dict.fromkeys(ALERT_LEVELS, began)
    readings = history.readings(connection, check_id(check.key, check.name), now - window, now)
    last_below: dict[int, datetime] = {}
    for reading in readings:
        if reading.value is not None:
            consumed = (100 - reading.value) / (100 - target) * 100 if target < 100 else (0.0 if reading.value == 100 else float("inf"))
            # Percentages lose their last digits on the way through a database: 74.9999999 is 75.
            last_below |= {level: reading.at for level in ALERT_LEVELS if consumed < level - ROUNDING}
    return last_below


def _schemas(connection: Connection, news: Round, abouts: Mapping[str, About], wanted: Sequence[Subscriber]) -> Iterator[DueMessages]:
    since = news.now - REMEMBERED
    known = outbox.keys_about(connection, "schema", news.names, since - CLOCKS_DIFFER)
    for change in published_changes(connection, news.plan, news.products, abouts, news.lineage, since, news.now):
        yield schema_notices(change, wanted, known, news.now)
    for pulled in input_changes(connection, news.products, abouts, since, news.now):
        yield input_notices(pulled, wanted, known, news.now)


def _endings(connection: Connection, news: Round, abouts: Mapping[str, About], wanted: Sequence[Subscriber]) -> Iterator[DueMessages]:
    endings = tuple(_port_endings(connection, news, abouts, news.products))
    # Of a port that is gone only what is recent can still wait.
    known = outbox.keys_about(connection, "schema", news.names, news.now - REMEMBERED - CLOCKS_DIFFER)
    if endings:
        known |= outbox.keys_about(connection, "schema", {ending.about.name for ending in endings})
    yield ending_notices(endings, wanted, known, news.now)


def _port_endings(
    connection: Connection, news: Round, abouts: Mapping[str, About], products: Collection[ProductPlan]
) -> Iterator[PortEnding]:
    lineage = news.lineage or MeshLineage(news.plan, {})
    for ending in ending_ports(connection, news.plan, lineage, products, news.now):
        readers = tuple(reader.name for reader in ending.readers)
        below = tuple(abouts[reader.name] for reader in ending.readers if reader.kind == "product" and reader.name in abouts)
        people = tuple(name for name in readers if "@" in name and not is_made_up_person(name))
        text = ending.text(news.now.date())
        yield PortEnding(abouts[ending.product], ending.port, text, ending.end_date, readers, below, people, ending.version)


def _subscribers(wishes: Iterable[Subscription]) -> tuple[Subscriber, ...]:
    return tuple(Subscriber(wish.product, wish.channel, wish.severity) for wish in wishes)


def _retirements(connection: Connection, news: Round, abouts: Mapping[str, About]) -> Iterator[DueMessages]:
    since = news.now - REMEMBERED
    for product in (p for p in news.plan.products if p.domain in news.domains and p.info.lifecycle == "retired"):
        signed = retirement(connection, product.name)
        if signed is not None and signed.since > since:
            below = tuple(abouts[name] for name in news.plan.downstream.get(product.name, ()) if name in abouts)
            replacement = product.info.replacement or ""
            retired = RetiredProduct(abouts[product.name], signed.since, signed.person, signed.why, replacement, below)
            known = outbox.keys_about(connection, "schema", [product.name], since - CLOCKS_DIFFER)
            heard = listeners(connection, product, as_of=signed.since)  # retiring may have ended them
            yield retired_notices(retired, _subscribers(heard.subscriptions), known, news.now)
            yield DueMessages(tuple(message for message in retired_calls(retired, heard.hooks, news.now) if message.key not in known))


def _certificates(connection: Connection, news: Round, abouts: Mapping[str, About], wanted: Sequence[Subscriber]) -> Iterator[DueMessages]:
    """Also of what does not run any more: that is why its certificate is lost."""
    names = {product.name for product in news.plan.products if product.domain in news.domains}
    gone = [
        LostCertificate(abouts[kept.product], kept.person, kept.since, kept.ended_at or kept.until, kept.ended_because)
        for kept in newest_certificates(connection).values()
        if kept.product in names and not kept.holds(news.now) and news.now - (kept.ended_at or kept.until) < REMEMBERED
    ]
    known = outbox.keys_about(connection, "certificate", names, news.now - REMEMBERED - CLOCKS_DIFFER)
    yield certificate_notices(gone, wanted, known, news.now)


def _digests(connection: Connection, news: Round, abouts: Mapping[str, About]) -> Iterator[DueMessages]:
    for name in news.digests:
        day = _day(connection, news, abouts, name)
        if day is not None:
            known = outbox.keys_about(connection, "digest", [""], news.now - 2 * A_DAY - CLOCKS_DIFFER)
            yield digest_notices(day, known, news.now)


def _versions(connection: Connection, news: Round, abouts: Mapping[str, About]) -> Iterator[DueMessages]:
    since = news.now - REMEMBERED
    changes = published_changes(connection, news.plan, news.products, abouts, news.lineage, since, news.now)
    by_version = {(change.about.name, change.version): change for change in changes}
    messages = version_messages(connection, news.products, by_version, news.pages.mesh, since, news.now)
    yield DueMessages(tuple(messages))


def _grants(connection: Connection, news: Round, abouts: Mapping[str, About]) -> Iterator[DueMessages]:
    """Also of what does not run any more: whoever had a role of it is told that it is gone."""
    offers = {product.name: product.offers for product in news.plan.products if product.domain in news.domains}
    asked = (grant for grant in grants_of(connection) if not is_made_up_person(grant.requested_by))
    grants = (*(grant for offer in offers.values() for grant in offer.grants), *asked)
    standings = []
    for grant in grants:
        if grant.product in offers:
            role = offers[grant.product].role(grant.role)
            notice = role.notice if role is not None and role.notice is not None else USUAL_NOTICE
            standings.append(GrantStanding(grant, abouts[grant.product], notice))
    known, since = outbox.keys_about(connection, "access", list(offers)), news.now - REMEMBERED
    yield access_notices(standings, abouts, known, news.now, since, expectations_of(connection, list(offers)))


def next_digest(connection: Connection, news: Round, domain: str) -> tuple[Day, Words] | None:
    """The domain's next digest as it would be now; None if the domain has no digest. Writes nothing."""
    day = _day(connection, news, _abouts(news, history.newest_publications(connection, news.now)), domain)
    if day is None:
        return None
    return day, digest_words(day, news.now.astimezone(ZoneInfo(day.digest.timezone)).date(), news.now)


def _day(connection: Connection, news: Round, abouts: Mapping[str, About], name: str) -> Day | None:
    """The domain's last day; None where it wants no digest."""
    plan = next((domain for domain in news.plan.domains if domain.name == name), None)
    if plan is None or plan.digest is None:
        return None
    own = [product for product in news.products if product.domain == name]
    lately = incident_store.incidents_of(connection, since=news.now - A_DAY)
    names = {product.name for product in own} | {product.name for product in news.rejected if product.domain == name}
    here = [stored for stored in lately if stored.incident.cause in names]
    return Day(
        domain=name,
        title=plan.title,
        digest=plan.digest,
        products=(
            *(_line(news.health[product.name]) for product in own),
            *(_rejected_line(product) for product in news.rejected if product.domain == name),
        ),
        open=tuple(OpenLine(abouts[s.incident.cause].title, s.incident, s.severity) for s in here if s.incident.live),
        resolved=tuple(line for stored in here if (line := _resolved(stored, abouts)) is not None),
        budgets=tuple(standing for standing in _budget_standings(connection, news, abouts) if standing.about.domain == name),
        schemas=tuple(published_changes(connection, news.plan, own, abouts, None, news.now - A_DAY, news.now)),
        inputs=tuple(input_changes(connection, own, abouts, news.now - A_DAY, news.now)),
        endings=tuple(_port_endings(connection, news, abouts, own)),
        page=news.pages.domain(name),
    )


def _line(health: ProductHealth) -> ProductLine:
    """The same as `mesh status` says."""
    return ProductLine(health.title, health.status, health.reason, health.product)


def _rejected_line(rejected: RejectedProduct) -> ProductLine:
    """The first error says enough to go and look; `mesh validate` shows all."""
    first = next(iter(errors(rejected.problems)), None)
    problem = f": {first.file}:{first.line} {first.message}" if first is not None else ""
    return ProductLine(rejected.name, "unknown", f"its description is broken, so it is neither refreshed nor judged{problem}")


def _resolved(stored: StoredIncident, abouts: Mapping[str, About]) -> ResolvedLine | None:
    incident = stored.incident
    if incident.resolved_at is None or incident.resolution is None or incident.resolution == "moved":
        return None
    return ResolvedLine(abouts[incident.cause].title, incident.name, incident.resolution, incident.resolved_at - incident.began_at)
