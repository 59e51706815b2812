"""Generate 20 days of made-up history for a sample mesh, marked as made up.

Each day is a copy of what really happened last, a little different: refreshes, versions, readings, pulls, reads, and a few incidents.
Of each certified product somebody asks for a role, and waits; those who read a product say what it is like to use.
What is random follows from the product's name, so that it is the same each time.
"""

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from platform_resources.capabilities.judgements import Verdict
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.made_up import (
    MADE_UP,
    RUN_PREFIX,
    MadeUpHistory,
    MadeUpIncident,
    MadeUpRead,
    MadeUpRequest,
    MadeUpReview,
    causes_with_incidents,
    first_real_moment,
    made_up_history,
    remove_made_up,
    write_made_up,
)
from platform_resources.ledger.queries import history
from platform_resources.ledger.records import CheckReading, InputState, PortPublication, Record, Run, Scorecard, check_id
from platform_resources.plan.conventions import check_text, job_name
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.publications.published_versions import version_id

DAYS = 20
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
READERS = ("ada", "ben", "chen", "dana", "emil", "fatou", "goran", "hana")
# Incidents end so long before the present that nothing which breaks now is taken for the same trouble again.
INCIDENT_DAYS = (17, 11, 6)
REVIEWS = (
    (5, "The columns are described well enough to begin without asking anybody."),
    (4, "It was there every morning that I looked. Read what is missed before you use it for a report."),
    (4, "The first query of its page was what I needed. I would like a longer history."),
    (3, "Right, but I had to look up in the code how late deliveries are counted."),
)
SEEN_AFTER, FIXED_AFTER = timedelta(minutes=35), timedelta(hours=5)


class RealHistory(Exception):
    """Raised if the mesh already has history of its own; says since when."""


class NothingRefreshed(Exception):
    """Raised if no product has published a version, so there is nothing to derive a past from."""


@dataclass(frozen=True, slots=True)
class _Present:
    """What really happened last in one product: its versions by port, inputs, scorecard, run, and the readings of its checks."""

    product: ProductPlan
    ports: tuple[PortPublication, ...]
    inputs: tuple[InputState, ...]
    scorecard: Scorecard | None
    run: Run | None
    readings: tuple[CheckReading, ...]


def make_up_history(ledger: Ledger, plan: MeshPlan, now: datetime, beside_real: bool = False) -> MadeUpHistory:
    """Replace the made-up history with a new one that ends where the real one begins. Sync the ledger first.

    Raises NothingRefreshed, and RealHistory where the real one begins before today (UTC), unless `beside_real`.
    """
    with ledger.projecting() as connection:
        begin = first_real_moment(connection)
        presents = _presents(connection, plan, now)
        if begin is None or not presents:
            raise NothingRefreshed("no product has published a version yet; `mesh refresh` makes them, and the past is made up from those")
        today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
        if begin < today and not beside_real:
            raise RealHistory(f"the mesh has real history since {begin:%Y-%m-%d %H:%M} UTC; what is made up would stand before it")
        remove_made_up(connection)
        records = [record for present in presents for record in _records(present, begin)]
        reads = [read for present in presents for read in _reads(present, begin, plan)]
        incidents = list(_incidents(presents, begin, causes_with_incidents(connection)))
        write_made_up(connection, records, reads, incidents, list(_requests(presents, begin)), list(_reviews(presents, begin)))
        made = made_up_history(connection)
    if made is None:
        raise NothingRefreshed("nothing could be made up")
    return made


def remove_history(ledger: Ledger) -> MadeUpHistory | None:
    """Delete the made-up history; returns what it was, or None if there was none."""
    with ledger.projecting() as connection:
        made = made_up_history(connection)
        remove_made_up(connection)
    return made


def _presents(connection: Connection, plan: MeshPlan, now: datetime) -> tuple[_Present, ...]:
    """Of every product that has really published a version; the others have no past."""
    names = [product.name for product in plan.products]
    ports, inputs = history.newest_publications(connection, now, names), history.newest_input_states(connection, now, names)
    runs, checks = history.last_ended_runs(connection, names, now), history.check_states(connection, now, names)
    return tuple(
        _Present(
            product,
            tuple(port for port in ports if port.product == product.name),
            tuple(input for input in inputs if input.product == product.name),
            next(reversed(history.scorecards(connection, product.name, now - 366 * DAY, now)), None),
            runs.get(product.name),
            tuple(state.reading for state in checks if state.check.product == product.name and state.reading is not None),
        )
        for product in plan.products
        if any(port.product == product.name for port in ports)
    )


