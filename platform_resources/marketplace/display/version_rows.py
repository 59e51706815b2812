"""The rows of a product's published versions: inputs and column changes of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from platform_resources.marketplace.display.phrases import PageTimes, count, listed
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.promises.schema_difference import SchemaDifference, schema_difference
from platform_resources.publications.version_records import Publication


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version. `change` describes its column changes, empty without any; `breaking` ones may break queries."""

    id: str
    number: str
    at: datetime
    rows: str
    made_from: str
    change: str
    breaking: bool
    pinned_by: tuple[str, ...]
    bytes: int


def version_rows(
    product: ProductPlan, published: Sequence[Publication], pins: Mapping[str, str], plan: MeshPlan, times: PageTimes
) -> tuple[VersionRow, ...]:
    """The rows, newest first; `published` is oldest first."""
    titles = {product.name: product.title for product in plan.products}
    before = {after.id: former for former, after in pairwise(published)}
    return tuple(_row(product, version, before.get(version.id), pins, titles, times) for version in reversed(published))


def _row(
    product: ProductPlan,
    publication: Publication,
    before: Publication | None,
    pins: Mapping[str, str],
    titles: Mapping[str, str],
    times: PageTimes,
) -> VersionRow:
    changes = _changes(product, before, publication) if before is not None else []
    inputs = {port.name: port.title for port in product.inputs}
    sources = [_source(inputs.get(port, port), record, titles, times) for port, record in publication.inputs.items()]
    return VersionRow(
        id=publication.id,
        number=publication.product_version,
        at=datetime.fromisoformat(publication.published_at),
        rows=listed(_row_counts(publication)),
        made_from=listed(sources),
        change="; ".join(_told(change) for change in changes),
        breaking=any(change.breaking for change in changes),
        pinned_by=tuple(consumer for consumer, version in pins.items() if version == publication.id),
        bytes=sum(port.bytes or 0 for port in publication.ports),
    )


def _row_counts(publication: Publication) -> list[str]:
    """Several ports of one data set have the same rows."""
    rows = {port.data_set: port.rows for port in publication.ports}
    return [count(number, "row") if len(rows) == 1 else f"{count(number, 'row')} of {name}" for name, number in rows.items()]


def _source(title: str, record: Mapping[str, Any], titles: Mapping[str, str], times: PageTimes) -> str:
    """`Purchase orders 1.1.0 (28 Nov 11:43, 155,848 rows)`, `2 files of Transactions`."""
    if "product" in record:
        at = times.moment(datetime.fromisoformat(record["pulled_at"])) if record.get("pulled_at") else ""
        details = ", ".join(filter(None, (at, count(record["rows"], "row") if record.get("rows") is not None else "")))
        return f"{titles.get(record['product'], record['product'])} {record.get('product_version', '')} ({details})"
    files = len(record.get("files", ()))
    return f"{count(files, 'file')} of {title}" if files else f"{title}{_cursor(record)}"


def _cursor(record: Mapping[str, Any]) -> str:
    reached = record.get("cursor") or record.get("as_of")
    return f" (up to {reached})" if reached else ""


def _changes(product: ProductPlan, before: Publication, after: Publication) -> list[SchemaDifference]:
    """One for each data set whose columns differ."""
    by_data_set, former_columns = {}, {data_set.name: data_set.former_columns for data_set in product.data_sets}
    for port in after.ports:
        former = before.port(port.port)
        if former is not None and (difference := schema_difference(former.columns, port.columns, former_columns.get(port.data_set, {}))):
            by_data_set[port.data_set] = difference
    return list(by_data_set.values())


def _told(difference: SchemaDifference) -> str:
    parts = [
        f"adds {listed(name for name, _ in difference.added)}" if difference.added else "",
        f"removes {listed(name for name, _ in difference.removed)}" if difference.removed else "",
        *(f"calls {old} {new}" for old, new in difference.renamed),
        *(f"{changed.column} is {changed.after} now, it was {changed.before}" for changed in difference.changed),
    ]
    return ", ".join(filter(None, parts))
