"""Write the views of an output port beside the whole: each fresh from its own masked and filtered query."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from platform_resources.access.views import View
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.port_plans import OutputPlan
from platform_resources.publications.version_records import PortDraft, Versions, ViewVersion, WriterFailed, WrittenPort
from platform_resources.refresh.views.mask_keys import NoMaskKey, mask_variables
from platform_resources.spec.agreements import CLEAR
from platform_resources.spec.values.column_names import folded_column
from platform_resources.warehouses.engine_errors import EngineError, StatementRefused
from platform_resources.warehouses.protocol import ProductDatabase
from platform_resources.warehouses.published_places import ShownPart


class NotPublishable(Exception):
    """Raised when what was built cannot be published in the format of a port; says which port, why and what to do."""


@dataclass(frozen=True, slots=True)
class PortPart:
    """What was written of a port before its views."""

    rows: int
    columns: Mapping[str, str]
    written: WrittenPort


def written_views(
    database: ProductDatabase, shelves: Versions, state: Path, port: OutputPlan, data_set: DataSetPlan, draft: PortDraft, whole: PortPart
) -> Iterator[tuple[str, ViewVersion]]:
    """Each distinct view of the port's data set, written fresh from its own query; one that shows everything is the whole."""
    restricted = []
    for view in data_set.views.distinct:
        if view.shows_all_of(whole.columns):
            written = whole.written
            yield (
                view.name,
                ViewVersion(whole.rows, whole.columns, written.files, written.bytes, _expressions(view), own_files=written.own_files),
            )
        else:
            restricted.append(view)
    try:
        variables = mask_variables(state, {key for view in restricted for key in view.keys})
    except NoMaskKey as error:
        raise NotPublishable(f"output port {port.title}: {error}") from error
    with database.holding(variables):
        for view in restricted:
            part = replace(draft, **_shown(view, data_set, whole.columns))
            title = f"output port {port.title}, as {data_set.views.seen_by(view)} would see it"
            yield view.name, _write_view(database, shelves, title, part, whole.rows)


def _expressions(view: View) -> dict[str, str]:
    return {column.name: column.sql for column in view.columns}


def _shown(view: View, data_set: DataSetPlan, columns: Mapping[str, str]) -> dict[str, Any]:
    """What a draft says of a view: its columns as far as they were built, under the names that they have there."""
    built = {folded_column(name): name for name in columns}
    promised = {folded_column(column.name): column.type for column in data_set.spec.columns}
    there = {built[folded]: column for column in view.columns if (folded := folded_column(column.name)) in built}
    kinds = {name: columns[name] if column.how == CLEAR else promised[folded_column(name)] for name, column in there.items()}
    hides = len(there) < len(columns) or any(column.how != CLEAR for column in there.values())
    shown = ShownPart({name: column.sql for name, column in there.items()}, view.rows, hides)
    return {"view": view.name, "columns": kinds, "shown": shown}


def _write_view(database: ProductDatabase, shelves: Versions, title: str, draft: PortDraft, rows: int) -> ViewVersion:
    """Raises NotPublishable, which quotes no value: what the engine says may hold one that the view hides."""
    shown = draft.shown or ShownPart({})
    if not draft.columns:
        raise NotPublishable(f"{title}: none of its columns was built in {draft.relation.name}")
    try:
        written = shelves.write(database, draft)
        read = database.published_rows(written.published)
    except WriterFailed as error:
        raise NotPublishable(f"{title}: {error}") from error
    except EngineError as error:
        said = str(error).splitlines()[0] if isinstance(error, StatementRefused) else "a value does not fit a mask or the row filter"
        raise NotPublishable(f"{title}: it cannot be written: {said}") from None
    if read > rows or (read < rows and not shown.rows):
        raise NotPublishable(f"{title}: {rows:,} rows were to be shown, and {read:,} can be read")
    return ViewVersion(read, draft.columns, written.files, written.bytes, shown.columns, shown.rows, written.own_files)