def _records(present: _Present, begin: datetime) -> Iterator[Record]:
    name, bad_day, bad_check = present.product.name, *_bad_day(present)
    chance = random.Random(f"{name} refreshes")
    for day in range(DAYS, 0, -1):
        planned = begin - day * DAY + timedelta(minutes=chance.uniform(0, 9))
        run_id = f"{RUN_PREFIX}{name}-{day:02}"
        if day == bad_day - 2:
            yield _failed(present, run_id, planned)
        else:
            yield from _refresh(present, run_id, planned, day, bad_check if day == bad_day else None)
    yield from _between(present, begin)


def _bad_day(present: _Present) -> tuple[int, int | None]:
    """The day on which one promise was missed, and the check of the promise; only one that informs, and whose number can be missed."""
    chance = random.Random(f"{present.product.name} trouble")
    ours = {check_id(check.key, check.name) for check in present.product.checks if not check.blocking and not check.target}
    able = [reading.check_id for reading in present.readings if reading.check_id in ours and _missed_value(reading) is not None]
    return chance.choice(INCIDENT_DAYS), chance.choice(sorted(able)) if able else None


def _refresh(present: _Present, run_id: str, at: datetime, day: int, bad_check: int | None) -> Iterator[Record]:
    """One refresh that published: its run, pulls, readings, versions and scorecard."""
    product, version = present.product.name, version_id(at)
    chance = random.Random(run_id)
    seconds = timedelta(seconds=(present.run.seconds if present.run and present.run.seconds else 30) * chance.uniform(0.8, 1.3))
    yield Run(run_id, product, job_name(product), "succeeded", at - seconds, at, "", "", 0)
    for port in present.inputs:
        yield replace(port, at=at - seconds, run_id=run_id, changed=True, degraded="", rows=_fewer(port.rows, day), log_id=0)
    readings = [_reading(reading, at, run_id, chance, reading.check_id == bad_check) for reading in present.readings]
    yield from readings
    for version_of_port in present.ports:
        yield _version(version_of_port, version, at, run_id, day)
    if present.scorecard is not None:
        yield replace(present.scorecard, at=at, run_id=run_id, outcome=f"published version {version}", held_back="", log_id=0)


def _failed(present: _Present, run_id: str, at: datetime) -> Run:
    reason = f"{MADE_UP}: the source did not answer"
    return Run(run_id, present.product.name, job_name(present.product.name), "failed", at - timedelta(seconds=20), at, "pull", reason, 0)


def _version(port: PortPublication, version: str, at: datetime, run_id: str, day: int) -> PortPublication:
    """As old at its publication as the present one was at its own."""
    watermark = at - (port.published_at - port.watermark) if port.watermark is not None else None
    rows, size = _fewer(port.rows, day), _fewer(port.bytes, day)
    return replace(port, version=version, published_at=at, watermark=watermark, rows=rows, bytes=size, run_id=run_id, log_id=0)


def _fewer(count: int | None, day: int) -> int | None:
    """A little less for each day of the past."""
    return None if count is None else round(count * (1 - 0.002 * day))


def _between(present: _Present, begin: datetime) -> Iterator[CheckReading]:
    """What is measured between refreshes, as often as an indicator counts it."""
    for indicator in present.product.indicators:
        number = check_id(indicator.objective.key, indicator.objective.name)
        reading = next((reading for reading in present.readings if reading.check_id == number), None)
        if reading is None or indicator.spec.interval >= DAY:
            continue
        step, run_id = max(indicator.spec.interval, HOUR), f"{RUN_PREFIX}{present.product.name}-evaluation"
        chance = random.Random(f"{run_id} {number}")
        for place in range(1, int(DAYS * DAY / step)):
            yield _reading(reading, begin - place * step, run_id, chance, missed=False)


