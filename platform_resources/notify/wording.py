"""Write messages about incidents: to consumers about their product, to owners about the failing checks.

The consumer's wording has product titles only: no check, no query, no error text. Bodies are Markdown that reads well where it is not
rendered; whatever comes from data goes through `safe_text`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from platform_resources.incidents.life_cycle import Resolution
from platform_resources.notify.diagnosis import answer, diagnosis
from platform_resources.notify.facts import About, Impact, NewFault, Trouble
from platform_resources.notify.predicates import health, held_back, newly_wrong, wrong
from platform_resources.notify.recipients import Recipient
from platform_resources.notify.safe_text import (
    LONGEST_REASON,
    MOST,
    address,
    bold,
    bullets,
    code,
    harmless,
    listed,
    one_line,
    paragraphs,
    place,
)
from platform_resources.notify.web_pages import NO_PAGES, WebPages
from platform_resources.spec.notifications import Severity
from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.durations import length_text

_ENDINGS: dict[Resolution, str] = {
    "auto-recovered": "All that this incident was about is fine again.",
    "fixed": "The owners say that it is fixed.",
    "expected": "The owners say that this was expected.",
    "false positive": "The owners say that nothing was wrong: a false alarm.",
    "no action": "It was closed without a repair.",
    "moved": "Its cause was found further upstream.",
}
_WELL: tuple[Resolution, ...] = ("auto-recovered", "fixed")


@dataclass(frozen=True, slots=True)
class Words:
    """A plain-text subject of one line, and a Markdown body."""

    subject: str
    body: str


def first_words(trouble: Trouble, to: Recipient, now: datetime, pages: WebPages = NO_PAGES) -> Words:
    """The first message about an incident."""
    subject = f"Update: {_subject(trouble, to)}" if trouble.moved_from else _subject(trouble, to)
    return _words(trouble, to, now, pages, subject, (_again(trouble), _moved_here(trouble)))


def _again(trouble: Trouble) -> str:
    if not trouble.phase:
        return ""
    if trouble.reopened_by:
        return f"This incident was closed, and {harmless(trouble.reopened_by)} has opened it again."
    return "It happened again: this incident was over, and is open once more."


def update_words(
    trouble: Trouble,
    to: Recipient,
    news: Sequence[Impact],
    joined: Sequence[NewFault],
    before: Severity | None,
    now: datetime,
    pages: WebPages = NO_PAGES,
) -> Words:
    """An update for a channel that was notified before.

    `news` of its own products, the faults of the root that have `joined` since, and the severity `before` if that has risen.
    """
    parts = [
        f"New: {bold(trouble.root.title)} {harmless(listed(newly_wrong(joined), 3), LONGEST_REASON)}{_named(joined, to)}."
        if joined
        else "",
        f"Now also: {_how([impact.about for impact in news], bold)}." if news else "",
        f"The severity has risen from {before} to **{trouble.severity}**." if before is not None else "",
    ]
    return _words(trouble, to, now, pages, f"Update: {_subject(trouble, to)}", (" ".join(part for part in parts if part),))


def _named(joined: Sequence[NewFault], to: Recipient) -> str:
    """Owners read which checks these are; those that stop a refresh are told apart below by the version that was held back."""
    titles = [harmless(new.failure.fault) for new in joined if not new.stops]
    return f" ({listed(titles, 3)})" if to.owner and titles else ""


def reminder_words(trouble: Trouble, now: datetime, pages: WebPages = NO_PAGES) -> Words:
    """A reminder that nobody has acknowledged the incident."""
    waits, clock = length_text(now - trouble.noticed_at), Clock(trouble.root.timezone, now)
    subject = one_line(f"Still open after {waits}: {_root_sentence(trouble)} ({trouble.incident.name})")
    sentences = (f"Nobody has acknowledged this for {waits}.", held_back(trouble, clock), diagnosis(trouble, clock, pages))
    return Words(subject, paragraphs(*sentences, _times(trouble.root)))


def recovery_words(trouble: Trouble, to: Recipient, now: datetime) -> Words:
    """The message that the incident ended: how, and how long it took."""
    incident, about = trouble.incident, _reader(trouble, to)
    clock = Clock(about.timezone, now)
    over = incident.resolved_at or incident.changed_at
    well = incident.resolution in _WELL and trouble.root.status in (None, "healthy")
    ending = _ENDINGS[incident.resolution or "fixed"]
    note = f' They add: "{harmless(trouble.ending, LONGEST_REASON)}"' if trouble.ending else ""
    body = paragraphs(
        f"{bold(trouble.root.title)} is well again. {ending}{note}"
        if well
        else f"The incident of {bold(trouble.root.title)} is closed. {ending}{note}",
        "" if well else _still(trouble.root, to, clock),
        _followers(to.impacts, trouble.root.title) if incident.resolution in _WELL else "",
        f"The trouble lasted {length_text(over - trouble.began_at)}, from {clock.moment(trouble.began_at)} to {clock.moment(over)}.",
        answer(trouble) if to.owner else "",
        _times(about, incident.name),
    )
    return Words(one_line(_recovery_subject(trouble, to, well)), body)


def _recovery_subject(trouble: Trouble, to: Recipient, well: bool) -> str:
    root = one_line(trouble.root.title, 80)
    if not well:
        still = f"; it is {health(trouble.root.status)}" if trouble.root.status not in (None, "healthy") else ""
        return f"Closed: {root} ({trouble.incident.resolution}){still}"
    titles = [one_line(impact.about.title, 80) for impact in to.impacts if _is_well(impact)]
    if to.owner or to.consumer or not titles:
        return f"{root} is well again"
    return f"{listed(titles, 2)} {_are(len(titles))} well again"


def _still(root: About, to: Recipient, clock: Clock) -> str:
    """What `mesh status` says of a product whose incident is closed, if that is not that it is well. Why is for its owners."""
    if root.status in (None, "healthy"):
        return ""
    because = f": {harmless(root.because, LONGEST_REASON)}" if root.because and to.owner else ""
    works = "" if to.owner else f" {_what_still_works([root], clock)[0]}."
    return f"{bold(root.title)} is {health(root.status)}{because}.{works}"


def _is_well(impact: Impact) -> bool:
    return impact.about.status == "healthy"


def _followers(impacts: Sequence[Impact], root: str) -> str:
    """Those below a root that has recovered are well once their next refresh has brought the repair, unless they have more troubles."""
    well = [bold(impact.about.title) for impact in impacts if _is_well(impact)]
    late = [impact.about for impact in impacts if not _is_well(impact) and impact.until is None]
    others = [impact.about for impact in impacts if impact.about.status not in (None, "healthy") and impact.until is not None]
    return " ".join(
        part
        for part in (
            f"{listed(well)} {_are(len(well))} well again too." if well else "",
            f"{_how(late, bold)}, and will follow with the next refresh." if late else "",
            f"{_how(others, bold)}, but no longer because of {harmless(root)}." if others else "",
        )
        if part
    )


def _how(abouts: Sequence[About], title: Callable[[str], str], most: int = MOST) -> str:
    """`Revenue and Stock are unhealthy, Report is unknown`: products by what `mesh status` says of them."""
    by_status: dict[str, list[str]] = {}
    for about in abouts:
        by_status.setdefault(health(about.status), []).append(title(about.title))
    return ", ".join(f"{listed(titles, most)} {_are(len(titles))} {word}" for word, titles in by_status.items())


def _short(longest: int) -> Callable[[str], str]:
    return lambda title: one_line(title, longest)


def _words(trouble: Trouble, to: Recipient, now: datetime, pages: WebPages, subject: str, news: Sequence[str]) -> Words:
    """The consumer's part above the technical one, for a channel that gets both."""
    for_consumer, clock = to.consumer or bool(to.impacts), Clock(_reader(trouble, to).timezone, now)
    body = paragraphs(
        *news,
        _consumer(trouble, to, clock, pages) if for_consumer else held_back(trouble, clock),
        "---" if for_consumer and to.owner else "",
        diagnosis(trouble, clock, pages) if to.owner else "",
        _times(_reader(trouble, to), "" if to.owner else trouble.incident.name),
    )
    return Words(one_line(subject), body)


