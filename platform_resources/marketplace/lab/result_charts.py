"""Draw the result of a query where it is one number for each of a few names, or for each of many moments or numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

from platform_resources.marketplace.display.charts import short
from platform_resources.marketplace.display.phrases import number

MOST_BARS, MOST_POINTS = 30, 1000
WIDE, NAMES, NUMBERS, BAR = 720, 200, 90, 22
HIGH, LEFT, ABOVE, BELOW = 240, 70, 24, 24
LONGEST_NAME = 28


@dataclass(frozen=True, slots=True)
class ResultChart:
    """What is drawn, in words and as a picture; `others` are columns that could be drawn instead. `note` says what is not in it."""

    title: str
    drawn: Markup
    others: tuple[str, ...]
    note: str = ""


def result_chart(names: Sequence[str], rows: Sequence[Sequence[Any]], wanted: str = "") -> ResultChart | None:
    """None where a picture would say nothing: one row, no number, or no column to put it against."""
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if len(rows) > 1 else {}
    numbers = numbers_of(names, rows) if len(rows) > 1 else {}
    at = next((name for name in columns if name not in numbers), next(iter(columns), ""))
    numbers.pop(at, None)
    if not numbers or len(columns) != len(names):
        return None
    shown = wanted if wanted in numbers else next(iter(numbers))
    others = tuple(name for name in numbers if name != shown)
    title = f"{shown} by {at}"
    pairs = [(label, value) for label, value in zip(columns[at], numbers[shown], strict=True) if label is not None and value is not None]
    places = _places([label for label, _ in pairs])
    if places is None:
        cut = f"The first {MOST_BARS} of {len(pairs):,} rows." if len(pairs) > MOST_BARS else ""
        return ResultChart(title, bars(pairs[:MOST_BARS], title), others, cut)
    if len(set(places)) < 2 or len(pairs) > MOST_POINTS:
        return None
    points = sorted(zip(places, (value for _, value in pairs), (label for label, _ in pairs), strict=True))
    return ResultChart(title, line(points, title), others)


def numbers_of(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, tuple[float | None, ...]]:
    """The columns of which every value is a number."""
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}
    return {name: values for name, column in columns.items() if (values := _numbers(column)) is not None}


def _numbers(column: Sequence[Any]) -> tuple[float | None, ...] | None:
    """None where a value is no number, or all are null."""
    try:
        values = tuple(None if value is None else float(value) for value in column)
    except ValueError:
        return None
    known = [value for value in values if value is not None]
    return values if known and all(map(_is_drawable, known)) else None


def _is_drawable(value: float) -> bool:
    """Whether lengths of a picture follow from it: it is neither infinite nor beyond what can be divided by."""
    return value == 0 or 1e-100 < abs(value) < 1e100


def _places(labels: Sequence[str]) -> list[float] | None:
    """Where moments or numbers stand on a line; None where they are names."""
    for place in (float, _moment):
        try:
            places = [place(label) for label in labels]
        except ValueError:
            continue
        return places if all(map(_is_drawable, places)) else None
    return None


def _moment(label: str) -> float:
    return datetime.fromisoformat(label).replace(tzinfo=UTC).timestamp()


def bars(pairs: Sequence[tuple[str, float]], label: str) -> Markup:
    """One below the other: the name, its bar from nought, and the number."""
    low, high = min(0.0, *(value for _, value in pairs)), max(0.0, *(value for _, value in pairs))
    scale = (WIDE - NAMES - NUMBERS) / ((high - low) or 1)
    zero, body = NAMES - low * scale, ""
    for row, (name, value) in enumerate(pairs):
        y, x = row * BAR, zero + min(0.0, value * scale)
        plain = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
        body += (
            f"<g><title>{escape(name)}: {escape(number(value))}</title>"
            f'<text x="{NAMES - 8}" y="{y + 14}" text-anchor="end">{escape(plain)}</text>'
            f'<rect class="f-mark" x="{short(x)}" y="{y + 3}" width="{short(max(1.0, abs(value) * scale))}" height="{BAR - 8}" rx="1"/>'
            f'<text class="ink" x="{short(zero + max(0.0, value * scale) + 6)}" y="{y + 14}">{escape(number(value))}</text></g>'
        )
    return _picture(body, len(pairs) * BAR, label)


def line(points: Sequence[tuple[float, float, str]], label: str) -> Markup:
    """From left to right by place, upwards from nought; the ends of both and the last number are written beside it."""
    first, last = points[0], points[-1]
    low, high = min(0.0, *(value for _, value, _ in points)), max(0.0, *(value for _, value, _ in points))
    wide, tall = WIDE - LEFT - 12, HIGH - BELOW - ABOVE

    def at(place: float, value: float) -> tuple[str, float]:
        x = LEFT + (place - first[0]) / (last[0] - first[0]) * wide
        return short(x), ABOVE + (high - value) / ((high - low) or 1) * tall

    way = "L".join(f"{x} {short(y)}" for x, y in (at(place, value) for place, value, _ in points))
    x_last, y_last = at(last[0], last[1])
    body = (
        f'<path class="k-line nf" d="M{LEFT} {ABOVE}h{wide}M{LEFT} {ABOVE + tall}h{wide}"/>'
        f'<path class="k-ink nf" stroke-width="1.6" d="M{way}"/>'
        f'<text x="{LEFT - 6}" y="{ABOVE + 4}" text-anchor="end">{escape(number(high))}</text>'
        f'<text x="{LEFT - 6}" y="{short(ABOVE + 4 + tall)}" text-anchor="end">{escape(number(low))}</text>'
        f'<circle class="f-ink" cx="{x_last}" cy="{short(y_last)}" r="3"/>'
        f'<text class="ink b" x="{x_last}" y="{short(y_last - 8)}" text-anchor="end">{escape(number(last[1]))}</text>'
        f'<text x="{LEFT}" y="{HIGH - 4}">{escape(first[2])}</text>'
        f'<text x="{WIDE - 12}" y="{HIGH - 4}" text-anchor="end">{escape(last[2])}</text>'
    )
    return _picture(body, HIGH, label)


def _picture(body: str, high: int, label: str) -> Markup:
    size = f'width="{WIDE}" height="{high}" viewBox="0 0 {WIDE} {high}"'
    return Markup(f'<svg class="c result" {size} role="img" aria-label="{escape(label)}">{body}</svg>')
