"""Decide which messages about an incident are due, and which waiting ones to withdraw.

A message is queued when it may be sent, not before: what waited through a night tells in the morning what holds in the morning, in one
message, and an incident that began and ended within quiet hours disturbs nobody. So this is asked every few minutes. It remembers
nothing: the keys in the outbox say what each channel has heard.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from platform_resources.incidents.life_cycle import Incident
from platform_resources.incidents.messages import Message, MessageKind, Statement
from platform_resources.incidents.severity import rank
from platform_resources.notify.facts import Outbox, State, Subscriber, Trouble
from platform_resources.notify.keys import IncidentKey, incident_keys, recovery_key, reminder_key, told_key
from platform_resources.notify.recipients import Recipient, first_loud, recipients
from platform_resources.notify.web_pages import NO_PAGES, WebPages
from platform_resources.notify.wording import Words, first_words, recovery_words, reminder_words, update_words
from platform_resources.spec.notifications import Severity
from platform_resources.spec.values.moments import in_utc

# A message that is failing may have been taken all the same, so its channel is told the end as well.
REACHED: tuple[State, ...] = ("sent", "sending", "failing")
UNSENT: tuple[State, ...] = ("waiting", "failing")
REWRITTEN = "it holds no longer; what holds now is told by another message, if there is anything to tell"


@dataclass(frozen=True, slots=True)
class DueMessages:
    """Messages to write to the outbox, new or rewritten, and keys of messages to withdraw, with the reason."""

    queue: tuple[Message, ...] = ()
    withdraw: Mapping[str, str] = field(default_factory=dict)


def announcements(
    trouble: Trouble, subscriptions: Sequence[Subscriber], known: Outbox, now: datetime, pages: WebPages = NO_PAGES
) -> DueMessages:
    """Messages due about one incident at `now`. `known` has the keys of this incident and of those moved here.

    `pages` are where the pages are that messages link. Ask about every live incident, and about every other one until nothing
    of it is due; ask after the board was tended.
    """
    now = in_utc(now)
    outdated = dict(_withdrawn(trouble, known))
    if trouble.recovering:
        return DueMessages(withdraw=outdated)
    heard = {key: state for key, state in known.items() if state not in (*UNSENT, "withdrawn")}
    if trouble.incident.live:
        messages = tuple(_live(trouble, subscriptions, known, heard, now, pages))
    else:
        messages = tuple(_over(trouble, subscriptions, known, now))
    queue = tuple(message for message in messages if message.key not in heard)
    keys = {message.key for message in queue}
    open_keys = (key for key in incident_keys(known, trouble.incident) if trouble.incident.live and known[key.key] in UNSENT)
    rewritten = {key.key: REWRITTEN for key in open_keys if key.key not in {*keys, *outdated}}
    return DueMessages(queue, {key: reason for key, reason in (outdated | rewritten).items() if key not in keys})


def _live(
    trouble: Trouble, subscriptions: Sequence[Subscriber], known: Outbox, sent: Outbox, now: datetime, pages: WebPages
) -> Iterator[Message]:
    """What was written and not sent yet is decided anew: it says what holds now, or is not sent."""
    keys = _by_channel(key for key in incident_keys(sent, trouble.incident) if key.phase == trouble.phase)
    waiting = _by_channel(key for key in incident_keys(known, trouble.incident) if known[key.key] in UNSENT)
    before = _reached(trouble.moved_from, known)
    for to in _listeners(trouble, subscriptions, before):
        heard = keys.get(to.channel, ())
        # What could be told before can be told still, whatever the hour is.
        to = replace(to, quiets=(None,), owner_quiets=(None,) if to.owner_quiets else ()) if to.channel in waiting else to
        if not any(key.about == "first" for key in heard):
            yield from _first(_as_known_to(trouble, to.channel, known), to, before.get(to.channel), now, pages)
            continue
        news = tuple(_update(trouble, to, heard, now, pages))
        # Whoever hears something new need not be reminded of it at the same time.
        yield from news or _reminder(trouble, to, heard, known, now, pages)


def _listeners(trouble: Trouble, subscriptions: Sequence[Subscriber], before: Mapping[str, Severity]) -> Iterator[Recipient]:
    """Who hears of this severity, and whoever heard of an incident that moved here: it goes on, even if it is less severe there."""
    failing = [impact for impact in trouble.impacts if impact.until is None]
    own = recipients(trouble, failing, subscriptions, trouble.severity)
    yield from own
    known = {to.channel for to in own}
    yield from (to for to in recipients(trouble, failing, subscriptions, "critical") if to.channel in before.keys() - known)


def _first(trouble: Trouble, to: Recipient, before: Severity | None, now: datetime, pages: WebPages) -> Iterator[Message]:
    """A channel that heard `before` of an incident that moved here is told at once that the cause was found: it waits for that."""
    severity = trouble.severity if before is None else max(trouble.severity, before, key=rank)
    if (before is None and now < _told_from(trouble)) or not _may(to, severity, now):
        return
    key = told_key(trouble.incident, "first", severity, _newest(trouble, to), to.channel)
    yield _message(key, "incident" if before is None else "update", trouble, to, first_words(trouble, to, now, pages), now)


def _told_from(trouble: Trouble) -> datetime:
    """What is critical is told at once, with what is known. Anything else waits, so that its cause can show up first."""
    return trouble.noticed_at if trouble.severity == "critical" else trouble.noticed_at + trouble.root.patience.wait


def _as_known_to(trouble: Trouble, channel: str, known: Outbox) -> Trouble:
    """Of the incidents that moved here only those that the channel has heard of: to others their names say nothing."""
    heard = [i for i in trouble.moved_from if any(key.channel == channel and known[key.key] in REACHED for key in incident_keys(known, i))]
    return replace(trouble, moved_from=tuple(heard))


def _update(trouble: Trouble, to: Recipient, heard: Sequence[IncidentKey], now: datetime, pages: WebPages) -> Iterator[Message]:
    """Only about what this channel has not heard: its own products that fail since, new faults of the root, and a risen severity."""
    earlier = [key for key in heard if key.about in ("first", "update")]
    until, worst = max(key.moment for key in earlier), max((key.severity for key in earlier), key=rank)
    news = [impact for impact in to.impacts if impact.since > until]
    joined = tuple(new for new in trouble.new_faults if new.at > until) if to.owner or to.consumer else ()
    # What stops no refresh waits as the first message does, so that its cause can show up first.
    due = any(new.stops or new.at + trouble.root.patience.wait <= now for new in joined)
    risen = rank(trouble.severity) > rank(worst)
    if not (news or due or risen) or not _may(to, trouble.severity, now):
        return
    moment = max(until, _newest(trouble, to))
    severity = trouble.severity if risen else worst
    key = told_key(trouble.incident, "update", severity, moment, to.channel)
    yield _message(key, "update", trouble, to, update_words(trouble, to, news, joined, worst if risen else None, now, pages), now)


def _reminder(
    trouble: Trouble, to: Recipient, heard: Sequence[IncidentKey], known: Outbox, now: datetime, pages: WebPages
) -> Iterator[Message]:
    """To the root's owners, counted from when they could first be told. Those missed while nothing ran are left out but the last."""
    every = trouble.root.patience.renotify
    if not to.owner or every is None or trouble.incident.status != "open":
        return
    begin = first_loud(to.owner_quiets, _told_from(trouble), trouble.severity)
    number = (now - begin) // every
    reminded = max((key.number for key in heard if key.about == "reminder"), default=0)
    unsent = any(known[key.key] == "waiting" for key in heard if key.about in ("first", "reminder"))
    if number > reminded and not unsent and first_loud(to.owner_quiets, now, trouble.severity) <= now:
        key = reminder_key(trouble.incident, number, to.channel)
        yield _message(key, "reminder", trouble, to, reminder_words(trouble, now, pages), now)


