"""A product's scorecard: one page to read, a few numbers that Dagster plots over time, and behind them everything as it is."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from platform_resources.ledger.payload import ScorecardSaid, to_metadata
from platform_resources.orchestration.events.healthy import health_text
from platform_resources.orchestration.events.ledger_events import NUMBERS
from platform_resources.orchestration.events.results import markdown_table
from platform_resources.promises.grades import LastRefresh, ProductHealth, published_text
from platform_resources.promises.scores import ProductScore
from platform_resources.refresh.gate import AuditVerdict
from platform_resources.services.indicator_sentences import standing_text, standing_verdict
from platform_resources.services.trust import Trust, coverage_text, tables, trust_numbers
from platform_resources.spec.values.clocks import Clock

# Longer Markdown is hidden behind a link on Dagster's pages.
ROOM = 999
MOST_LINES = 4
MARKS = {"met": "met", "missed": "**missed**", "unknown": "*unknown*"}
Section = tuple[str, Sequence[str]]


def scorecard_metadata(
    health: ProductHealth,
    verdicts: Sequence[AuditVerdict],
    last: LastRefresh,
    clock: Clock,
    trust: Trust | None = None,
    score: ProductScore | None = None,
) -> dict[str, Any]:
    """What the scorecard holds. Only an evaluation knows the product's `trust` and `score`; times are by the product's clock."""
    count = {word: sum(v.verdict == word for v in verdicts) for word in MARKS}
    rows = [[v.title, v.dimension, MARKS[v.verdict], v.reason] for v in verdicts]
    said = ScorecardSaid(
        outcome=last.outcome,
        held_back=last.held_back,
        objectives=len(verdicts),
        **count,
        measured_at=clock.now,
        evaluated=trust is not None,
    )
    return {
        "scorecard": dg.MetadataValue.md(
            page(_head(health, last, clock), (_promises(verdicts, health.reason), *_sections(trust, clock), *_score(score)))
        ),
        **_plots(verdicts, trust),
        **(_of_score(score) if score is not None else {}),
        "outcome": last.outcome,
        "promises_table": dg.MetadataValue.md(markdown_table(["promise", "dimension", "verdict", "why"], rows)),
        **(_tables(trust, clock) if trust is not None else {}),
        NUMBERS: dg.MetadataValue.json({**to_metadata(said), **(trust_numbers(trust) if trust is not None else {})}),
    }


def _tables(trust: Trust, clock: Clock) -> dict[str, Any]:
    by_title: dict[str, Any] = {
        f"{title.replace(' ', '_')}_table": dg.MetadataValue.md(markdown_table(header, rows))
        for title, header, rows in tables(trust, clock)
    }
    return by_title | {"coverage": coverage_text(trust)}


def _head(health: ProductHealth, last: LastRefresh, clock: Clock) -> str:
    """How the product is, which version is served, and how the last refresh ended, where that is not the same."""
    status, colon, reason = health_text(health).partition(":")
    lines = [f"**{status.capitalize()}**{colon}{reason}"]
    if health.published is not None:
        lines.append(f"**Version**: published {clock.moment(health.published.published_at)}")
        if not last.held_back and last.outcome != published_text(health.published.version):
            lines.append(f"Last refresh: {last.outcome}")
    return "\n\n".join(lines)


def page(head: str, sections: Sequence[Section]) -> str:
    """The page with as many lines of each section as there is room for."""
    for most in range(MOST_LINES, 0, -1):
        text = "\n\n".join((head, *(_section(title, lines, most) for title, lines in sections)))
        if len(text) <= ROOM:
            return text
    return "\n\n".join((head, *(title for title, _ in sections)))


def _section(title: str, lines: Sequence[str], most: int) -> str:
    more = [f"and {len(lines) - most} more, below"] if len(lines) > most else []
    return "\n".join((title, "", *(f"- {line}" for line in (*lines[:most], *more)))) if lines else title


def _promises(verdicts: Sequence[AuditVerdict], headline: str) -> Section:
    """Promises that are not met, each with its reason unless the page's head, `told`, has it already."""
    worst = sorted((v for v in verdicts if v.verdict != "met"), key=lambda v: v.verdict != "missed")
    met = sum(v.verdict == "met" for v in verdicts)
    return f"**Promises**: {met} of {len(verdicts)} met", [
        f"{MARKS[v.verdict]}: {v.title}{'' if v.reason in headline else f': {v.reason}'}" for v in worst
    ]


def _sections(trust: Trust | None, clock: Clock) -> Iterator[Section]:
    if trust is None:
        return
    if trust.standings:
        kept = sum(standing_verdict(standing) == "met" for standing in trust.standings)
        sentences = [f"{standing.indicator.check.title}: {standing_text(standing, clock)}" for standing in trust.standings]
        yield f"**Error budgets**: {kept} of {len(trust.standings)} promises over time met", sentences
    yield f"**Incidents**: {len(trust.incidents) or 'none'}", list(_incidents(trust, clock))
    yield f"**Coverage**: {coverage_text(trust)}", ()


def _score(score: ProductScore | None) -> Iterator[Section]:
    if score is not None:
        letters = ", ".join(f"{letter} {points}" for letter, points in score.letters.items())
        yield f"**Score**: {score.total} of 100, badge {score.badge} ({letters})", ()


def _of_score(score: ProductScore) -> dict[str, Any]:
    """Each letter to be plotted, and every criterion with its evidence."""
    rows = [
        [c.letter, c.about, f"{c.gained:g} of {c.points:g}", c.declared, c.evidence if c.known else f"no evidence: {c.evidence}"]
        for c in score.criteria
    ]
    table = markdown_table(["letter", "criterion", "points", "declared", "evidence"], rows)
    return {
        "score": score.total,
        **{f"score {letter}": points for letter, points in score.letters.items()},
        "score_table": dg.MetadataValue.md(table),
    }


def _incidents(trust: Trust, clock: Clock) -> Iterator[str]:
    for stored in trust.incidents:
        since = clock.moment(stored.incident.began_at)
        yield f"{stored.incident.name}, {stored.severity}, {stored.incident.status} since {since}: {stored.title}"
    yield from (f"accepted by {promise.acceptance.by}: {promise.title}" for promise in trust.accepted)


def _plots(verdicts: Sequence[AuditVerdict], trust: Trust | None) -> dict[str, float]:
    """One that cannot be told now is left out, never 0."""
    met = sum(v.verdict == "met" for v in verdicts)
    measured = any(v.verdict != "unknown" for v in verdicts)
    plots: dict[str, float | None] = {"promises met (%)": round(100 * met / len(verdicts), 1) if measured else None}
    if trust is not None:
        budgets = [standing.attainment.budget for standing in trust.standings]
        left = [max(0.0, 1 - budget.consumed) for budget in budgets if budget is not None]
        plots["error budget left (%)"] = round(100 * min(left), 1) if left else None
        plots["open incidents"] = float(len(trust.incidents))
        share = trust.coverage.own.share
        plots["coverage (%)"] = None if share is None else round(100 * share, 1)
    return {name: value for name, value in plots.items() if value is not None}
