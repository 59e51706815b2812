"""Write a plan of monitors as text."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from platform_resources.capabilities.support.shares import bytes_text
from platform_resources.monitors.monitor_costs import MonitorCost
from platform_resources.monitors.monitor_plan import SETTINGS, Change, ChangeKind, ProductChanges

SYMBOLS: dict[ChangeKind, str] = {"create": "+", "change": "~", "retrain": "↻", "rename": "→", "remove": "-"}
# Of a new monitor these are told; its title and its place are in its name.
_TOLD = ("kind", "dimension", "data_set", "ports", "severity", "gate")


def changes_text(products: Sequence[ProductChanges]) -> str:
    """Every change, a line for each product, and one in all."""
    return "\n".join([*(line for product in products for line in _product(product)), _in_all(products)])


def count_text(products: Iterable[ProductChanges]) -> str:
    """`2 to create, 1 to remove, 7 unchanged`; zero counts are left out."""
    changed = list(products)
    counts = [(sum(product.count(kind) for product in changed), f"to {kind}") for kind in SYMBOLS]
    counts.append((sum(product.unchanged for product in changed), "unchanged"))
    return ", ".join(f"{count:,} {what}" for count, what in counts if count) or "no monitors"


def _product(product: ProductChanges) -> Iterator[str]:
    name = f"{product.domain}/{product.product}"
    if not product.changes:
        yield f"{name}: no changes, {count_text([product])}"
        return
    yield name
    for change in product.changes:
        yield from _change(change)
    seconds = f"; a refresh takes {product.seconds:,.1f} s now" if product.seconds is not None else ""
    yield f"{name}: {count_text([product])}; {_cost(product.cost)}{seconds}"
    yield ""


def _change(change: Change) -> Iterator[str]:
    former = f"{change.former.name} -> " if change.kind == "rename" and change.former is not None else ""
    yield f"  {SYMBOLS[change.kind]} {change.kind:<7} {former}{change.monitor.name}"
    for field in change.fields:
        if change.kind != "create":
            yield f"      {field.field}: {shown(field.old)} -> {shown(field.new)}"
        elif field.field in _TOLD or field.field.startswith(SETTINGS):
            yield f"      {field.field}: {shown(field.new)}"
    yield f"      costs: {_cost(change.cost)}"


def _in_all(products: Sequence[ProductChanges]) -> str:
    number = f"{len(products):,} product{'' if len(products) == 1 else 's'}"
    if not any(product.changes for product in products):
        return f"No changes: {number}, {count_text(products)}"
    total = sum((product.cost for product in products), MonitorCost())
    return f"In all: {number}, {count_text(products)}; {_cost(total)}"


def shown(value: Any) -> str:
    """A value as in YAML: text without quotes, unless it would be read as something else."""
    match value:
        case None:
            return "(none)"
        case str() if value and value.isprintable() and value == value.strip() and not _is_json(value):
            return value
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return json.dumps(value, ensure_ascii=False)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _cost(cost: MonitorCost) -> str:
    """What is added to each refresh, or taken away."""
    if cost == MonitorCost():
        return "nothing"
    rows = f"{cost.rows:+,} rows read" if cost.rows else ""
    size = f" ({'+' if cost.bytes > 0 else ''}{bytes_text(cost.bytes)})" if cost.bytes and rows else ""
    parts = (
        _counted(cost.queries, "query", "queries"),
        _counted(cost.expressions, "expression in a scan", "expressions in scans"),
        rows + size,
        _counted(cost.unsized, "relation of unknown size read", "relations of unknown size read"),
        _counted(cost.probes, "probe by each evaluation", "probes by each evaluation"),
    )
    return ", ".join(part for part in parts if part)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:+,} {one if abs(count) == 1 else many}" if count else ""