def _reading(present: CheckReading, at: datetime, run_id: str, chance: random.Random, missed: bool) -> CheckReading:
    """Near to the present one and of the same verdict, or a miss."""
    value, verdict = present.value, present.verdict
    if missed:
        value, verdict = _missed_value(present), "missed"
    elif value is not None:
        varied = value * chance.uniform(0.985, 1.0)
        varied = float(round(varied)) if value.is_integer() else varied
        value = varied if _verdict(present, varied) == verdict else value
    reason = f"{MADE_UP}: {present.reason}" if value == present.value else f"{MADE_UP}: {value:g}; {present.threshold}"
    shown = present.shown if value == present.value else ""
    return replace(present, at=at, run_id=run_id, value=value, verdict=verdict, reason=reason, shown=shown, log_id=0)


def _missed_value(reading: CheckReading) -> float | None:
    """A number that misses what was promised by little; None where none can."""
    if reading.at_least:
        return reading.at_least * 0.97
    return reading.at_most * 1.04 if reading.at_most else None


def _verdict(reading: CheckReading, value: float) -> Verdict:
    """Of a number that has no limits, what the present one has."""
    if reading.at_least is None and reading.at_most is None:
        return reading.verdict
    below = reading.at_least is not None and value < reading.at_least
    return "missed" if below or (reading.at_most is not None and value > reading.at_most) else "met"


def _reads(present: _Present, begin: datetime, plan: MeshPlan) -> Iterator[MadeUpRead]:
    """More of what much is made from or everyone reports; everybody reads some products only."""
    product = present.product
    chance = random.Random(f"{product.name} reads")
    below = sum(product.name in sources for sources in plan.upstream.values()) + len(product.consumers)
    daily = 1 + below + (2 if product.info.class_ == "metric" else 0) + (1 if product.info.certified else 0)
    readers = chance.sample(READERS, k=min(len(READERS), 2 + daily // 2))
    for day in range(DAYS, 0, -1):
        start = begin - day * DAY
        quiet = start.weekday() >= 5
        for _ in range(chance.randint(0, daily if not quiet else 1)):
            port = chance.choice(present.ports).port
            yield MadeUpRead(product.name, port, f"{chance.choice(readers)} ({MADE_UP})", start + DAY * chance.random())


def _incidents(presents: Sequence[_Present], begin: datetime, taken: Collection[str]) -> Iterator[MadeUpIncident]:
    """Of each product that never had one, for the promise that was missed; with a number before that of any real one."""
    for present in presents:
        day, number = _bad_day(present)
        checks = {check_id(check.key, check.name): check for check in present.product.checks}
        if present.product.name in taken or number is None:
            continue
        check, began = checks[number], begin - day * DAY + timedelta(minutes=10)
        yield MadeUpIncident(
            cause=present.product.name,
            number=1,
            began_at=began,
            opened_at=began + timedelta(minutes=5),
            acknowledged_at=began + SEEN_AFTER,
            resolved_at=began + FIXED_AFTER,
            check=check_text(check.key, check.name),
            severity="medium",
            title=check.title,
            person=f"{READERS[len(present.product.name) % len(READERS)]} ({MADE_UP})",
        )


def _requests(presents: Sequence[_Present], begin: datetime) -> Iterator[MadeUpRequest]:
    """Of each certified product, for the first role that its owners decide about."""
    for present in presents:
        product = present.product
        decided = (role for role in product.offers.roles or () if role.approval == "owner")
        role = next(decided, None) if product.info.certified else None
        if role is not None:
            person = random.Random(f"{product.name} request").choice(READERS)
            attributes = tuple((name, values[0]) for name, values in role.attributes)
            yield MadeUpRequest(product.name, role.role, attributes, person, "A first look at the data.", begin - 2 * HOUR)


def _reviews(presents: Sequence[_Present], begin: datetime) -> Iterator[MadeUpReview]:
    """Of each product one to three."""
    for present in presents:
        chance = random.Random(f"{present.product.name} reviews")
        many = chance.randint(1, 3)
        for person, (stars, said) in zip(chance.sample(READERS, many), chance.sample(REVIEWS, many), strict=True):
            yield MadeUpReview(present.product.name, person, stars, said, begin - DAYS * DAY * chance.random())
