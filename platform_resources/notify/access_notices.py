"""Messages about grants: requests to those who decide, decisions and expiry to those who asked or hold the role."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_resources.access.grants import Grant
from platform_resources.incidents.messages import Message
from platform_resources.notify.due_messages import REWRITTEN, UNSENT, DueMessages
from platform_resources.notify.facts import About, Outbox
from platform_resources.notify.keys import access_key
from platform_resources.notify.recipients import Way, first_loud, owner_ways
from platform_resources.notify.safe_text import bold, code, harmless, one_line, paragraphs
from platform_resources.notify.wording import Words

# How long before its end a grant is spoken of where its agreement names no notice period.
USUAL_NOTICE = timedelta(days=14)
_PRODUCT = "product:"


@dataclass(frozen=True, slots=True)
class GrantStanding:
    """A grant with the products involved, and how long before its end to announce that."""

    grant: Grant
    about: About
    notice: timedelta


def access_notices(
    standings: Iterable[GrantStanding], abouts: Mapping[str, About], known: Outbox, now: datetime, since: datetime
) -> DueMessages:
    """Messages due about these grants; events before `since` are skipped. `known` has all message keys of their products.

    Each request, decision and end is told once to each channel. What was not sent before something else was decided is withdrawn.
    """
    messages = tuple(message for standing in standings for message in _messages(standing, abouts, now, since))
    keys = {message.key for message in messages}
    outdated = {key: REWRITTEN for key, state in known.items() if state in UNSENT and key not in keys}
    return DueMessages(tuple(message for message in messages if known.get(message.key, "waiting") in UNSENT), outdated)


def _messages(standing: GrantStanding, abouts: Mapping[str, About], now: datetime, since: datetime) -> Iterator[Message]:
    grant, about = standing.grant, standing.about
    owners, holders = _owners(about), _holders(grant, abouts)
    state = grant.state(now)
    if state == "requested":
        yield from _to(owners, standing, "requested", grant.requested_at or now, _asked(standing), now)
    elif state == "expired" and grant.until is not None and grant.until >= since:
        yield from _to({**owners, **holders}, standing, "expired", grant.until, _told(standing, "has ended", _anew(grant)), now)
    elif state == "approved" and grant.until is not None and grant.until - standing.notice <= now:
        words = _told(
            standing, f"ends on {grant.until:%Y-%m-%d}", f"It lasts on once an owner has said {code(f'mesh access renew {grant.name}')}."
        )
        yield from _to({**owners, **holders}, standing, "ends", grant.until, words, now)
    if grant.last != "requested" and not grant.in_code and grant.last_at is not None and grant.last_at >= since and state != "expired":
        yield from _to(holders, standing, grant.last, grant.last_at, _decided(standing), now)


def _owners(about: About) -> dict[str, list[Way]]:
    """The channels of the product's owners; where there is none, their e-mail addresses."""
    return _by_channel(owner_ways(about))


def _holders(grant: Grant, abouts: Mapping[str, About]) -> dict[str, list[Way]]:
    """Those who asked and those who have it, as far as they have a channel: an address, or the channels of a product's owners."""
    channels = _by_channel(Way(name, False) for name in (grant.requested_by, grant.subject) if "@" in name and not grant.in_code)
    name = grant.subject.removeprefix(_PRODUCT)
    return channels | (_owners(abouts[name]) if name != grant.subject and name in abouts else {})


def _by_channel(ways: Iterable[Way]) -> dict[str, list[Way]]:
    channels: dict[str, list[Way]] = {}
    for way in ways:
        channels.setdefault(way.channel, []).append(way)
    return channels


def _to(
    channels: Mapping[str, list[Way]], standing: GrantStanding, what: str, at: datetime, words: Words, now: datetime
) -> Iterator[Message]:
    about = standing.about
    for channel, to in sorted(channels.items()):
        key = access_key(about.name, standing.grant.name, what, at, channel)
        loud = first_loud([way.quiet for way in to], now, "high")
        yield Message(key, "access", channel, about.name, about.domain, "", words.subject, words.body, loud)


def _asked(standing: GrantStanding) -> Words:
    grant, about = standing.grant, standing.about
    by = f", asked by {harmless(grant.requested_by)}" if grant.requested_by != grant.subject else ""
    subject = one_line(f"{about.title}: {grant.subject} asks for role {grant.role}")
    approve, reject = (code(f"mesh access {act} {grant.name}") for act in ("approve", "reject"))
    return Words(subject, paragraphs(_what(standing) + f"is asked for{by}: {harmless(grant.purpose)}", f"{approve} or {reject} decides."))


def _decided(standing: GrantStanding) -> Words:
    grant = standing.grant
    until = f" until {grant.until:%Y-%m-%d}" if grant.until is not None and grant.last in ("approved", "renewed") else ""
    because = f"{harmless(grant.last_by)}: {harmless(grant.why)}" if grant.why else f"By {harmless(grant.last_by)}."
    return _told(standing, f"is {grant.last}{until}", because)


def _told(standing: GrantStanding, what: str, more: str) -> Words:
    grant, about = standing.grant, standing.about
    return Words(one_line(f"{about.title}: role {grant.role} of {grant.subject} {what}"), paragraphs(f"{_what(standing)}{what}.", more))


def _what(standing: GrantStanding) -> str:
    grant = standing.grant
    return f"Role {code(grant.role)} of {bold(standing.about.title)} for {code(grant.subject)} (grant {code(grant.name)}) "


def _anew(grant: Grant) -> str:
    again = "" if grant.in_code else f"{code(f'mesh access renew {grant.name}')} lets it last anew. "
    return f"{again}Nothing is delivered by it any more."
