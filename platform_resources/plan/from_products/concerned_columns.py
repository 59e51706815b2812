"""Which columns an objective is about; a miss does not affect consumers of other columns."""

from collections.abc import Iterable

from platform_resources.capabilities.registry import Registry
from platform_resources.capabilities.support.sql_text import names_in
from platform_resources.spec.components import DataSet, ServiceLevelAsset
from platform_resources.spec.product import Declared


def concerned(registry: Registry, objective: Declared[ServiceLevelAsset], data_set: Declared[DataSet] | None) -> tuple[str, ...]:
    """The columns that the objective names or uses in SQL, in the data set's order; the whole data set if there are none."""
    if data_set is None:
        return ()
    used = registry.dimensions()[objective.variant].columns_used(objective.settings)
    named = {column.casefold() for columns in used.values() for column in columns}
    known = [column.name for column in data_set.config.columns]
    texts = [value for value in objective.settings.model_dump().values() if isinstance(value, str)]
    in_sql = {name.casefold() for text in texts if _may_name(text, known) for dotted in names_in(text) for name in dotted}
    return qualified(data_set.name, [column for column in known if column.casefold() in named | in_sql])


def _may_name(text: str, columns: Iterable[str]) -> bool:
    """Cheap to ask: of most settings it is clear at once that they name no column."""
    written = text.casefold().replace('""', '"')
    return any(column.casefold() in written for column in columns)


def qualified(data_set: str, columns: Iterable[str] = ()) -> tuple[str, ...]:
    """`orders.order_id` for each column; `orders` alone where none is known; nothing where there is no data set."""
    return tuple(f"{data_set}.{column}" for column in columns) or ((data_set,) if data_set else ())