def _over(trouble: Trouble, subscriptions: Sequence[Subscriber], known: Outbox, now: datetime) -> Iterator[Message]:
    """To those who have heard of it, or of an incident that moved here. One that moved away goes on elsewhere and is not over."""
    if trouble.incident.resolution == "moved":
        return
    by_name = {to.channel: to for to in recipients(trouble, trouble.impacts, subscriptions, "critical")}
    for channel, severity in sorted(_reached((trouble.incident, *trouble.moved_from), known).items()):
        to = by_name.get(channel, Recipient(channel, consumer=True))
        if _may(to, severity, now):
            yield _message(recovery_key(trouble.incident, channel), "recovery", trouble, to, recovery_words(trouble, to, now), now)


def _reached(of: Iterable[Incident], known: Outbox) -> dict[str, Severity]:
    """The channels that have heard of these incidents, and the worst that they have heard."""
    worst: dict[str, Severity] = {}
    for incident in of:
        for key in incident_keys(known, incident):
            if key.phase == incident.reopened and key.about != "recovery" and known[key.key] in REACHED:
                worst[key.channel] = max(worst.get(key.channel, "low"), key.severity, key=rank)
    return worst


def _withdrawn(trouble: Trouble, known: Outbox) -> Iterator[tuple[str, str]]:
    for key in incident_keys(known, trouble.incident):
        reason = _outdated(trouble, key) if known[key.key] in UNSENT else ""
        if reason:
            yield key.key, reason


