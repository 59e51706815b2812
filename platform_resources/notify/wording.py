"""What a message about an incident says: to consumers about their product, to owners about what fails.

The consumer's wording has product titles only: no check, no query, no error text. Bodies are Markdown that reads well where it is not
rendered; whatever comes from data goes through `safe_text`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from platform_resources.notify.facts import About, Failure, Impact, Trouble
from platform_resources.notify.recipients import Recipient
from platform_resources.notify.safe_text import (
    LONGEST_REASON,
    MOST,
    address,
    bold,
    bullets,
    code,
    harmless,
    length,
    listed,
    moment,
    one_line,
    paragraphs,
    place,
)
from platform_resources.objectives.incidents import Resolution
from platform_resources.objectives.severity import Severity

# What is wrong with a product whose promise of this dimension is broken; of any other dimension the promise itself is named.
_BY_DIMENSION = {
    "availability": "cannot be reached reliably",
    "completeness": "has gaps",
    "duration": "takes too long to refresh",
    "freshness": "is not fresh",
    "referential-consistency": "refers to things that do not exist",
    "uniqueness": "has duplicates",
    "validity": "has values that are not allowed",
    "volume": "does not have the expected number of rows",
}
_ENDINGS: dict[Resolution, str] = {
    "auto-recovered": "Everything that had failed is fine again.",
    "fixed": "The owners say that it is fixed.",
    "expected": "The owners say that this was expected.",
    "false positive": "The owners say that nothing was wrong: a false alarm.",
    "no action": "It was closed without a repair.",
    "moved": "Its cause was found further upstream.",
}
_WELL: tuple[Resolution, ...] = ("auto-recovered", "fixed")


@dataclass(frozen=True, slots=True)
class Words:
    """A subject of one line of plain text, and a body in Markdown."""

    subject: str
    body: str


def first_words(trouble: Trouble, to: Recipient, dagster: str = "") -> Words:
    """What a channel hears of an incident first."""
    again = "It happened again: this incident was over, and is open once more." if trouble.phase else ""
    return _words(trouble, to, dagster, _subject(trouble, to), (again, _moved_here(trouble)))


def update_words(trouble: Trouble, to: Recipient, news: Sequence[Impact], before: Severity | None, dagster: str = "") -> Words:
    """What is new to a channel that was told before: `news` of its own products, and the severity `before` if that has risen."""
    told = [
        f"Now also unhealthy: {listed([bold(impact.about.title) for impact in news])}." if news else "",
        f"The severity has risen from {before} to **{trouble.severity}**." if before is not None else "",
    ]
    return _words(trouble, to, dagster, f"Update: {_subject(trouble, to)}", (" ".join(part for part in told if part),))


def reminder_words(trouble: Trouble, now: datetime, dagster: str = "") -> Words:
    """Nobody has acknowledged it yet."""
    waits = length(now - trouble.noticed_at)
    subject = one_line(f"Still open after {waits}: {_root_sentence(trouble)} ({trouble.incident.name})")
    return Words(subject, paragraphs(f"Nobody has acknowledged this for {waits}.", _technical(trouble, dagster), _times(trouble.root)))


def recovery_words(trouble: Trouble, to: Recipient) -> Words:
    """It is over: how it ended, and how long it took."""
    incident, about = trouble.incident, _reader(trouble, to)
    over = incident.resolved_at or incident.changed_at
    well = incident.resolution in _WELL
    told = _ENDINGS[incident.resolution or "fixed"]
    note = f' They add: "{harmless(trouble.ending, LONGEST_REASON)}"' if trouble.ending else ""
    began, ended = moment(trouble.began_at, about.timezone), moment(over, about.timezone)
    body = paragraphs(
        f"{bold(trouble.root.title)} is well again. {told}{note}"
        if well
        else f"The incident of {bold(trouble.root.title)} is closed. {told}{note}",
        _followers(to.impacts) if well else "",
        f"The trouble lasted {length(over - trouble.began_at)}, from {began} to {ended}.",
        _response(trouble) if to.owner else "",
        _times(about, incident.name),
    )
    return Words(one_line(_recovery_subject(trouble, to, well)), body)


def _recovery_subject(trouble: Trouble, to: Recipient, well: bool) -> str:
    root = one_line(trouble.root.title, 80)
    if not well:
        return f"Closed: {root} ({trouble.incident.resolution})"
    titles = [one_line(impact.about.title, 80) for impact in to.impacts if impact.until is not None]
    if to.owner or to.consumer or not titles:
        return f"{root} is well again"
    return f"{listed(titles, 2)} {_are(len(titles))} well again"


def _followers(impacts: Sequence[Impact]) -> str:
    """Those below a root that has recovered are well as soon as their next refresh has brought the repair."""
    well = [bold(impact.about.title) for impact in impacts if impact.until is not None]
    late = [bold(impact.about.title) for impact in impacts if impact.until is None]
    return " ".join(
        part
        for part in (
            f"{listed(well)} {_are(len(well))} well again too." if well else "",
            f"{listed(late)} will follow with the next refresh." if late else "",
        )
        if part
    )


def _response(trouble: Trouble) -> str:
    seen = trouble.incident.acknowledged_at
    return f"Acknowledged after {length(seen - trouble.noticed_at)}." if seen is not None else "Nobody had acknowledged it."


def _words(trouble: Trouble, to: Recipient, dagster: str, subject: str, news: Sequence[str]) -> Words:
    """The consumer's part above the technical one, for a channel that gets both."""
    for_consumer = to.consumer or bool(to.impacts)
    body = paragraphs(
        *news,
        _consumer(trouble, to) if for_consumer else "",
        "---" if for_consumer and to.owner else "",
        _technical(trouble, dagster, _reader(trouble, to).timezone) if to.owner else "",
        _times(_reader(trouble, to), "" if to.owner else trouble.incident.name),
    )
    return Words(one_line(subject), body)


