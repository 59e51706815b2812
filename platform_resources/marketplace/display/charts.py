"""Draw charts as SVG (pure); colours come from CSS classes, and each chart has a text alternative."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup, escape

from platform_resources.marketplace.display.phrases import PageTimes
from platform_resources.promises.slices import Slice, SliceState

CELL, GAP, HIGH = 13, 3, 26
WIDE = 336
MOST_CELLS = 31
STATES: dict[SliceState, str] = {
    "good": "met",
    "bad": "missed",
    "unknown": "not measured",
    "excluded": "left out",
    "pending": "still running",
}
# What a cell that stands for several slices shows: the first of these that any of them is.
WORST_FIRST: tuple[SliceState, ...] = ("bad", "unknown", "pending", "good", "excluded")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a strip with its tooltip."""

    state: SliceState
    title: str


@cache
def icon(name: str) -> Markup:
    """An icon of the page's own set, to be shown beside a word."""
    return Markup('<svg class="i" aria-hidden="true"><use href="#{}"/></svg>').format(name)


def short(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{value:.1f}".rstrip("0").rstrip(".") or "0"


def cells(slices: Sequence[Slice], times: PageTimes) -> tuple[Cell, ...]:
    """At most about 30 cells: with more slices, each cell stands for several and shows the worst."""
    size = max(1, -(-len(slices) // MOST_CELLS))
    if size == 1:
        return tuple(Cell(one.state, f"{times.slice_name(one.start, one.end)}: {STATES[one.state]}") for one in slices)
    return tuple(_merged(slices[start : start + size], times) for start in range(0, len(slices), size))


def _merged(group: Sequence[Slice], times: PageTimes) -> Cell:
    states = [one.state for one in group]
    counts = ", ".join(f"{states.count(state)} {STATES[state]}" for state in WORST_FIRST if state in states)
    first, last = times.moment(group[0].start), times.moment(group[-1].end)
    return Cell(next(state for state in WORST_FIRST if state in states), f"{first} to {last}: {counts}")


def strip(shown: Sequence[Cell], label: str) -> Markup:
    """The slices of a window as cells, oldest first; each state has its own shape as well as its colour."""
    body = "".join(_cell(one, index * (CELL + GAP)) for index, one in enumerate(shown))
    width = len(shown) * (CELL + GAP) - GAP
    size = f'width="{width}" height="{HIGH}" viewBox="0 0 {width} {HIGH}"'
    return Markup(f'<svg class="c strip" {size} role="img" aria-label="{escape(label)}">{body}</svg>')


def key(state: SliceState) -> Markup:
    """One cell for a legend."""
    return Markup(f'<svg viewBox="0 0 {CELL} {HIGH}" aria-hidden="true">{_cell(Cell(state, ""), 0)}</svg>')


def _cell(one: Cell, x: int) -> str:
    title = f"<title>{escape(one.title)}</title>" if one.title else ""
    return f"<g>{title}{_drawn(one.state, x)}</g>"


def _drawn(state: SliceState, x: int) -> str:
    middle, low = x + CELL / 2, HIGH - 8
    hollow = f'x="{x + 0.75}" y="8.75" width="{CELL - 1.5}" height="{low - 1.5}" rx="2" stroke-width="1.5"'
    match state:
        case "good":
            return f'<rect class="f-good" x="{x}" y="8" width="{CELL}" height="{low}" rx="2"/>'
        case "bad":
            cross = f'<path class="k-on nf" stroke-width="1.8" d="M{short(middle - 3)} 10l6 6m0-6l-6 6"/>'
            return f'<rect class="f-bad" x="{x}" y="0" width="{CELL}" height="{HIGH}" rx="2"/>{cross}'
        case "unknown":
            mark = f'<text x="{short(middle)}" y="21" text-anchor="middle">?</text>'
            return f'<rect class="nf k-mark" stroke-dasharray="2.5 2" {hollow}/>{mark}'
        case "excluded":
            return f'<rect class="f-mark" x="{x + 2}" y="{HIGH - 3}" width="{CELL - 4}" height="3" rx="1"/>'
        case "pending":
            return f'<rect class="nf k-mark" {hollow}/>'


def bullet(value: float, promised: float, most: float, met: bool, label: str, tick: str) -> Markup:
    """A bar of the measured value with a mark at the promised one, from 0 to `most`; `tick` labels the mark."""
    end, at = max(2.0, min(WIDE, value / most * WIDE)), min(WIDE - 1.0, max(1.0, promised / most * WIDE))
    anchor = "end" if at > WIDE * 0.75 else "start" if at < WIDE * 0.25 else "middle"
    return Markup(
        f'<svg class="c bullet" viewBox="0 0 {WIDE} 31" role="img" aria-label="{escape(label)}">'
        f'<rect class="f-soft" x="0" y="3" width="{WIDE}" height="10" rx="2"/>'
        f'<rect class="f-{"mark" if met else "bad"}" x="0" y="5" width="{short(end)}" height="6" rx="1"/>'
        f'<path class="k-ink nf" stroke-width="2" d="M{short(at)} 0v16"/>'
        f'<text x="{short(at)}" y="28" text-anchor="{anchor}">{escape(tick)}</text></svg>'
    )


def segments(met: int, missed: int, unknown: int = 0) -> Markup:
    """Promises as bars: missed first and tall, then unknown, then met. The caller shows the numbers in words."""
    if met + missed + unknown > 16:
        met, missed, unknown = _scaled(met, missed, unknown)
    total, gap = met + missed + unknown, 2
    width = 8 if total <= 10 else 5  # so that the numbers fit beside them
    drawn = ["bad"] * missed + ["unknown"] * unknown + ["met"] * met
    body = "".join(_segment(kind, index * (width + gap), width) for index, kind in enumerate(drawn))
    whole = max(1, total * (width + gap) - gap)
    return Markup(f'<svg class="c segs" width="{whole}" height="14" viewBox="0 0 {whole} 14" aria-hidden="true">{body}</svg>')


def _scaled(met: int, missed: int, unknown: int) -> tuple[int, int, int]:
    """Sixteen bars for any number of promises; what is not met keeps one at least."""
    total = met + missed + unknown
    bad, open_ = (max(1, round(16 * part / total)) if part else 0 for part in (missed, unknown))
    return max(0, 16 - bad - open_), bad, open_


def _segment(kind: str, x: int, width: int) -> str:
    match kind:
        case "bad":
            return f'<rect class="f-bad" x="{x}" y="0" width="{width}" height="14" rx="1"/>'
        case "unknown":
            hollow = f'x="{x + 0.75}" y="4.75" width="{width - 1.5}" height="8.5" rx="1"'
            return f'<rect class="nf k-mark" {hollow} stroke-dasharray="2 1.5" stroke-width="1.5"/>'
        case _:
            return f'<rect class="f-mark" x="{x}" y="4" width="{width}" height="10" rx="1"/>'


def histogram(counts: Sequence[int], label: str) -> Markup:
    """Row counts in equally wide bins; a bin with any row is visible."""
    wide, high, highest = 132, 30, max(counts, default=0)
    step = wide / max(1, len(counts))
    bars = ((i, max(1.2, n / highest * (high - 3))) for i, n in enumerate(counts) if n)
    body = "".join(
        f'<rect class="f-mark" x="{short(i * step)}" y="{short(high - 1 - tall)}" width="{short(step - 1.5)}" height="{short(tall)}"/>'
        for i, tall in bars
    )
    return _spark(f'{body}<path class="k-line" d="M0 29.5h{wide}"/>', label)


def split(parts: Sequence[int], label: str) -> Markup:
    """The row counts of the most frequent values side by side, the first darkest."""
    total, x, body = sum(parts) or 1, 0.0, ""
    for index, rows in enumerate(parts):
        wide = rows / total * 132
        size = f'x="{short(x)}" y="9" width="{short(max(1, wide - 1))}" height="12" rx="1"'
        body += f'<rect class="{"f-soft" if index else "f-mark"}" {size}/>'
        x += wide
    return _spark(body, label)


def _spark(body: str, label: str) -> Markup:
    return Markup(f'<svg class="c spark" viewBox="0 0 132 30" role="img" aria-label="{escape(label)}">{body}</svg>')


def meter(percent: float, tone: str = "mark", wide: int = 84, high: int = 8) -> Markup:
    """A bar of a share from 0 to 100; the caller shows the number beside it."""
    filled = short(wide * min(100.0, max(0.0, percent)) / 100)
    bars = f'<rect class="f-soft" width="{wide}" height="{high}" rx="2"/><rect class="f-{tone}" width="{filled}" height="{high}" rx="2"/>'
    return Markup(f'<svg class="c meter" viewBox="0 0 {wide} {high}" aria-hidden="true" preserveAspectRatio="none">{bars}</svg>')


def strip_label(shown: Iterable[Cell]) -> str:
    """The strip in words: the number of cells by state, and the state of the last."""
    states = [one.state for one in shown]
    counts = [f"{states.count(state)} {STATES[state]}" for state in STATES if state in states]
    return ", ".join(counts)
