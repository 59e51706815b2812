"""What is sent when: the messages that are due, each channel for itself, every minute."""

import os
import socket
import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from platform_resources.capabilities.registry import installed_registry
from platform_resources.incidents.messages import Message
from platform_resources.ledger.database import LEDGER_FILE, Ledger, ledger_url, open_ledger
from platform_resources.ledger.people.outbox import Claim, Due, claimed, due, failed, put_off, sent
from platform_resources.orchestration.guarding import shielded
from platform_resources.orchestration.ledger_events import synced_ledger
from platform_resources.plan import conventions
from platform_resources.plan.plan import MeshPlan
from platform_resources.plan.routes import ChannelPlan
from platform_resources.services.judging import judge_refreshed, untrue
from platform_resources.settings import LEDGER

EVERY_SECONDS = 60
# Longer than any message may take. A sender that was killed holds its one message for so long.
CLAIM_FOR = timedelta(minutes=2)
# Dagster gives a sensor 60 s; the last message may take its 20 s on top.
SENSOR_TIME = timedelta(seconds=35)
# After a start that no cursor tells of, evaluations have judged what is older.
SINCE_AT_FIRST = timedelta(minutes=15)
MOST_RUNS = 200
NOTHING_DUE = "no message is due"


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many messages were sent and how many were not; `texts` say why not, by channel.

    Those `put_off` say something that does not hold now: they are rewritten or withdrawn when incidents are judged next.
    """

    sent: int
    failed: int
    texts: tuple[str, ...]
    put_off: int = 0


@dataclass(frozen=True, slots=True)
class _Sender:
    """Who sends, by which channels, and what time it is: the time told, and what has passed since."""

    ledger: Ledger
    state: Path
    plan: MeshPlan
    channels: Mapping[str, ChannelPlan]
    environment: Mapping[str, str]
    who: str
    now: datetime
    began: float

    def time(self) -> datetime:
        """Claims of a call that takes minutes must not be over when they begin."""
        return self.now + timedelta(seconds=time.monotonic() - self.began)


def deliver_due(
    ledger: Ledger,
    state: Path,
    plan: MeshPlan,
    channels: Collection[str] | None,
    environment: Mapping[str, str],
    now: datetime,
    who: str,
    within: timedelta | None = None,
) -> Delivered:
    """Send the messages that are due now, for these channels or all; `within` this time begin no other one.

    What a message says of products has to hold when it is sent. `plan` is of the whole mesh, and the ledger must be synced before.
    Channels take turns, one message each. One that fails is left alone for the rest of the call; its messages stay in the outbox.
    """
    with ledger.reading() as connection:
        waiting = dict.fromkeys(each.channel for each in due(connection, now))
    turns = deque(channel for channel in waiting if channels is None or channel in channels)
    sender = _Sender(ledger, state, plan, channels_of(plan), environment, who, now, time.monotonic())
    done, postponed, texts = 0, 0, list[str]()
    while turns and (within is None or sender.time() - now < within):
        channel = turns.popleft()
        claims = claimed(ledger, who, [channel], sender.time(), 1, CLAIM_FOR)
        true = [claim for claim in claims if _holds(sender, claim)]
        errors = [error for claim in true if (error := _delivered(sender, claim))]
        texts += [f"{channel}: {error}" for error in errors]
        done, postponed = done + len(true) - len(errors), postponed + len(claims) - len(true)
        if claims and not errors:
            turns.append(channel)
    return Delivered(done, len(texts), tuple(texts), postponed)


def channels_of(plan: MeshPlan) -> dict[str, ChannelPlan]:
    """Every channel of the mesh by its name: a route may lead to another domain's."""
    return {channel.name: channel for domain in plan.domains for channel in domain.channels}


