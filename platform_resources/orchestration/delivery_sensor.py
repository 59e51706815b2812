"""The sensor of each domain that judges what was refreshed and sends what is due, every minute."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from platform_resources.capabilities.registry import installed_registry
from platform_resources.ledger.database import LEDGER_FILE, ledger_url, open_ledger
from platform_resources.orchestration.evaluation_job import WholePlan
from platform_resources.orchestration.events.ledger_events import synced_ledger
from platform_resources.orchestration.guarding import shielded
from platform_resources.plan import conventions
from platform_resources.services.control_ports.registering import register
from platform_resources.services.delivering import Delivered, deliver_domain, due_channels
from platform_resources.services.judging import judge_refreshed
from platform_resources.settings import LEDGER

EVERY_SECONDS = 60
# Dagster gives a sensor 60 s; the last message may take its 20 s on top.
SENSOR_TIME = timedelta(seconds=35)
# After a start that no cursor tells of, evaluations have judged what is older.
SINCE_AT_FIRST = timedelta(minutes=15)
MOST_RUNS = 200
NOTHING_DUE = "no message is due"


def delivery_sensor(
    domain: str, products: Sequence[str], whole: WholePlan, state: Path, root: Path, sinks: Sequence[str] = ()
) -> dg.SensorDefinition:
    """Sends what is due for the domain's channels, and by e-mail about its products. While nothing is due it reads the ledger, no more.

    `sinks` are the products that tell a sink of events when a refresh begins.
    """

    @dg.sensor(
        name=conventions.delivery_name(domain),
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Sends the notifications of the domain {domain}.",
    )
    @shielded
    def _deliver(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        if not _may_have_messages(state):
            return dg.SkipReason(NOTHING_DUE)
        now, instance = datetime.now(UTC), context.instance
        refreshed = _refreshed_since(instance, products, context.cursor, now)
        begun = _begun(instance, sinks, now)
        if not refreshed and not begun and not _due_channels(state, domain, now):
            return dg.SkipReason(NOTHING_DUE)
        plan = whole()
        with synced_ledger(state, instance, now) as ledger:
            happened = judge_refreshed(ledger, state, plan, refreshed, installed_registry(), now) if refreshed else ()
            if refreshed:
                context.update_cursor(max(refreshed.values()).isoformat())
            changed = [product for product in plan.products if product.name in {*refreshed, *begun}]
            for text in register(ledger, root, state, plan, changed, now).failed:
                context.log.warning(f"{text}; it is tried again")
            texts = [f"{event.incident} {event.kind}" for event in happened]
            return dg.SkipReason("; ".join([*texts, _delivered_text(deliver_domain(ledger, state, plan, domain, now, SENSOR_TIME))]))

    return _deliver


def _may_have_messages(state: Path) -> bool:
    """A ledger is made by whoever has something to write into it."""
    return bool(LEDGER.value(os.environ)) or (state / LEDGER_FILE).exists()


def _refreshed_since(instance: dg.DagsterInstance, products: Sequence[str], cursor: str | None, now: datetime) -> dict[str, datetime]:
    """Which of the products were refreshed since the cursor, and when that ended: nobody waits for an evaluation to judge them."""
    if not products:
        return {}
    since = datetime.fromisoformat(cursor) if cursor else now - SINCE_AT_FIRST
    ended = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    # By product, for evaluations have the domain's tag too: some hundred of them would hide the refreshes behind them.
    over = dg.RunsFilter(tags={"product": products}, statuses=ended, updated_after=since)
    records = instance.get_run_records(over, limit=MOST_RUNS, ascending=True)
    return {record.dagster_run.tags["product"]: record.update_timestamp for record in records}


def _begun(instance: dg.DagsterInstance, sinks: Sequence[str], now: datetime) -> set[str]:
    """Which of these products have begun to be refreshed since the sensor looked last, or a little before."""
    if not sinks:
        return set()
    lately = now - timedelta(seconds=2 * EVERY_SECONDS)
    going_on = dg.RunsFilter(tags={"product": sinks}, statuses=[dg.DagsterRunStatus.STARTED], updated_after=lately)
    return {record.dagster_run.tags["product"] for record in instance.get_run_records(going_on, limit=MOST_RUNS)}


def _due_channels(state: Path, domain: str, now: datetime) -> set[str]:
    ledger = open_ledger(ledger_url(state, os.environ))
    try:
        return due_channels(ledger, domain, now)
    finally:
        ledger.close()


def _delivered_text(delivered: Delivered) -> str:
    """`3 messages sent; 1 not: sales.oncall: …`."""
    if not delivered.sent and not delivered.failed:
        return NOTHING_DUE if not delivered.put_off else f"{NOTHING_DUE} that holds; {delivered.put_off} put off"
    sent_text = f"{delivered.sent} message{'' if delivered.sent == 1 else 's'} sent"
    return f"{sent_text}; {delivered.failed} not: {'; '.join(delivered.texts)}" if delivered.failed else sent_text
