"""Which schedules and sensors refresh products: one schedule for each product with a cron, one sensor per domain for products
that are refreshed when an input has a new version."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.orchestration.events.results import VERSION_TAG
from platform_resources.orchestration.guarding import shielded
from platform_resources.plan import conventions
from platform_resources.plan.conventions import Key
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.version_records import Publication
from platform_resources.services.refreshes.retired_products import refusal

EVERY_SECONDS = 30
NOTHING_NEW = "no input has a new version"
NOT_OVER = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)
# Of an asset's latest materialisation, or of the observation of a later version. Dagster numbers the events of all assets in one sequence.
EventId = int


def schedules(product: ProductPlan, job: dg.JobDefinition, state: Path) -> Iterator[dg.ScheduleDefinition]:
    """A running schedule for a product that is refreshed by the clock, in its own time zone."""

    def tick(_: dg.ScheduleEvaluationContext) -> dg.SkipReason | dg.RunRequest:
        retired = refusal(state, product)
        return dg.SkipReason(retired) if retired else dg.RunRequest()

    if product.refresh is not None and product.refresh.cron is not None:
        yield dg.ScheduleDefinition(
            name=f"refresh_{product.name}_by_the_clock",
            job=job,
            cron_schedule=product.refresh.cron,
            execution_fn=tick,
            execution_timezone=product.refresh.timezone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description=f"Refreshes {product.title}: {product.refresh.cron} ({product.refresh.timezone}).",
        )


@dataclass(frozen=True, slots=True)
class Follower:
    """A product that is refreshed on its inputs, and the upstream output port behind each of its input ports."""

    product: str
    upstream: tuple[tuple[Key, Key], ...]

    @property
    def keys(self) -> Iterator[Key]:
        for port, behind in self.upstream:
            yield from (port, behind)


@dataclass(frozen=True, slots=True)
class Seen:
    """What Dagster knows of the followers' ports: of each that has one the latest event and which version it was, as far as it said so;
    and the products whose refresh is not over."""

    events: Mapping[Key, EventId]
    running: frozenset[str]
    versions: Mapping[Key, str] = field(default_factory=dict)

    def is_behind(self, port: Key, upstream: Key) -> bool:
        """A pull that took a version while the next one was published is noted after that, with the version that it took."""
        earlier = self.events.get(port, 0) < self.events.get(upstream, 0)
        return earlier or self.versions.get(port) != self.versions.get(upstream)


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one follower: `handled` is the latest event that needs no refresh any more."""

    handled: EventId
    due: bool = False
    waits_for: str = ""


def follower(product: ProductPlan) -> Follower | None:
    """None for a product that is refreshed by the clock, by hand or not at all, or that reads no other product."""
    if product.refresh is None or product.refresh.on is None or not product.runs:
        return None
    upstream = tuple((port.key, key) for port in product.inputs if port.upstream for key in port.dependencies)
    return Follower(product.name, upstream) if upstream else None


def decision(follower: Follower, seen: Seen, handled: EventId | None) -> Decision:
    """Due when an upstream port was published after `handled` and is not what was last pulled, all of them exist, and nothing is under way.

    What was there at first sight is no news: `handled` is None then. A refresh that failed is not repeated before there is something new.
    """
    published = {behind: seen.events[behind] for _, behind in follower.upstream if behind in seen.events}
    newest = max(published.values(), default=0)
    if handled is None:
        return Decision(newest)
    if not any(published.get(upstream, 0) > handled and seen.is_behind(port, upstream) for port, upstream in follower.upstream):
        return Decision(handled)
    waits_for = "; ".join(_reasons_to_wait(follower, seen))
    return Decision(handled, waits_for=waits_for) if waits_for else Decision(newest, due=True)


def _reasons_to_wait(follower: Follower, seen: Seen) -> Iterator[str]:
    behind = dict.fromkeys(key for _, key in follower.upstream)
    yield from (f"{'/'.join(key)} is not published yet" for key in behind if key not in seen.events)
    involved = dict.fromkeys((*(key[0] for key in behind), follower.product))
    yield from (f"{product} is being refreshed" for product in involved if product in seen.running)


