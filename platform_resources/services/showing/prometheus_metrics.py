"""Export the mesh as Prometheus metrics: product health, error budgets, open incidents, waiting messages.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/. Names begin with `mesh_`; times are in seconds since 1970, and
shares between 0 and 1. What is not known has no sample. Made-up history counts for nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from platform_resources.ledger.people.outbox import OutboxEntry
from platform_resources.ledger.queries.evidence import Evidence
from platform_resources.promises.grades import published_text
from platform_resources.services.product_status import failed_run
from platform_resources.services.showing.mesh_overview import MeshOverview

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PRODUCT = ("domain", "product")
# Messages that are done are counted for as long as this.
OUTBOX_OVER = timedelta(days=7)


def metrics_text(overview: MeshOverview, messages: Iterable[OutboxEntry] | None) -> str:
    """All metrics of a mesh; `messages` are the outbox messages to count, None where nobody knows them now."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected((*_products(overview), *_indicators(overview), *_incidents(overview), *_platform(overview, messages))))
    return str(generate_latest(registry), "utf-8")


class _Collected:
    """Metrics that are known already, as a collector."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self.metrics = tuple(metrics)

    def collect(self) -> Iterator[Metric]:
        yield from self.metrics


def _products(overview: MeshOverview) -> Iterator[Metric]:
    status = _gauge("mesh_product_status", "1 for the status that a product has.", *PRODUCT, "status")
    published = _gauge("mesh_product_published_timestamp_seconds", "When the newest version was published.", *PRODUCT)
    rows = _gauge("mesh_product_rows", "Rows of a data set in the newest version.", *PRODUCT, "data_set")
    checks = _gauge("mesh_product_checks", "Checks whose last verdict is this one.", *PRODUCT, "kind", "verdict")
    refreshed = _gauge("mesh_refresh_timestamp_seconds", "When the last refresh ended, by how it ended.", *PRODUCT, "outcome")
    lasted = _gauge("mesh_refresh_duration_seconds", "How long the last refresh that ended has taken.", *PRODUCT)
    running = _gauge("mesh_refresh_running_timestamp_seconds", "Since when a refresh runs that has not ended.", *PRODUCT)
    for name, health in overview.health.items():
        where = (health.domain, name)
        status.add_metric((*where, health.status), 1)
        if health.published is not None:
            published.add_metric(where, health.published.published_at.timestamp())
            for data_set, count in health.published.rows.items():
                rows.add_metric((*where, data_set), count)
        for (kind, verdict), count in sorted(Counter((check.kind, check.verdict) for check in health.checks).items()):
            checks.add_metric((*where, kind, verdict), count)
        evidence = overview.known.evidence[name]
        for outcome, at in _ended(evidence):
            refreshed.add_metric((*where, outcome), at.timestamp())
        if (run := evidence.ended) is not None and run.started_at is not None and run.ended_at is not None:
            lasted.add_metric(where, (run.ended_at - run.started_at).total_seconds())
        if (run := evidence.running) is not None and run.started_at is not None:
            running.add_metric(where, run.started_at.timestamp())
    yield from (status, published, rows, checks, refreshed, lasted, running)


def _ended(evidence: Evidence) -> Iterator[tuple[str, datetime]]:
    """How the last refresh ended, in one of four words: each label that differs is a series of its own, kept for weeks."""
    card, failed = evidence.scorecard, failed_run(evidence)
    if failed is not None and failed.ended_at is not None:
        yield "failed", failed.ended_at
    elif card is not None:
        published = "published" if card.outcome.startswith(published_text("")) else "unchanged"
        yield "held back" if card.held_back else published, card.at


def _indicators(overview: MeshOverview) -> Iterator[Metric]:
    labels = (*PRODUCT, "indicator")
    attained = _gauge("mesh_indicator_attained_ratio", "In which share of its window a promise was kept.", *labels)
    target = _gauge("mesh_indicator_target_ratio", "Which share is promised.", *labels)
    consumed = _gauge(
        "mesh_indicator_budget_consumed_ratio", "Share of the error budget that is spent; above 1 the promise is lost.", *labels
    )
    for product in overview.plan.products:
        for standing in overview.known.standings[product.name]:
            where, reached = (product.domain, product.name, standing.indicator.check.name), standing.attainment
            for gauge, value in (
                (attained, _ratio(reached.percent)),
                (target, _ratio(reached.target)),
                (consumed, reached.budget.consumed if reached.budget else None),
            ):
                if value is not None:
                    gauge.add_metric(where, value)
    yield from (attained, target, consumed)


def _incidents(overview: MeshOverview) -> Iterator[Metric]:
    live = _gauge("mesh_incidents_live", "Incidents that are not over, by the product that causes them.", "product", "severity", "status")
    real = [stored for stored in overview.live if not overview.is_made_up(stored)]
    for labels, count in sorted(Counter((stored.incident.cause, stored.severity, stored.incident.status) for stored in real).items()):
        live.add_metric(labels, count)
    oldest = _gauge("mesh_incident_unacknowledged_timestamp_seconds", "When the oldest unacknowledged incident was opened.")
    if opened := [stored.incident.opened_at for stored in real if stored.incident.acknowledged_at is None]:
        oldest.add_metric((), min(opened).timestamp())
    yield from (live, oldest)


def _platform(overview: MeshOverview, messages: Iterable[OutboxEntry] | None) -> Iterator[Metric]:
    outbox = _gauge("mesh_messages", "Messages that are not sent yet, or of the last days, by what became of them.", "state")
    for state, count in sorted(Counter(message.state for message in messages or ()).items()):
        outbox.add_metric((state,), count)
    broken = _gauge("mesh_products_rejected", "Products whose description is broken, which are not loaded.")
    broken.add_metric((), len(overview.plan.rejected))
    yield from (outbox, broken)
    yield _moment("mesh_ledger_synced_timestamp_seconds", "Until when the ledger knows the runs.", overview.age.synced_at)
    yield _moment("mesh_observed_timestamp_seconds", "As of when all of this is.", overview.at)


def _gauge(name: str, about: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, labels=labels)


def _moment(name: str, about: str, at: datetime | None) -> GaugeMetricFamily:
    gauge = _gauge(name, about)
    if at is not None:
        gauge.add_metric((), at.timestamp())
    return gauge


def _ratio(percent: float | None) -> float | None:
    return None if percent is None else percent / 100
