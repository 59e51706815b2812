"""Draw lineage as SVG: boxes in columns from left to right, or for very many products a mosaic of squares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from platform_resources.marketplace.display.charts import short
from platform_resources.marketplace.display.phrases import Tone

HIGH, ROW_GAP, COLUMN_GAP = 52, 20, 76
NARROWEST, WIDEST = 150, 300
# Widths of letters in the widest of the fonts that may be there, so that no name is longer than its box.
TITLE_LETTER, TEXT_LETTER = 8.3, 7.2
MARKS: dict[Tone, str] = {"good": "✓ ", "warn": "△ ", "bad": "✕ ", "unk": "? "}
# Of a mosaic: a square, the most of them in a row, and the place of the names before them.
SQUARE, SQUARE_GAP, SQUARES, DOMAIN_NAMES = 14, 3, 40, 160


@dataclass(frozen=True, slots=True)
class Box:
    """One box: label, text and link. `tone` is None for anything that is not a product of the mesh."""

    name: str
    title: str
    text: str
    tone: Tone | None = None
    href: str = ""
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from `source` to its `reader`; `hot` if it is part of an incident."""

    source: str
    reader: str
    hot: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    x: float
    y: float
    wide: float


def flow(nodes: Sequence[Box], edges: Sequence[Edge], label: str) -> Markup:
    """The diagram with every box right of what it reads, and few crossings. `label` is the text alternative."""
    columns = _columns(nodes, edges)
    places, wide, high = _places(columns)
    out, into = ({name: sorted(ends, key=lambda end: places[end].y) for name, ends in joined.items()} for joined in _joined(edges))
    arrows = "".join(_arrow(edge, out[edge.source], into[edge.reader], places) for edge in sorted(edges, key=lambda edge: edge.hot))
    boxes = "".join(_box(node, places[node.name]) for column in columns for node in column)
    size = f'width="{short(wide)}" height="{short(high)}" viewBox="-1 -1 {short(wide + 2)} {short(high + 2)}"'
    return Markup(f'<svg class="c lin fixed" {size} role="group" aria-label="{escape(label)}">{arrows}{boxes}</svg>')