def _subject(trouble: Trouble, to: Recipient) -> str:
    cause = _root_sentence(trouble)
    if to.owner:
        titles = [one_line(impact.about.title, 40) for impact in to.impacts]
        below = f"; {listed(titles, 2)} {_are(len(titles))} unhealthy" if titles else ""
        return f"[{trouble.severity}] {cause} ({trouble.incident.name}){below}"
    if to.consumer or not to.impacts:
        return cause
    titles = [one_line(impact.about.title, 60) for impact in to.impacts]
    return f"{listed(titles, 2)} {_are(len(titles))} unhealthy: {cause}"


def _root_sentence(trouble: Trouble) -> str:
    return f"{one_line(trouble.root.title, 60)} {_wrong(trouble)}"


def _wrong(trouble: Trouble) -> str:
    """What is wrong with the root, in words that need no knowledge of its checks: `is not fresh and has gaps`."""
    return listed(list(dict.fromkeys(_predicate(failure) for failure in trouble.failures)), 2) or "is unhealthy"


def _predicate(failure: Failure) -> str:
    match failure.kind:
        case "objective":
            return _BY_DIMENSION.get(failure.dimension, f'breaks its promise "{one_line(failure.title, 60)}"')
        case "test":
            return "fails a test of its data"
        case "input":
            return "has trouble with what it is made from"
        case "indicator":
            return "breaks a promise too often"
        case "refresh":
            return "could not be refreshed"
        case "versions":
            return "cannot be read"
        case _:
            assert_never(failure.kind)


def _consumer(trouble: Trouble, to: Recipient) -> str:
    about = _reader(trouble, to)
    return paragraphs(_what_is_wrong(trouble, to, about.timezone), bullets([line for line in _what_to_do(trouble, to, about) if line]))


def _what_is_wrong(trouble: Trouble, to: Recipient, zone: str) -> str:
    root, since = bold(trouble.root.title), f"(since {moment(trouble.began_at, zone)})"
    wrong = f"{harmless(_wrong(trouble), LONGEST_REASON)} {since}"
    titles = [bold(impact.about.title) for impact in to.impacts]
    if not titles:
        return f"{root} {wrong}."
    if to.consumer:
        return f"{root} {wrong}. Because of that {listed(titles)} {_are(len(titles))} unhealthy too."
    return f"{listed(titles)} {_are(len(titles))} unhealthy because {_as_seen_from(to.impacts, root)} {wrong}."


