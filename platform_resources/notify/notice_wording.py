"""Write messages other than incidents: error budgets, schema changes, the daily digest."""

import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from platform_resources.contracts.structure_changes import is_wider
from platform_resources.incidents.severity import rank
from platform_resources.notify.facts import (
    About,
    BudgetStanding,
    Day,
    InputChange,
    LostCertificate,
    OpenLine,
    PortEnding,
    ProductLine,
    ResolvedLine,
    RetiredProduct,
    SchemaChange,
)
from platform_resources.notify.predicates import health
from platform_resources.notify.safe_text import LONGEST_REASON, bold, bullets, code, harmless, listed, one_line, paragraphs, place
from platform_resources.notify.wording import Words
from platform_resources.promises.grades import IDLE
from platform_resources.promises.schema_difference import SchemaDifference
from platform_resources.spec.values.calendar_windows import window_text
from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.durations import length_text

BROKEN = 100
MOST_LINES = 20


def budget_words(standing: BudgetStanding, level: int) -> Words:
    """A level of an error budget is reached; says how much is left."""
    title, promise = one_line(standing.about.title, 60), one_line(standing.title, 60)
    used = "all of its error budget is used up" if level >= BROKEN else f"{level} % of its error budget is used up"
    about = standing.about
    body = paragraphs(
        f"{bold(about.title)} promises {bold(standing.title)}: {standing.target:g} % over {window_text(standing.window)}. "
        f"It stands at {_percent(standing.percent)} %.",
        f"{_left(standing)} {_consequence(standing, level)}".strip(),
        bullets([f"Runbook: {place(about.runbook)}"] if about.runbook else []),
    )
    return Words(one_line(f"{title}: {used} ({promise})"), body)


def _left(standing: BudgetStanding) -> str:
    """How much is left: `1 of 4 bad days`, or a share where the budget is no number of intervals."""
    budget = standing.budget
    if math.isinf(budget.consumed):
        return "The promise leaves no room for anything bad, and something was."
    used = f"{budget.consumed * 100:.0f} % of the error budget is used up"
    if budget.left <= 0:
        return f"{used}; nothing is left."
    if standing.interval is None:
        return f"{used}; {(1 - budget.consumed) * 100:.0f} % is left."
    bad = "bad days" if standing.interval == timedelta(days=1) else f"bad intervals of {length_text(standing.interval)}"
    return f"{used}; {budget.left:.3g} of {budget.total:.3g} {bad} may still come."


def _consequence(standing: BudgetStanding, level: int) -> str:
    if standing.percent < standing.target:
        return "**The promise is broken.**"
    return "" if level < BROKEN else "Whatever is bad from now on breaks the promise."


def _percent(percent: float) -> str:
    """Never rounded up to a promise that was not kept."""
    return f"{math.floor(percent * 100) / 100:g}"


def schema_words(change: SchemaChange, affected: Sequence[About] = ()) -> Words:
    """The changed columns of a version; `affected` are the reader's own downstream products."""
    title = one_line(change.about.title, 60)
    what = "has lost or changed columns" if change.breaking else "has new or wider columns"
    whose = f"You read it in {listed([_use(about, change) for about in affected])}. " if affected else ""
    kind = "This is a **MAJOR** change: queries that name these columns may fail."
    advice = kind if change.breaking else "This is a MINOR change: nothing that works today breaks."
    ports = [paragraphs(f"{bold(port)}:", bullets(_difference(difference))) for port, difference in change.ports.items() if difference]
    body = paragraphs(f"{bold(change.about.title)} {what} since version {code(change.version)}. {whose}{advice}", *ports)
    return Words(one_line(f"{'Breaking: ' if change.breaking else ''}{title} {what}"), body)


