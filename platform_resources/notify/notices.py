"""Decide which messages other than incidents are due: error budgets, schema changes, the daily digest.

Each is queued at once, and quiet hours move its `not_before`. What was not sent yet is decided anew as often as this is asked.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from platform_resources.incidents.messages import Message, MessageKind, Statement
from platform_resources.notify.access_notices import USUAL_NOTICE
from platform_resources.notify.due_messages import REWRITTEN, UNSENT, DueMessages
from platform_resources.notify.facts import (
    About,
    BudgetStanding,
    Day,
    InputChange,
    LostCertificate,
    Outbox,
    PortEnding,
    RetiredProduct,
    SchemaChange,
    Subscriber,
)
from platform_resources.notify.keys import (
    EVER,
    budget_key,
    budget_keys,
    certificate_key,
    digest_key,
    ending_key,
    input_key,
    is_ending_key,
    retired_key,
    schema_key,
)
from platform_resources.notify.notice_wording import (
    BROKEN,
    budget_words,
    certificate_words,
    digest_words,
    ending_words,
    input_words,
    over_words,
    retired_words,
    schema_words,
)
from platform_resources.notify.recipients import Way, first_loud, owner_ways, ways
from platform_resources.notify.wording import Words
from platform_resources.promises.grades import IDLE
from platform_resources.spec.notifications import Severity
from platform_resources.spec.values.moments import in_utc


def budget_severity(level: int) -> Severity:
    """The severity of reaching a budget level: low at 50 percent, medium at 75, high at 100."""
    return "high" if level >= BROKEN else "medium" if level >= 75 else "low"


def budget_notices(standings: Iterable[BudgetStanding], subscriptions: Sequence[Subscriber], known: Outbox, now: datetime) -> DueMessages:
    """A message for the highest level each budget has reached, once until it was below. `known` has all budget keys.

    To the product's owners; to its consumers as well once nothing is left. When a budget was below a level last is part of the key, so
    the same stretch above it has the same key however often this is asked. A level is told too by a message about a higher one that was
    reached within its own stretch: a budget that recovers from 100 to 75 % is no news. What was not sent yet says what holds now, or is
    withdrawn.
    """
    sent = {key: state for key, state in known.items() if state not in (*UNSENT, "withdrawn")}
    messages = tuple(message for standing in standings for message in _budget(standing, subscriptions, sent, in_utc(now)))
    return DueMessages(messages, _outdated(known, messages))


def _outdated(known: Outbox, messages: Iterable[Message]) -> dict[str, str]:
    kept = {message.key for message in messages}
    return {key: REWRITTEN for key, state in known.items() if state in UNSENT and key not in kept}


def _budget(standing: BudgetStanding, subscriptions: Sequence[Subscriber], known: Outbox, now: datetime) -> Iterator[Message]:
    if not standing.levels:
        return
    level, about = max(standing.levels), standing.about
    below_at = in_utc(standing.below_at.get(level, EVER))
    keys = budget_keys(known, about.name, standing.indicator)
    for channel, to in _by_channel(way for way in ways(about, subscriptions, budget_severity(level)) if way.owner or level >= BROKEN):
        if any(key.channel == channel and key.level >= level and key.below_at >= below_at for key in keys):
            continue
        key = budget_key(about.name, standing.indicator, level, below_at, channel)
        yield _message(key, "budget", about, channel, budget_words(standing, level), _when(to, now))


def schema_notices(change: SchemaChange, subscriptions: Sequence[Subscriber], known: Outbox, now: datetime) -> DueMessages:
    """Messages to the product's consumers and to everyone downstream: one per version and channel.

    A breaking change is of high severity, one that only adds columns of low.
    """
    if not any(change.ports.values()):
        return DueMessages()
    severity: Severity = "high" if change.breaking else "low"
    own = [(way, None) for way in ways(change.about, subscriptions, severity) if not way.owner]
    below = [(way, about) for about in change.downstream for way in ways(about, subscriptions, severity)]
    affected = _by_their_channels(below)
    messages = (
        _message(
            schema_key(change.about.name, change.version, channel),
            "schema",
            change.about,
            channel,
            schema_words(change, affected.get(channel, ())),
            _when(reasons, in_utc(now)),
        )
        for channel, reasons in _by_channel(way for way, _ in (*own, *below))
    )
    return DueMessages(tuple(message for message in messages if message.key not in known))


def input_notices(change: InputChange, subscriptions: Sequence[Subscriber], known: Outbox, now: datetime) -> DueMessages:
    """Messages to the product's owners and consumers: one per refresh and channel.

    Severities are those of a published schema.
    """
    if not any(change.ports.values()):
        return DueMessages()
    words, about = input_words(change), change.about
    messages = (
        _message(input_key(about.name, change.run_id, channel), "schema", about, channel, words, _when(to, in_utc(now)))
        for channel, to in _by_channel(ways(about, subscriptions, "high" if change.breaking else "low"))
    )
    return DueMessages(tuple(message for message in messages if message.key not in known))


def ending_notices(endings: Iterable[PortEnding], subscriptions: Sequence[Subscriber], known: Outbox, now: datetime) -> DueMessages:
    """Messages about all ports of some products that end; `known` has the keys about these products.

    What was not sent yet says what holds now, or is withdrawn: its readers may have moved, and the port may be gone.
    """
    due = [message for ending in endings for message in _ending(ending, subscriptions, now)]
    of_ends = {key: state for key, state in known.items() if is_ending_key(key)}
    queue = tuple(message for message in due if of_ends.get(message.key, "waiting") in (*UNSENT, "withdrawn"))
    return DueMessages(queue, _outdated(of_ends, queue))


def _ending(ending: PortEnding, subscriptions: Sequence[Subscriber], now: datetime) -> Iterator[Message]:
    """Told when it is announced, and again shortly before its end, to those who still read it and to subscribers; to the product's owners
    when nobody does any more, or the end has come."""
    left = (ending.end_date - in_utc(now).date()).days if ending.end_date is not None else None
    over = not ending.readers or (left is not None and left <= 0)
    stage = "over" if over else "soon" if left is not None and left <= USUAL_NOTICE.days else "announced"
    reading = [] if over else [(way, about) for about in ending.below for way in owner_ways(about)]
    whose = _by_their_channels(reading)
    to = owner_ways(ending.about) if over else [way for way, _ in reading]
    if not over:
        to += [way for way in ways(ending.about, subscriptions, "high" if stage == "soon" else "medium") if not way.owner]
        to += [Way(address, False) for address in ending.addresses]
    for channel, reasons in _by_channel(to):
        # Who else reads it is nobody's business but the owners'.
        words = over_words(ending, left) if over else ending_words(ending, whose.get(channel, ()))
        key = ending_key(ending.about.name, ending.port, stage, ending.end_date, channel)
        yield _message(key, "schema", ending.about, channel, words, _when(reasons, in_utc(now)))


def retired_notices(retired: RetiredProduct, subscriptions: Sequence[Subscriber], known: Outbox, now: datetime) -> DueMessages:
    """One message to each consumer of a product that was retired, and to the owners of what reads it. `known` has the keys about it."""
    reading = [(way, about) for about in retired.below for way in owner_ways(about)]
    whose = _by_their_channels(reading)
    to = [*(way for way, _ in reading), *(way for way in ways(retired.about, subscriptions, "high") if not way.owner)]
    messages = (
        _message(
            retired_key(retired.about.name, retired.at, channel),
            "schema",
            retired.about,
            channel,
            retired_words(retired, whose.get(channel, ())),
            _when(reasons, in_utc(now)),
        )
        for channel, reasons in _by_channel(to)
    )
    return DueMessages(tuple(message for message in messages if message.key not in known))


def certificate_notices(lost: Iterable[LostCertificate], subscriptions: Sequence[Subscriber], known: Outbox, now: datetime) -> DueMessages:
    """One message for each lost certificate to the product's owners, and to its consumers; `known` has the keys about certificates.

    One that was not sent yet is withdrawn where somebody vouches for the product again.
    """
    due = [message for certificate in lost for message in _lost(certificate, subscriptions, in_utc(now))]
    queue = tuple(message for message in due if known.get(message.key, "waiting") in (*UNSENT, "withdrawn"))
    return DueMessages(queue, _outdated(known, queue))


def _lost(lost: LostCertificate, subscriptions: Sequence[Subscriber], now: datetime) -> Iterator[Message]:
    about = lost.about
    to = [*owner_ways(about), *(way for way in ways(about, subscriptions, "high") if not way.owner)]
    for channel, reasons in _by_channel(to):
        words = certificate_words(lost, any(way.owner for way in reasons))
        yield _message(certificate_key(about.name, lost.granted_at, channel), "certificate", about, channel, words, _when(reasons, now))


def digest_notices(day: Day, known: Outbox, now: datetime) -> DueMessages:
    """The digest of the zone's day, due from its time until the day ends; none on days without a run.

    One that was not sent yet says what holds now; with the next day it is withdrawn.
    """
    now = in_utc(now)
    local = now.astimezone(ZoneInfo(day.digest.timezone))
    due = in_utc(datetime.combine(local.date(), day.digest.at, local.tzinfo))
    key = digest_key(day.domain, local.date(), day.digest.channel)
    if now < due or known.get(key, "waiting") not in UNSENT:
        return DueMessages()
    words = digest_words(day, local.date(), now)
    says = tuple(Statement(line.product, line.status) for line in day.products if line.product and line.status not in IDLE)
    message = Message(key, "digest", day.digest.channel, "", day.domain, "", words.subject, words.body, due, says)
    own = {key: state for key, state in known.items() if key.startswith(f"digest/{day.domain}/")}
    return DueMessages((message,), _outdated(own, (message,)))


def _by_channel(to_reach: Iterable[Way]) -> Sequence[tuple[str, list[Way]]]:
    by_channel: dict[str, list[Way]] = {}
    for way in to_reach:
        by_channel.setdefault(way.channel, []).append(way)
    return sorted(by_channel.items())


def _by_their_channels(to_reach: Iterable[tuple[Way, About]]) -> dict[str, tuple[About, ...]]:
    """The products that each channel is about, each once."""
    by_channel: dict[str, dict[str, About]] = {}
    for way, about in to_reach:
        by_channel.setdefault(way.channel, {})[about.name] = about
    return {channel: tuple(abouts.values()) for channel, abouts in by_channel.items()}


def _when(to: Iterable[Way], now: datetime) -> datetime:
    """None of these is critical."""
    return first_loud([way.quiet for way in to], now, "high")


def _message(key: str, kind: MessageKind, about: About, channel: str, words: Words, not_before: datetime) -> Message:
    return Message(key, kind, channel, about.name, about.domain, "", words.subject, words.body, not_before)
