"""Send due messages, channel by channel."""

import os
import socket
import time
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from platform_resources.incidents.messages import Message
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.outbox import Claim, Due, claimed, due, failed, put_off, sent
from platform_resources.ledger.people.subscriptions import HOOK, hook_of_channel
from platform_resources.notify.keys import is_retired_key
from platform_resources.plan import conventions
from platform_resources.plan.plan import MeshPlan
from platform_resources.plan.routes import ChannelPlan
from platform_resources.services.judging import untrue

# Longer than any message may take. A sender that was killed holds its one message for so long.
CLAIM_FOR = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The number of messages sent and not sent; `texts` say why not, by channel.

    Those `put_off` say something that does not hold now: they are rewritten or withdrawn when incidents are judged next.
    """

    sent: int
    failed: int
    texts: tuple[str, ...]
    put_off: int = 0


@dataclass(frozen=True, slots=True)
class _Sender:
    """Who sends, the channels, and a clock that advances during long deliveries."""

    ledger: Ledger
    state: Path
    plan: MeshPlan
    channels: Mapping[str, ChannelPlan]
    environment: Mapping[str, str]
    who: str
    now: datetime
    began: float

    def time(self) -> datetime:
        """The time now: claims made minutes into a long call must not have expired at once."""
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
    """Send the messages due now, on the given channels or all; start none after the time `within`.

    What a message says of products has to hold when it is sent. `plan` is of the whole mesh, and the ledger must be synced before.
    Channels take turns, one message each. One that fails is left alone for the rest of the call; its messages stay in the outbox.
    """
    with ledger.reading() as connection:
        waiting = dict.fromkeys(message.channel for message in due(connection, now))
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
    """All channels of the mesh by name: a route may use another domain's channel."""
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
    reason = _not_sent(sender, claim.message)
    if reason:
        failed(sender.ledger, claim, sender.time(), reason)
    else:
        sent(sender.ledger, claim, sender.time())
    return reason


def _not_sent(sender: _Sender, message: Message) -> str:
    """Sends the message; gives the reason why it was not sent, without secrets, or nothing."""
    from platform_resources.notify.addresses import ChannelUnusable, address, secrets
    from platform_resources.notify.delivery import DeliveryFailed, send

    try:
        if message.channel.startswith(HOOK):
            _call(sender, message)
            return ""
        url = address(message.channel, sender.channels, sender.environment)
        send(url, message, secrets(message.channel, sender.channels, sender.environment))
    except (ChannelUnusable, DeliveryFailed) as error:
        return "; ".join(str(error).splitlines())
    except Exception as error:  # whatever one channel runs into, the others have their turn; its words may hold anything
        return f"{type(error).__name__}, which nobody expected of it; `mesh channels --test {message.channel}` may tell more"
    return ""


def _call(sender: _Sender, message: Message) -> None:
    """Raises ChannelUnusable, DeliveryFailed."""
    from platform_resources.notify.addresses import ChannelUnusable
    from platform_resources.notify.signed_calls import call, hook_hosts
    from platform_resources.services.access.version_hooks import NoHookKey, secret_of

    with sender.ledger.reading() as connection:
        hook = hook_of_channel(connection, message.channel)
    if hook is None or (hook.ended_at is not None and not is_retired_key(message.key)):
        raise ChannelUnusable(f"{message.channel} has ended")
    try:
        secret = secret_of(hook, sender.state, sender.environment)
    except NoHookKey as error:
        raise ChannelUnusable(str(error)) from error
    call(hook.url, secret, message.key, message.body, sender.time(), hook_hosts(sender.environment))


def due_channels(ledger: Ledger, domain: str, now: datetime) -> set[str]:
    """The channels with a due message that this domain sends: its own, and e-mail about its products."""
    with ledger.reading() as connection:
        return {message.channel for message in due(connection, now) if _is_sent_by(message, domain)}


def deliver_domain(ledger: Ledger, state: Path, plan: MeshPlan, domain: str, now: datetime, within: timedelta) -> Delivered:
    """Send the domain's due messages; start none after the time `within`. Sync the ledger first."""
    channels = due_channels(ledger, domain, now)
    if not channels:
        return Delivered(0, 0, ())
    who = f"{conventions.delivery_name(domain)} on {socket.gethostname()}, process {os.getpid()}"
    return deliver_due(ledger, state, plan, channels, os.environ, now, who, within)


def _is_sent_by(waiting: Due, domain: str) -> bool:
    """By its name also a channel that the domain has no more: its messages are accounted for like any that cannot be sent."""
    if "@" in waiting.channel or waiting.channel.startswith(HOOK):
        return waiting.domain == domain
    return waiting.channel.partition(".")[0] == domain
