"""The technical part of a message to owners: failing checks with evidence, affected products, and next steps."""

from platform_resources.notify.facts import Failure, Trouble
from platform_resources.notify.safe_text import LONGEST_REASON, MOST, address, bold, bullets, code, harmless, listed, paragraphs, place
from platform_resources.notify.web_pages import NO_PAGES, WebPages
from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.durations import length_text


def diagnosis(trouble: Trouble, clock: Clock, pages: WebPages = NO_PAGES) -> str:
    """The technical part of a message to owners; `pages` gives the addresses for its links."""
    root = trouble.root
    count = len(trouble.failures)
    fails = f"fails {count} check{'s' if count != 1 else ''}" if count else "is unhealthy"
    because = f": {harmless(trouble.because, LONGEST_REASON)}" if trouble.because else ""
    return paragraphs(
        f"{bold(root.title)} ({code(root.name)}) {fails} since {clock.moment(trouble.began_at)}. Severity **{trouble.severity}**{because}.",
        bullets([*(_evidence(failure, clock, pages) for failure in trouble.failures[:MOST]), *_more(count)]),
        bullets([line for line in _around(trouble) if line]),
        _commands(trouble, pages),
    )


def _commands(trouble: Trouble, pages: WebPages) -> str:
    """Whoever has acknowledged it is not asked to do so again."""
    name = trouble.incident.name
    page = pages.incident(trouble.incident)
    look = f"Look: {f'{place(page)} or ' if page else ''}{code(f'mesh incidents {name}')}"
    return (
        f"{look}, take it: {code(f'mesh ack {name}')}" if trouble.incident.status == "open" else f"{look}. It is {trouble.incident.status}."
    )


def answer(trouble: Trouble) -> str:
    """How quickly somebody acknowledged the incident."""
    seen = trouble.incident.acknowledged_at
    return f"Acknowledged after {length_text(seen - trouble.noticed_at)}." if seen is not None else "Nobody had acknowledged it."


def _more(count: int) -> tuple[str, ...]:
    return (f"{count - MOST} more",) if count > MOST else ()


def _evidence(failure: Failure, clock: Clock, pages: WebPages) -> str:
    run = pages.run(failure.run_id)
    parts = [
        harmless(failure.reason, LONGEST_REASON) or "no reason given",
        f"value {harmless(failure.value)}" if failure.value else "",
        f"promised {harmless(failure.threshold)}" if failure.threshold else "",
        f"{failure.failing_rows} failing row{'s' if failure.failing_rows != 1 else ''}" if failure.failing_rows else "",
        "in the version that was held back" if failure.held_back else "",
        f"since {clock.moment(failure.since)}",
        f"run {place(run)}" if run else "",
    ]
    return f"{bold(failure.fault)} ({code(failure.check)}): {'; '.join(part for part in parts if part)}"


def _around(trouble: Trouble) -> tuple[str, ...]:
    failing = [harmless(impact.about.title) for impact in trouble.impacts if impact.until is None]
    consumers = [harmless(title) for about in (trouble.root, *(i.about for i in trouble.impacts)) for title in about.consumers]
    related = [f"{code(name)} ({harmless(title)})" for name, title in trouble.related]
    root = trouble.root
    return (
        f"Impacted products: {listed(failing) or 'none'}",
        f"Possibly related, further upstream: {listed(related)}" if related else "",
        f"Impacted consumers: {listed(list(dict.fromkeys(consumers)))}" if consumers else "",
        f"Owners: {listed([address(owner) for owner in root.owners])}" if root.owners else "",
        f"Runbook: {place(root.runbook)}" if root.runbook else "Runbook: none is named in product.yaml",
    )
