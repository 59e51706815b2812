"""Which messages about an incident are due, and which of those that wait must not go out any more.

A message is queued when it may be sent, not before: what waited through a night tells in the morning what holds in the morning, in one
message, and an incident that began and ended within quiet hours disturbs nobody. So this is asked every few minutes. It remembers
nothing: the keys in the outbox say what each channel has heard.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from platform_resources.notify.facts import Outbox, State, Subscription, Trouble
from platform_resources.notify.keys import IncidentKey, incident_keys, recovery_key, reminder_key, told_key
from platform_resources.notify.recipients import Recipient, first_loud, recipients
from platform_resources.notify.wording import Words, first_words, recovery_words, reminder_words, update_words
from platform_resources.objectives.messages import Message, MessageKind
from platform_resources.objectives.periods import in_utc
from platform_resources.objectives.severity import Severity, rank

# A message that is failing may have been taken all the same, so its channel is told the end as well.
REACHED: tuple[State, ...] = ("sent", "sending", "failing")


@dataclass(frozen=True, slots=True)
class Due:
    """Messages to write into the outbox, and why some that wait in it are taken back. A key that is no longer waiting stays as it is."""

    queue: tuple[Message, ...] = ()
    withdraw: Mapping[str, str] = field(default_factory=dict)


def announcements(trouble: Trouble, subscriptions: Sequence[Subscription], known: Outbox, now: datetime, dagster: str = "") -> Due:
    """What is due about one incident at `now`. `known` has at least all keys of this incident and of those that moved here.

    `dagster` is the address of Dagster's web pages, if it is known. Ask about every live incident, and about every other one until nothing
    of it is due; ask after the board was tended.
    """
    now = in_utc(now)
    messages = _live(trouble, subscriptions, known, now, dagster) if trouble.incident.live else _over(trouble, subscriptions, known, now)
    return Due(tuple(message for message in messages if message.key not in known), dict(_withdrawn(trouble, known)))


def _live(trouble: Trouble, subscriptions: Sequence[Subscription], known: Outbox, now: datetime, dagster: str) -> Iterator[Message]:
    failing = [impact for impact in trouble.impacts if impact.until is None]
    keys = _by_channel(key for key in incident_keys(known, trouble.incident) if key.phase == trouble.phase)
    for to in recipients(trouble, failing, subscriptions, trouble.severity):
        heard = keys.get(to.channel, ())
        if not any(key.about == "first" for key in heard):
            yield from _first(_as_known_to(trouble, to.channel, known), to, now, dagster)
            continue
        news = tuple(_update(trouble, to, heard, now, dagster))
        # Whoever hears something new need not be reminded of it at the same time.
        yield from news or _reminder(trouble, to, heard, known, now, dagster)


def _first(trouble: Trouble, to: Recipient, now: datetime, dagster: str) -> Iterator[Message]:
    if now < trouble.noticed_at + trouble.root.patience.wait or not _may(to, trouble.severity, now):
        return
    key = told_key(trouble.incident, "first", trouble.severity, _newest(trouble, to), to.channel)
    yield _message(key, "incident", trouble, to, first_words(trouble, to, now, dagster), now)


def _as_known_to(trouble: Trouble, channel: str, known: Outbox) -> Trouble:
    """Of the incidents that moved here only those that the channel has heard of: to others their names say nothing."""
    heard = [i for i in trouble.moved_from if any(key.channel == channel and known[key.key] in REACHED for key in incident_keys(known, i))]
    return replace(trouble, moved_from=tuple(heard))


def _update(trouble: Trouble, to: Recipient, heard: Sequence[IncidentKey], now: datetime, dagster: str) -> Iterator[Message]:
    """Only about what this channel has not heard: its own products that have failed since, and a severity that has risen."""
    told = [key for key in heard if key.about in ("first", "update")]
    until, worst = max(key.moment for key in told), max((key.severity for key in told), key=rank)
    news = [impact for impact in to.impacts if impact.since > until]
    risen = rank(trouble.severity) > rank(worst)
    if not (news or risen) or not _may(to, trouble.severity, now):
        return
    moment = max(until, _newest(trouble, to))
    severity = trouble.severity if risen else worst
    key = told_key(trouble.incident, "update", severity, moment, to.channel)
    yield _message(key, "update", trouble, to, update_words(trouble, to, news, worst if risen else None, now, dagster), now)


def _reminder(
    trouble: Trouble, to: Recipient, heard: Sequence[IncidentKey], known: Outbox, now: datetime, dagster: str
) -> Iterator[Message]:
    """To the root's owners, counted from when they could first be told. Those missed while nothing ran are left out but the last."""
    every = trouble.root.patience.renotify
    if not to.owner or every is None or trouble.incident.status != "open":
        return
    begin = first_loud(to.owner_quiets, trouble.noticed_at + trouble.root.patience.wait, trouble.severity)
    number = (now - begin) // every
    reminded = max((key.number for key in heard if key.about == "reminder"), default=0)
    unsent = any(known[key.key] == "waiting" for key in heard if key.about in ("first", "reminder"))
    if number > reminded and not unsent and first_loud(to.owner_quiets, now, trouble.severity) <= now:
        key = reminder_key(trouble.incident, number, to.channel)
        yield _message(key, "reminder", trouble, to, reminder_words(trouble, now, dagster), now)


def _over(trouble: Trouble, subscriptions: Sequence[Subscription], known: Outbox, now: datetime) -> Iterator[Message]:
    """To those who have heard of it, or of an incident that moved here. One that moved away goes on elsewhere and is not over."""
    if trouble.incident.resolution == "moved":
        return
    by_name = {to.channel: to for to in recipients(trouble, trouble.impacts, subscriptions, "critical")}
    for channel, severity in sorted(_reached(trouble, known).items()):
        to = by_name.get(channel, Recipient(channel, consumer=True))
        if _may(to, severity, now):
            yield _message(recovery_key(trouble.incident, channel), "recovery", trouble, to, recovery_words(trouble, to, now), now)


def _reached(trouble: Trouble, known: Outbox) -> dict[str, Severity]:
    """The channels that have heard of it, and the worst that they have heard."""
    found: dict[str, Severity] = {}
    for incident in (trouble.incident, *trouble.moved_from):
        for key in incident_keys(known, incident):
            if key.phase == incident.reopened and key.about != "recovery" and known[key.key] in REACHED:
                found[key.channel] = max(found.get(key.channel, "low"), key.severity, key=rank)
    return found


def _withdrawn(trouble: Trouble, known: Outbox) -> Iterator[tuple[str, str]]:
    for key in incident_keys(known, trouble.incident):
        reason = _outdated(trouble, key) if known[key.key] == "waiting" else ""
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
    own = [trouble.noticed_at] if to.owner or to.consumer else []
    return max([*own, *(impact.since for impact in to.impacts)])


def _may(to: Recipient, severity: Severity, now: datetime) -> bool:
    return first_loud(to.quiets, now, severity) <= now


def _by_channel(keys: Iterable[IncidentKey]) -> dict[str, list[IncidentKey]]:
    found: dict[str, list[IncidentKey]] = {}
    for key in keys:
        found.setdefault(key.channel, []).append(key)
    return found


def _message(key: str, kind: MessageKind, trouble: Trouble, to: Recipient, words: Words, now: datetime) -> Message:
    root = trouble.root
    return Message(key, kind, to.channel, root.name, root.domain, trouble.incident.name, words.subject, words.body, now)
