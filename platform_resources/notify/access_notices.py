"""Messages about grants and expectations: requests to who decides, decisions to who asked, expiry to who holds a role."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_resources.access.grants import Grant
from platform_resources.contracts.expectation import Expectation
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
    standings: Iterable[GrantStanding],
    abouts: Mapping[str, About],
    known: Outbox,
    now: datetime,
    since: datetime,
    expectations: Iterable[Expectation] = (),
) -> DueMessages:
    """Messages due about these grants and expectations; events before `since` are skipped. `known` has all message keys of their products.

    Each request, decision and end is told once to each channel. What was not sent before something else was decided is withdrawn.
    """
    of_grants = (message for standing in standings for message in _messages(standing, abouts, now, since))
    messages = (*of_grants, *_of_expectations(expectations, abouts, now, since))
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
    people = _by_channel(Way(name, False) for name in (grant.requested_by, grant.subject) if "@" in name and not grant.in_code)
    return people | (_channels_of(grant.subject, abouts) if grant.subject.startswith(_PRODUCT) else {})


def _channels_of(name: str, abouts: Mapping[str, About]) -> dict[str, list[Way]]:
    """Where somebody hears: an e-mail address itself, of a product the channels of its owners; nowhere if it is neither."""
    if "@" in name:
        return _by_channel([Way(name, False)])
    product = name.removeprefix(_PRODUCT)
    return _owners(abouts[product]) if product != name and product in abouts else {}


def _by_channel(ways: Iterable[Way]) -> dict[str, list[Way]]:
    channels: dict[str, list[Way]] = {}
    for way in ways:
        channels.setdefault(way.channel, []).append(way)
    return channels


def _to(
    channels: Mapping[str, list[Way]], standing: GrantStanding, what: str, at: datetime, words: Words, now: datetime
) -> Iterator[Message]:
    return _to_each(channels, standing.about, standing.grant.name, what, at, words, now)


def _to_each(
    channels: Mapping[str, list[Way]], about: About, name: str, what: str, at: datetime, words: Words, now: datetime
) -> Iterator[Message]:
    """One to each channel, about the request of this `name` and what was done to it at that time."""
    for channel, to in sorted(channels.items()):
        key = access_key(about.name, name, what, at, channel)
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


def _of_expectations(expectations: Iterable[Expectation], abouts: Mapping[str, About], now: datetime, since: datetime) -> Iterator[Message]:
    """What is proposed is told to owners as long as nobody has decided; what was decided after `since` to who proposed it."""
    for expectation in expectations:
        about = abouts[expectation.product]
        if expectation.outcome == "proposed":
            yield from _to_each(_owners(about), about, expectation.name, "expected", expectation.since, _proposed(expectation, about), now)
        elif expectation.decided_at is not None and expectation.decided_at >= since:
            to = _channels_of(expectation.person, abouts)
            yield from _to_each(
                to, about, expectation.name, expectation.outcome, expectation.decided_at, _decided_on(expectation, about), now
            )


def _proposed(expectation: Expectation, about: About) -> Words:
    subject = one_line(f"{about.title}: {expectation.person} expects that {expectation.title}")
    what = f"{code(expectation.person)} expects of {bold(about.title)}: {bold(expectation.title)}. {harmless(expectation.purpose)}"
    accept, decline = (code(f"mesh expect {act} {expectation.name}") for act in ("accept", "decline"))
    return Words(subject, paragraphs(what, f"It {harmless(expectation.tried)}.", f"{accept} or {decline} decides."))


def _decided_on(expectation: Expectation, about: About) -> Words:
    subject = one_line(f"{about.title}: your expectation {expectation.title} is {expectation.outcome}")
    by = (
        f"{harmless(expectation.decided_by)}: {harmless(expectation.why)}" if expectation.why else f"By {harmless(expectation.decided_by)}."
    )
    return Words(subject, paragraphs(f"{bold(expectation.title)} of {bold(about.title)} is {expectation.outcome}.", by))
