"""A way to mend values of one column, as SQL: what it does, the new value, and which rows it would mend."""

from dataclasses import dataclass

from platform_resources.capabilities.measures import Relation


@dataclass(frozen=True, slots=True)
class Repair:
    """`value` (DuckDB's SQL) is the new value of the column, `mends` is true of the rows that break the promise now and would keep it then.

    Both are about `source`, what follows `from`; left out, it is the data set's own relation. With `quotes_values`, the SQL itself holds
    values of the column, and is shown to those who may see them. `taken_from` is the relation and the column that new values are of, if
    they are of another one: who may not see these is not shown them here.
    """

    column: str
    what: str
    value: str
    mends: str
    source: str = ""
    quotes_values: bool = False
    taken_from: tuple[Relation, str] | None = None