def _outdated(trouble: Trouble, key: IncidentKey) -> str:
    """Why this message must not be sent any more; empty if it still holds."""
    incident = trouble.incident
    if key.phase != trouble.phase:
        return f"{incident.name} was reopened before this was sent"
    if key.about == "recovery":
        return ""
    if incident.resolution == "moved":
        return f"{incident.name} moved to {', '.join(incident.moved_to)} before this was sent"
    if not incident.live:
        return f"{incident.name} was resolved as {incident.resolution} before this was sent"
    if key.about == "reminder" and incident.status != "open":
        return f"{incident.name} was acknowledged before this was sent"
    return ""


def _newest(trouble: Trouble, to: Recipient) -> datetime:
    """When the newest trouble began that is this channel's."""
    own = [trouble.noticed_at, *(new.at for new in trouble.new_faults)] if to.owner or to.consumer else []
    return max([*own, *(impact.since for impact in to.impacts)])


def _may(to: Recipient, severity: Severity, now: datetime) -> bool:
    return first_loud(to.quiets, now, severity) <= now


def _by_channel(keys: Iterable[IncidentKey]) -> dict[str, list[IncidentKey]]:
    by_channel: dict[str, list[IncidentKey]] = {}
    for key in keys:
        by_channel.setdefault(key.channel, []).append(key)
    return by_channel


def _message(key: str, kind: MessageKind, trouble: Trouble, to: Recipient, words: Words, now: datetime) -> Message:
    root = trouble.root
    says = tuple(_statements(trouble, to, kind))
    return Message(key, kind, to.channel, root.name, root.domain, trouble.incident.name, words.subject, words.body, now, says)


def _statements(trouble: Trouble, to: Recipient, kind: MessageKind) -> Iterator[Statement]:
    """What its words say of products. Nothing is said of the health of one whose description is broken."""
    over = kind == "recovery"
    missed = () if over else tuple(sorted(failure.check for failure in trouble.failures if failure.shown))
    status = trouble.root.status if over else None
    if status is not None or missed:
        yield Statement(trouble.root.name, status or "", missed)
    named = {impact.about.name: impact.about for impact in (*to.impacts, *(trouble.impacts if to.owner and not over else ()))}
    failing = {impact.about.name for impact in trouble.impacts if impact.until is None}
    for about in named.values():
        if about.status is not None and (over or about.name in failing):
            yield Statement(about.name, about.status)