def following_sensor(
    domain: str, products: Sequence[ProductPlan], jobs: Mapping[str, dg.JobDefinition], state: Path
) -> dg.SensorDefinition | None:
    """Starts the job of each product of the domain that is due, of `jobs` by name; None where no product is refreshed on its inputs.

    Dagster's own automation sensors put everything that is due at once into one run, so that there had to be one for each product;
    and each of those is resolved against every check of the location.
    """
    followers = [followed for product in products if (followed := follower(product)) is not None]
    if not followers:
        return None

    @dg.sensor(
        name=conventions.following_name(domain),
        jobs=[jobs[conventions.job_name(followed.product)] for followed in followers],
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Refreshes each product of the domain {domain} that is refreshed on its inputs, when one of them has a new version.",
    )
    @shielded
    def _follow(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        handled = json.loads(context.cursor or "{}")
        seen = seen_by(context.instance, followers)
        decisions = {followed.product: decision(followed, seen, handled.get(followed.product)) for followed in followers}
        for product in (product for product in products if product.name in decisions and decisions[product.name].due):
            if retired := refusal(state, product):
                decisions[product.name] = Decision(handled[product.name], waits_for=retired)
        return _result(decisions, handled)

    return _follow


def _result(decisions: Mapping[str, Decision], handled: Mapping[str, EventId]) -> dg.SensorResult:
    """What was handled of a product that is not there now is kept: what is published while its description is broken is news afterwards."""
    cursor = json.dumps({**handled, **{product: decided.handled for product, decided in decisions.items()}})
    due = [_request(product, decided) for product, decided in decisions.items() if decided.due]
    waiting = [f"{product} waits: {decided.waits_for}" for product, decided in decisions.items() if decided.waits_for]
    if due:
        return dg.SensorResult(due, cursor=cursor)
    return dg.SensorResult(skip_reason="\n".join(waiting) or NOTHING_NEW, cursor=cursor)


def _request(product: str, decided: Decision) -> dg.RunRequest:
    """Its key keeps a daemon that ended before it noted the cursor from starting the run again."""
    return dg.RunRequest(run_key=f"{product} after event {decided.handled}", job_name=conventions.job_name(product))


def seen_by(instance: dg.DagsterInstance, followers: Sequence[Follower]) -> Seen:
    """Two questions to Dagster's storage, however many followers there are, and one for each port that they follow."""
    keys = list(dict.fromkeys(asset_key(key) for follower in followers for key in follower.keys))
    entries = [record.asset_entry for record in instance.get_asset_records(keys)]
    made = {entry.asset_key: entry.last_materialization_record for entry in entries}
    observed = {
        key: _observed(instance, key) for key in dict.fromkeys(asset_key(key) for followed in followers for _, key in followed.upstream)
    }
    latest: dict[Key, dg.EventLogRecord] = {}
    for key in keys:
        records = [record for record in (made.get(key), observed.get(key)) if record is not None]
        if records:
            latest[tuple(key.path)] = max(records, key=lambda record: record.storage_id)
    versions = {key: version for key, record in latest.items() if (version := _version(record.event_log_entry))}
    return Seen({key: record.storage_id for key, record in latest.items()}, running_now(instance), versions)


def is_told(instance: dg.DagsterInstance, publication: Publication, product: ProductPlan) -> bool:
    """Whether Dagster's history has the version as the newest one of each port."""
    keys = [output.key for output in product.outputs]
    versions = seen_by(instance, [Follower(product.name, tuple((key, key) for key in keys))]).versions
    return all(versions.get(key) == publication.id for key in keys)


def _observed(instance: dg.DagsterInstance, key: dg.AssetKey) -> dg.EventLogRecord | None:
    """The latest version of an output port that was published without newer data; what else was observed of the port is none."""
    records = instance.fetch_observations(key, limit=1).records
    return next((record for record in records if _version(record.event_log_entry)), None)


def _version(entry: dg.EventLogEntry) -> str:
    """That of a pull is the version that it took, that of a publication the one that it made; empty where nothing was said."""
    reported = entry.asset_materialization or entry.asset_observation
    return (reported.tags or {}).get(VERSION_TAG, "") if reported is not None else ""


def running_now(instance: dg.DagsterInstance) -> frozenset[str]:
    """The products whose refresh is not over: by the tag of a product's own job, and by the assets of a run put together by hand."""
    products: set[str] = set()
    for run in instance.get_runs(dg.RunsFilter(statuses=list(NOT_OVER))):
        products |= {key.path[0] for key in run.asset_selection or ()} | ({run.tags["product"]} if "product" in run.tags else set())
    return frozenset(products)
