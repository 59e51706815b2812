"""Find leaks: values of hidden columns that show up in other columns a role receives."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from platform_resources.capabilities.support.column_types import is_numeric
from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.consumer_queries import NothingPublished, queried
from platform_resources.publications.version_records import PortVersion, Publication, VersionsUnreadable, ViewVersion
from platform_resources.spec.values.column_names import folded_column
from platform_resources.warehouses.engine_errors import QueryFailed
from platform_resources.warehouses.limits import SettingInvalid
from platform_resources.warehouses.protocol import Bounds

WITHIN = Bounds(timedelta(seconds=30), 100)
CANARIES = 20
# Shorter values are in other columns by chance.
LONG_ENOUGH = 8


def leaks(state: Path, product: ProductPlan, latest: Publication | None) -> list[str] | None:
    """The columns through which hidden values leak, without values; None if it could not be checked."""
    hidden = {data_set.name: [column for column in data_set.spec.columns if not column.shown] for data_set in product.data_sets}
    if latest is None:
        return None
    if not any(hidden.values()):
        return []
    looked, leaking = 0, list[str]()
    try:
        for port in {port.data_set: port for port in latest.ports}.values():
            canaries = {column.name: _values(state, product, port, column.name) for column in hidden.get(port.data_set, ())}
            for view in port.views.values():
                kept_back = {name: values for name, values in canaries.items() if values and not _clear(view, name)}
                looked += len(kept_back)
                leaking += _seen(state, product, port, view, kept_back)
    except (NothingPublished, QueryFailed, SettingInvalid, VersionsUnreadable):
        return None
    return sorted(set(leaking)) if looked else None


def _values(state: Path, product: ProductPlan, port: PortVersion, column: str) -> list[str]:
    text = f"cast({quoted(column)} as varchar)"
    sql = f"select distinct {text} from {quoted(port.data_set)} where length({text}) >= {LONG_ENOUGH} limit {CANARIES}"
    return [str(value) for (value,) in queried(state, product.domain, product.name, sql, bounds=WITHIN, is_ours=True)[1]]


def _clear(view: ViewVersion, column: str) -> bool:
    """Whether the view shows the column as it is, so that its values are meant to be there."""
    shown = next((sql for name, sql in view.shows.items() if folded_column(name) == folded_column(column)), None)
    return shown is not None and shown == quoted(column)


def _seen(state: Path, product: ProductPlan, port: PortVersion, view: ViewVersion, canaries: dict[str, list[str]]) -> Iterator[str]:
    """Which column of the view has a value of a column that it keeps back."""
    columns = [name for name, kind in view.columns.items() if kind == "varchar" or is_numeric(kind)]
    if not canaries or not columns:
        return
    asked = [(name, column) for name in canaries for column in columns]
    counts = (f"count_if(cast({quoted(column)} as varchar) in ({', '.join(map(literal, canaries[name]))}))" for name, column in asked)
    parts = {part: getattr(view, part) for part in ("rows", "columns", "files", "bytes", "own_files")}
    seen = replace(port, **parts, views={})
    sql = f"select {', '.join(counts)} from {quoted(port.data_set)}"
    _, (row,) = queried(
        state,
        product.domain,
        product.name,
        sql,
        seen=lambda _, other, __: seen if other.port == port.port else None,
        bounds=WITHIN,
        is_ours=True,
    )
    for (name, column), count in zip(asked, row, strict=True):
        if count:
            yield f"values of {port.data_set}.{name} are in {column} of a view"