def _subject(trouble: Trouble, to: Recipient) -> str:
    cause = _root_sentence(trouble)
    if to.owner:
        below = f"; {_how(_abouts(to), _short(40), 2)}" if to.impacts else ""
        return f"[{trouble.severity}] {cause} ({trouble.incident.name}){below}"
    if to.consumer or not to.impacts:
        return cause
    return f"{_how(_abouts(to), _short(60), 2)}: {cause}"


def _abouts(to: Recipient) -> list[About]:
    return [impact.about for impact in to.impacts]


def _root_sentence(trouble: Trouble) -> str:
    return f"{one_line(trouble.root.title, 60)} {wrong(trouble)}"


def _consumer(trouble: Trouble, to: Recipient, clock: Clock, pages: WebPages) -> str:
    sentence = f"{_what_is_wrong(trouble, to, clock)} {held_back(trouble, clock)}".strip()
    return paragraphs(sentence, bullets([line for line in _what_to_do(trouble, to, clock, pages) if line]))


def _what_is_wrong(trouble: Trouble, to: Recipient, clock: Clock) -> str:
    root, since = bold(trouble.root.title), f"(since {clock.moment(trouble.began_at)})"
    is_wrong = f"{harmless(wrong(trouble), LONGEST_REASON)} {since}"
    if not to.impacts:
        return f"{root} {is_wrong}."
    if to.consumer:
        return f"{root} {is_wrong}. Because of that {_how(_abouts(to), bold)} too."
    return f"{_how(_abouts(to), bold)} because {_as_seen_from(to.impacts, root)} {is_wrong}."