def input_words(change: InputChange) -> Words:
    """The changed columns of a pull, and their effect on the product."""
    title = one_line(change.about.title, 60)
    what = "receives lost or changed columns" if change.breaking else "receives new columns"
    advice = "**This may break** what is built from them." if change.breaking else "Nothing that works today breaks."
    ports = [paragraphs(f"{bold(port)}:", bullets(_difference(difference))) for port, difference in change.ports.items() if difference]
    runbook = bullets([f"Runbook: {place(change.about.runbook)}"] if change.about.runbook else [])
    body = paragraphs(f"What comes into {bold(change.about.title)} has other columns than before. {advice}", *ports, runbook)
    return Words(one_line(f"{'Input changed: ' if change.breaking else ''}{title} {what}"), body)


def ending_words(ending: PortEnding, below: Sequence[About]) -> Words:
    """A port ends: what its readers have to do; `below` are the products that read it and are the recipient's."""
    title, when = one_line(ending.about.title, 60), _on(ending)
    whose = f" You read it in {listed([bold(about.title) for about in below])}." if below else ""
    moved = code(f"mesh release switched {ending.about.name} {ending.port}")
    done = f"A product has moved when it reads the other port; others say {moved}."
    body = paragraphs(
        f"Output port {code(ending.port)} of {bold(ending.about.title)} ends{when}: {harmless(ending.text)}.{whose}",
        f"A role that you have holds for both. {done}",
    )
    return Words(one_line(f"{title}: output port {ending.port} ends{when}"), body)


def over_words(ending: PortEnding, days_left: int | None) -> Words:
    """A port may be taken away, for its end has come or nobody reads it any more: what its owners have to do."""
    come = "ends" + _on(ending) if days_left is None or days_left > 0 else "has come to its end"
    still = f"It is still read by {listed([harmless(r) for r in ending.readers])}." if ending.readers else "Nobody is known to read it."
    body = paragraphs(
        f"Output port {code(ending.port)} of {bold(ending.about.title)} {come}. {still}",
        f"Take it away: {code(f'mesh release end {ending.about.name} {ending.port} --write')}",
    )
    return Words(one_line(f"{one_line(ending.about.title, 60)}: output port {ending.port} may be taken away"), body)


def retired_words(retired: RetiredProduct, below: Sequence[About]) -> Words:
    """A product is retired; `below` are the recipient's products that read it."""
    title = one_line(retired.about.title, 60)
    instead = f"{code(retired.replacement)} takes its place." if retired.replacement else "Nothing takes its place."
    whose = f"You read it in {listed([bold(about.title) for about in below])}, whose input fails from now on." if below else ""
    why = f"It was retired on {retired.at:%Y-%m-%d} by {harmless(retired.person)}: {harmless(retired.why)}"
    body = paragraphs(f"{bold(retired.about.title)} is retired. {instead} {whose}".strip(), why)
    return Words(one_line(f"{title} is retired"), body)


def certificate_words(lost: LostCertificate, owner: bool) -> Words:
    """A product is certified no more: why, and what its owners can do."""
    title, name = one_line(lost.about.title, 60), lost.about.name
    ended, granted = f"on {lost.ended_at:%Y-%m-%d}", f"{harmless(lost.person)} had vouched for it on {lost.granted_at:%Y-%m-%d}"
    why = f"The certificate was lost {ended}: {harmless(lost.because)}." if lost.because else f"The certificate ended {ended}."
    anew = f"When all criteria hold, somebody who does not own it may vouch anew: {code(f'mesh certify {name} --until …')}" if owner else ""
    body = paragraphs(f"{bold(lost.about.title)} is certified no more. {why} {granted}.", anew)
    return Words(one_line(f"{title} is certified no more"), body)


def _on(ending: PortEnding) -> str:
    return f" on {ending.end_date}" if ending.end_date is not None else ""


def _use(about: About, change: SchemaChange) -> str:
    """The product, with the columns lost or changed that it uses."""
    used = change.used.get(about.name, ())
    return f"{bold(about.title)} (which uses {listed([code(column) for column in used])})" if used else bold(about.title)