def _holds(sender: _Sender, claim: Claim) -> bool:
    """Whether the message may go out. One that says what does not hold is put off: the next judgement rewrites or withdraws it."""
    if not claim.message.says:
        return True
    reason = untrue(sender.ledger, sender.state, sender.plan, claim.message.says, sender.time())
    if reason:
        put_off(sender.ledger, claim, sender.time(), f"not sent: {reason}")
    return not reason


def _delivered(sender: _Sender, claim: Claim) -> str:
    """Sends one message and notes what became of it. Gives the reason why it was not sent, or nothing."""
    told = _not_sent(sender, claim.message)
    if told:
        failed(sender.ledger, claim, sender.time(), told)
    else:
        sent(sender.ledger, claim, sender.time())
    return told


def _not_sent(sender: _Sender, message: Message) -> str:
    """Sends the message; gives the reason why it was not sent, without secrets, or nothing."""
    from platform_resources.notify.addresses import ChannelUnusable, address, secrets
    from platform_resources.notify.delivery import DeliveryFailed, send

    try:
        url = address(message.channel, sender.channels, sender.environment)
        send(url, message, secrets(message.channel, sender.channels, sender.environment))
    except (ChannelUnusable, DeliveryFailed) as error:
        return "; ".join(str(error).splitlines())
    except Exception as error:  # whatever one channel runs into, the others have their turn; its words may hold anything
        return f"{type(error).__name__}, which nobody expected of it; `mesh channels --test {message.channel}` may tell more"
    return ""


def delivery_sensor(domain: str, plan: MeshPlan, state: Path) -> dg.SensorDefinition:
    """Sends what is due for the domain's channels, and by e-mail about its products. While nothing is due it reads the ledger, no more."""
    products = [product.name for product in plan.products if product.domain == domain]

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
        if not refreshed and not _due_channels(state, domain, now):
            return dg.SkipReason(NOTHING_DUE)
        with synced_ledger(state, instance, now) as ledger:
            happened = judge_refreshed(ledger, state, plan, refreshed, installed_registry(), now) if refreshed else ()
            if refreshed:
                context.update_cursor(max(refreshed.values()).isoformat())
            texts = [f"{event.incident} {event.kind}" for event in happened]
            return dg.SkipReason("; ".join([*texts, _delivered_text(_deliver_domain(ledger, state, plan, domain, now))]))

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


def _due_channels(state: Path, domain: str, now: datetime) -> set[str]:
    ledger = open_ledger(ledger_url(state, os.environ))
    try:
        return _channels(ledger, domain, now)
    finally:
        ledger.close()


def _channels(ledger: Ledger, domain: str, now: datetime) -> set[str]:
    with ledger.reading() as connection:
        return {each.channel for each in due(connection, now) if _is_sent_by(each, domain)}


def _deliver_domain(ledger: Ledger, state: Path, plan: MeshPlan, domain: str, now: datetime) -> Delivered:
    channels = _channels(ledger, domain, now)
    if not channels:
        return Delivered(0, 0, ())
    who = f"{conventions.delivery_name(domain)} on {socket.gethostname()}, process {os.getpid()}"
    return deliver_due(ledger, state, plan, channels, os.environ, now, who, SENSOR_TIME)


def _is_sent_by(waiting: Due, domain: str) -> bool:
    """By its name also a channel that the domain has no more: its messages are accounted for like any that cannot be sent."""
    if "@" in waiting.channel:
        return waiting.domain == domain
    return waiting.channel.partition(".")[0] == domain


def _delivered_text(delivered: Delivered) -> str:
    """`3 messages sent; 1 not: sales.oncall: …`."""
    if not delivered.sent and not delivered.failed:
        return NOTHING_DUE if not delivered.put_off else f"{NOTHING_DUE} that holds; {delivered.put_off} put off"
    sent_text = f"{delivered.sent} message{'' if delivered.sent == 1 else 's'} sent"
    return f"{sent_text}; {delivered.failed} not: {'; '.join(delivered.texts)}" if delivered.failed else sent_text