def _as_seen_from(impacts: Sequence[Impact], root: str) -> str:
    """The root as what it is to those it harms: their input, or what they get by way of others."""
    one = len(impacts) == 1
    if not any(impact.via for impact in impacts):
        return f"{'its' if one else 'their'} input {root}"
    if one:
        return f"{root}, which it gets by way of {listed([harmless(title) for title in impacts[0].via], 3)},"
    return f"{root}, which they are made from,"


def _what_to_do(trouble: Trouble, to: Recipient, about: About) -> tuple[str, ...]:
    affected = [trouble.root] if to.consumer else []
    affected += [impact.about for impact in to.impacts]
    root = trouble.root
    support = about.support or root.support
    return (
        *_what_still_works(affected, about.timezone),
        f"What to expect: {_expectation(trouble, affected)}",
        f"Who takes care: {listed([address(owner) for owner in root.owners])}" if root.owners else "Who takes care: nobody is named",
        f"Runbook: {place(root.runbook)}" if root.runbook else "",
        f"Questions: {address(support)}" if support else "",
    )


def _what_still_works(affected: Sequence[About], zone: str) -> tuple[str, ...]:
    if len(affected) == 1:
        good = affected[0].good_as_of
        return (
            f"What still works: the last published version, as of {moment(good, zone)}"
            if good
            else "What still works: nothing; nothing was published yet",
        )
    lines = [
        f"{harmless(about.title)}: {f'as of {moment(about.good_as_of, zone)}' if about.good_as_of else 'none'}" for about in affected[:MOST]
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


def _technical(trouble: Trouble, dagster: str, zone: str = "") -> str:
    zone, root, incident = zone or trouble.root.timezone, trouble.root, trouble.incident
    count = len(trouble.failures)
    fails = f"fails {count} check{'s' if count != 1 else ''}" if count else "is unhealthy"
    because = f": {harmless(trouble.because, LONGEST_REASON)}" if trouble.because else ""
    return paragraphs(
        f"{bold(root.title)} ({code(root.name)}) {fails} since {moment(trouble.began_at, zone)}. Severity **{trouble.severity}**{because}.",
        bullets([*(_check(failure, zone, dagster) for failure in trouble.failures[:MOST]), *_more(count)]),
        bullets([line for line in _around(trouble) if line]),
        f"Look: {code(f'mesh incidents {incident.name}')}, take it: {code(f'mesh ack {incident.name}')}",
    )


def _more(count: int) -> tuple[str, ...]:
    return (f"{count - MOST} more",) if count > MOST else ()


def _check(failure: Failure, zone: str, dagster: str) -> str:
    told = [
        harmless(failure.reason, LONGEST_REASON) or "no reason given",
        f"value {harmless(failure.value)}" if failure.value else "",
        f"promised {harmless(failure.threshold)}" if failure.threshold else "",
        f"{failure.failing_rows} failing row{'s' if failure.failing_rows != 1 else ''}" if failure.failing_rows else "",
        f"since {moment(failure.since, zone)}",
        f"run {place(dagster.rstrip('/') + '/runs/' + failure.run_id)}" if dagster and failure.run_id else "",
    ]
    return f"{bold(failure.title)} ({code(failure.check)}): {'; '.join(part for part in told if part)}"


def _around(trouble: Trouble) -> tuple[str, ...]:
    failing = [harmless(impact.about.title) for impact in trouble.impacts if impact.until is None]
    consumers = [harmless(title) for about in (trouble.root, *(i.about for i in trouble.impacts)) for title in about.consumers]
    root = trouble.root
    return (
        f"Impacted products: {listed(failing) or 'none'}",
        f"Impacted consumers: {listed(list(dict.fromkeys(consumers)))}" if consumers else "",
        f"Owners: {listed([address(owner) for owner in root.owners])}" if root.owners else "",
        f"Runbook: {place(root.runbook)}" if root.runbook else "Runbook: none is named in product.yaml",
    )


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