def _difference(difference: SchemaDifference) -> list[str]:
    """Each column with what a consumer has to do about it."""
    lines = [f"removed: {code(name)} ({code(kind)}); read it no more, or ask the owner for it" for name, kind in difference.removed]
    lines += [f"renamed: {code(old)} is called {code(new)} now; read it by that name" for old, new in difference.renamed]
    for column in difference.changed:
        to_do = "it holds all former values" if is_wider(column.before, column.after) else f"take it as {code(column.after)}"
        lines.append(f"type changed: {code(column.column)}, from {code(column.before)} to {code(column.after)}; {to_do}")
    lines += [f"added: {code(name)} ({code(kind)})" for name, kind in difference.added]
    return _cut(lines)


def digest_words(day: Day, on: date, now: datetime) -> Words:
    """A domain's day in brief; healthy products are only counted."""
    running = [line for line in day.products if line.status not in IDLE]
    bad = [line for line in running if line.status != "healthy"]
    products = f"product{'s' if len(running) != 1 else ''}"
    summary = (
        f"{len(bad)} of {len(running)} {products} {'is' if len(bad) == 1 else 'are'} not healthy" if bad else _all_healthy(len(running))
    )
    sections = (
        _section("", [_product(line) for line in bad]),
        _section("Open incidents", [_open(line, now) for line in sorted(day.open, key=lambda line: -rank(line.severity))]),
        _section("Resolved in the last day", [_resolved(line) for line in day.resolved]),
        _section("Error budgets at risk", [_at_risk(standing) for standing in day.budgets]),
        _section("Ports that end", [_ends(ending) for ending in day.endings]),
        _section("Changed schemas", [*map(_changed, day.schemas), *map(_changed_input, day.inputs)]),
    )
    body = paragraphs(
        f"{summary}.",
        *sections,
        f"As of {Clock(day.digest.timezone, now).moment(now)}." if any(sections) else "",
        f"More: {place(day.page)}" if day.page else "",
    )
    return Words(one_line(f"{one_line(day.title, 60)}, {on:%a} {on.day} {on:%b}: {summary}"), body)


def _all_healthy(count: int) -> str:
    return f"All {count} products are healthy" if count > 1 else "The only product is healthy" if count else "No product runs here"


def _section(head: str, lines: Sequence[str]) -> str:
    return paragraphs(f"**{head}**" if head else "", bullets(_cut(lines))) if lines else ""


def _cut(lines: Iterable[str]) -> list[str]:
    shown = list(lines)
    return shown if len(shown) <= MOST_LINES else [*shown[: MOST_LINES - 1], f"{len(shown) - MOST_LINES + 1} more"]


def _product(line: ProductLine) -> str:
    because = f": {harmless(line.because, LONGEST_REASON)}" if line.because else ""
    return f"{bold(line.title)} is {health(line.status)}{because}"


def _open(line: OpenLine, now: datetime) -> str:
    incident = line.incident
    return f"{code(incident.name)} {harmless(line.title)}: {line.severity}, {incident.status} for {length_text(now - incident.began_at)}"


def _resolved(line: ResolvedLine) -> str:
    return f"{code(line.name)} {harmless(line.title)}: {line.resolution} after {length_text(line.took)}"


def _at_risk(standing: BudgetStanding) -> str:
    consumed = standing.budget.consumed
    used = "used up" if consumed >= 1 else f"{consumed * 100:.0f} % used"
    return f"{bold(standing.about.title)}, {harmless(standing.title)}: {used} over {window_text(standing.window)}"


def _ends(ending: PortEnding) -> str:
    readers = f"still read by {listed([harmless(reader) for reader in ending.readers])}" if ending.readers else "nobody is known to read it"
    return f"{bold(ending.about.title)}, {code(ending.port)} of version {code(ending.version)}, ends{_on(ending)}: {readers}"


def _changed(change: SchemaChange) -> str:
    return f"{bold(change.about.title)}: {'breaking' if change.breaking else 'only new columns'}"


def _changed_input(change: InputChange) -> str:
    ports = listed([harmless(port) for port, difference in change.ports.items() if difference])
    return f"{bold(change.about.title)} receives {'lost or changed' if change.breaking else 'new'} columns: {ports}"