def _as_seen_from(impacts: Sequence[Impact], root: str) -> str:
    """The root as what it is to those it harms: their input, or what they get by way of others."""
    one = len(impacts) == 1
    if not any(impact.via for impact in impacts):
        return f"{'its' if one else 'their'} input {root}"
    if one:
        return f"{root}, which it gets by way of {listed([harmless(title) for title in impacts[0].via], 3)},"
    return f"{root}, which they are made from,"


def _what_to_do(trouble: Trouble, to: Recipient, clock: Clock, pages: WebPages) -> tuple[str, ...]:
    affected = [trouble.root] if to.consumer else []
    affected += [impact.about for impact in to.impacts]
    root = trouble.root
    support, page = _reader(trouble, to).support or root.support, "" if to.owner else pages.incident(trouble.incident)
    return (
        *_what_still_works(affected, clock),
        f"What to expect: {_expectation(trouble, affected)}",
        f"Who takes care: {listed([address(owner) for owner in root.owners])}" if root.owners else "Who takes care: nobody is named",
        f"Runbook: {place(root.runbook)}" if root.runbook else "",
        f"Questions: {address(support)}" if support else "",
        f"More: {place(page)}" if page else "",
    )


def _what_still_works(affected: Sequence[About], clock: Clock) -> tuple[str, ...]:
    if len(affected) == 1:
        good = affected[0].good_as_of
        return (
            f"What still works: the last published version, as of {clock.moment(good)}"
            if good
            else "What still works: nothing; nothing was published yet",
        )
    lines = [
        f"{harmless(about.title)}: {f'as of {clock.moment(about.good_as_of)}' if about.good_as_of else 'none'}" for about in affected[:MOST]
    ]
    more = f"; {len(affected) - MOST} more" if len(affected) > MOST else ""
    return (f"What still works, last published versions: {'; '.join(lines)}{more}",)


def _expectation(trouble: Trouble, affected: Sequence[About]) -> str:
    seen = {"open": "", "acknowledged": "The owners have seen it. ", "in progress": "The owners are working on it. ", "resolved": ""}
    below = [harmless(about.title) for about in affected if about.name != trouble.root.name]
    follow = (
        f"{listed(below, 3)} {'follows' if len(below) == 1 else 'follow'} once {harmless(trouble.root.title)} is well. " if below else ""
    )
    return f"{seen[trouble.incident.status]}{follow}You will be told here when it is over."


def _moved_here(trouble: Trouble) -> str:
    names = [code(incident.name) for incident in trouble.moved_from]
    return f"This takes over from {listed(names)}: the cause was found further upstream." if names else ""


def _reader(trouble: Trouble, to: Recipient) -> About:
    """The product whose clock the message goes by: the root for its owners and consumers, otherwise the reader's own."""
    return trouble.root if to.owner or to.consumer or not to.impacts else to.impacts[0].about


def _times(about: About, incident: str = "") -> str:
    return f"Times are in {about.timezone}." + (f" Incident: {code(incident)}" if incident else "")


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