def _columns(nodes: Sequence[Box], edges: Sequence[Edge]) -> list[list[Box]]:
    depth = _depths([node.name for node in nodes], edges)
    columns: list[list[Box]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for node in nodes:
        columns[depth[node.name]].append(node)
    readers, sources = _joined(edges)
    rows = _rows(columns)
    for _ in range(4):
        for index in range(1, len(columns)):
            columns[index] = _ordered(columns[index], rows, sources)
            rows |= _rows([columns[index]])
        for index in reversed(range(len(columns) - 1)):
            columns[index] = _ordered(columns[index], rows, readers)
            rows |= _rows([columns[index]])
    return columns


def _joined(edges: Sequence[Edge]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Of each box those that read it, and those that it reads."""
    readers, sources = dict[str, list[str]](), dict[str, list[str]]()
    for edge in edges:
        readers.setdefault(edge.source, []).append(edge.reader)
        sources.setdefault(edge.reader, []).append(edge.source)
    return readers, sources


def _depths(names: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """The longest way from anything that reads nothing; whatever is read by one box alone stands directly before it."""
    depth = dict.fromkeys(names, 0)
    for _ in names:
        before = dict(depth)
        for edge in edges:
            depth[edge.reader] = max(depth[edge.reader], depth[edge.source] + 1)
        if depth == before:
            break
    readers, sources = _joined(edges)
    first = {name: min(depth[reader] for reader in readers[name]) - 1 for name in readers if name not in sources}
    return depth | first


def _rows(columns: Sequence[Sequence[Box]]) -> dict[str, float]:
    return {node.name: (index + 0.5) / len(column) for column in columns for index, node in enumerate(column)}


def _ordered(column: Sequence[Box], rows: Mapping[str, float], joined: Mapping[str, Sequence[str]]) -> list[Box]:
    """By the middle of what each box is joined with."""

    def middle(node: Box) -> float:
        others = [rows[other] for other in joined.get(node.name, ())]
        return sum(others) / len(others) if others else rows[node.name]

    return sorted(column, key=middle)


def _places(columns: Sequence[Sequence[Box]]) -> tuple[dict[str, _Place], float, float]:
    highest = max((len(column) for column in columns), default=0)
    high = highest * (HIGH + ROW_GAP) - ROW_GAP
    places, x = dict[str, _Place](), 0.0
    for column in columns:
        wide = max((_width(node) for node in column), default=0)
        top = (high - (len(column) * (HIGH + ROW_GAP) - ROW_GAP)) / 2
        places |= {node.name: _Place(x, top + index * (HIGH + ROW_GAP), wide) for index, node in enumerate(column)}
        x += wide + COLUMN_GAP
    return places, x - COLUMN_GAP, high


def _width(node: Box) -> float:
    needed = 28 + max(TITLE_LETTER * len(node.title), TEXT_LETTER * (len(node.text) + 2))
    return min(WIDEST, max(NARROWEST, needed))


def _arrow(edge: Edge, out: Sequence[str], into: Sequence[str], places: Mapping[str, _Place]) -> str:
    """`out` are all boxes that read the source, `into` all that the reader reads, each from above to below."""
    source, reader = places[edge.source], places[edge.reader]
    x1, y1 = source.x + source.wide, source.y + _spread(out.index(edge.reader), len(out))
    x2, y2 = reader.x, reader.y + _spread(into.index(edge.source), len(into))
    middle = (x1 + x2) / 2
    way = f"M{short(x1)} {short(y1)}C{short(middle)} {short(y1)} {short(middle)} {short(y2)} {short(x2 - 7)} {short(y2)}"
    head = f'<path class="f-{"bad" if edge.hot else "mark"}" d="M{short(x2 - 8)} {short(y2 - 4)}l8 4l-8 4z"/>'
    return f'<path class="edge{" hot" if edge.hot else ""}" d="{way}"/>{head}'


def _spread(index: int, total: int) -> float:
    """Arrows leave and enter a box side by side."""
    step = min(10.0, (HIGH - 16) / max(1, total))
    return HIGH / 2 + (index - (total - 1) / 2) * step


def _box(node: Box, place: _Place) -> str:
    x, y, wide = place.x, place.y, place.wide
    kind = " self" if node.chosen else ""
    kind += " src" if node.tone is None else ""
    bar = f'<path class="bar-{node.tone}" d="M{short(x + 6)} {short(y)}a6 6 0 0 0-6 6v{HIGH - 12}a6 6 0 0 0 6 6z"/>' if node.tone else ""
    title, text = _cut(node.title, wide, TITLE_LETTER), _cut(f"{MARKS[node.tone] if node.tone else ''}{node.text}", wide, TEXT_LETTER)
    whole = f"<title>{escape(node.title)}: {escape(node.text)}</title>"
    drawn = (
        f'{whole}<rect class="box{kind}" x="{short(x)}" y="{short(y)}" width="{short(wide)}" height="{HIGH}" rx="6"/>{bar}'
        f'<text class="t" x="{short(x + 16)}" y="{short(y + 22)}">{escape(title)}</text>'
        f'<text class="s-{node.tone or "src"}" x="{short(x + 16)}" y="{short(y + 39)}">{escape(text)}</text>'
    )
    return f'<a href="{escape(node.href)}">{drawn}</a>' if node.href else f"<g>{drawn}</g>"


def _cut(text: str, wide: float, letter: float) -> str:
    most = int((wide - 24) / letter)
    return text if len(text) <= most else f"{text[: most - 1]}…"


@dataclass(frozen=True, slots=True)
class Tile:
    """One product of a mosaic."""

    title: str
    tone: Tone
    href: str


def mosaic(domains: Sequence[tuple[str, str, Sequence[Tile]]]) -> Markup:
    """A square for each product, by domain (title, address), products in trouble first."""
    order = {"bad": 0, "warn": 1, "unk": 2, "good": 3}
    most = max((len(tiles) for *_, tiles in domains), default=0)
    across, row_long = (2, most) if most <= SQUARES // 2 else (1, SQUARES)
    step, y, drawn = SQUARE + SQUARE_GAP, 0, []
    wide = DOMAIN_NAMES + row_long * step + 24
    for first in range(0, len(domains), across):
        for column, (title, href, tiles) in enumerate(domains[first : first + across]):
            left, healthy = column * wide, sum(tile.tone == "good" for tile in tiles)
            drawn.append(
                f'<a href="{escape(href)}"><title>{escape(title)}</title><text class="ink b" x="{left}" y="{y + 12}">'
                f"{escape(_cut(title, DOMAIN_NAMES, TITLE_LETTER))}</text></a>"
                f'<text x="{left}" y="{y + 27}">{healthy} of {len(tiles)} healthy</text>'
            )
            for index, tile in enumerate(sorted(tiles, key=lambda tile: (order[tile.tone], tile.title))):
                drawn.append(_square(tile, left + DOMAIN_NAMES + index % row_long * step, y + index // row_long * step))
        y += max(36, *(-(-len(tiles) // row_long) * step + 12 for *_, tiles in domains[first : first + across]))
    total = sum(len(tiles) for *_, tiles in domains)
    label = f"{total} products of {len(domains)} domains as small squares; those in trouble come first in each row"
    size = f'width="{across * wide}" height="{max(1, y)}" viewBox="0 0 {across * wide} {max(1, y)}"'
    return Markup(f'<svg class="c lin fixed" {size} role="group" aria-label="{escape(label)}">{"".join(drawn)}</svg>')


def _square(tile: Tile, x: int, y: int) -> str:
    title = f"<title>{escape(tile.title)}</title>"
    whole = f'x="{x}" y="{y}" width="{SQUARE}" height="{SQUARE}" rx="2"'
    match tile.tone:
        case "bad":
            body = f'<rect class="f-bad" {whole}/><path class="k-on nf" stroke-width="1.6" d="M{x + 4} {y + 4}l6 6m0-6l-6 6"/>'
        case "warn":
            body = f'<rect class="f-warn" {whole}/><path class="k-on nf" stroke-width="1.6" d="M{x + 7} {y + 3}v5m0 2v1"/>'
        case "unk":
            size = f'x="{x + 0.75}" y="{y + 0.75}" width="12.5" height="12.5" rx="2"'
            body = f'<rect class="nf k-mark" stroke-dasharray="2.5 2" stroke-width="1.5" {size}/>'
        case _:
            body = f'<rect class="f-soft" {whole}/>'
    return f'<a href="{escape(tile.href)}" aria-label="{escape(tile.title)}">{title}{body}</a>'
