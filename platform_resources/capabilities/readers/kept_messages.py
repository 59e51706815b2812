"""Messages of a stream as they are kept in a product's database: which of them count, and which rows they make."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from platform_resources.capabilities.protocols import ROW_FAULT, ROW_NUMBER, ROW_SOURCE, ROW_TEXT
from platform_resources.capabilities.readers.database_rows import KEPT_ROWS
from platform_resources.capabilities.readers.told_columns import ToldColumns
from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.spec.values.column_names import folded_column

_NEW = "mesh_new_messages"
# A key, a partition and an offset, the time, the values as JSON of texts, why a message is none, and its own text then.
_FIELDS = {"k": "varchar", "p": "integer", "o": "bigint", "t": "bigint", "v": "json", "f": "varchar", "x": "varchar"}
_LARGEST_MESSAGE = 2**28
# The time of a message that brokers tell none of; earlier than any.
NO_TIME = -1
# What each row says of its message.
OF_MESSAGE = ("kafka_key", "kafka_partition", "kafka_offset", "kafka_timestamp")
# A table of more columns takes too long to write, and a name that is a value would make one of each message.
MOST_COLUMNS = 2_000
_TAKEN = frozenset({*OF_MESSAGE, ROW_SOURCE, ROW_NUMBER, ROW_FAULT, ROW_TEXT})


def no_columns(fields: Iterable[str], known: Iterable[str]) -> str:
    """Why these fields cannot be columns of a table that has the known ones; empty where they can."""
    columns = {folded_column(name): name for name in known}
    for name in fields:
        folded = folded_column(name)
        if not name:
            return "has a field without a name"
        if folded in _TAKEN:
            return f'has a field "{name[:100]}", as the platform calls what it adds to each row'
        if (before := columns.setdefault(folded, name)) != name:
            return f'has a field "{name[:100]}", and "{before[:100]}" is a field too: a table has one column of the two'
    if len(columns) > MOST_COLUMNS:
        return f"has fields with which there would be {len(columns):,} columns; at most {MOST_COLUMNS:,} are kept"
    return ""


class KeptMessages:
    """The messages that are kept of an input, in the product's own database and in the transaction of its pull."""

    def __init__(self, connection: Any, name: str) -> None:
        self.connection, self.name = connection, name
        self.table = f"{KEPT_ROWS}.{quoted(name)}"

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of one statement."""
        rows: list[tuple[Any, ...]] = self.connection.execute(sql).fetchall()
        return rows

    @property
    def there(self) -> bool:
        """Whether there is a table of messages; one of another interface is none."""
        here = f"table_schema = {literal(KEPT_ROWS)} and table_name = {literal(self.name)}"
        columns = [row[0] for row in self.run(f"select column_name from information_schema.columns where {here} order by ordinal_position")]
        return columns == list(_FIELDS)

    def make(self) -> None:
        """An empty table, whatever was there."""
        self.run(f"create schema if not exists {KEPT_ROWS}")
        self.run(f"create or replace table {self.table} ({', '.join(f'{name} {kind}' for name, kind in _FIELDS.items())})")

    def take(self, file: Path, latest: bool, there_from: Mapping[int, int]) -> int:
        """Take the messages of a file of lines; gives how many there were. One that is there already is replaced.

        Within a partition the greatest offset counts; across partitions, where a key has moved, the later time. What cannot be read is
        kept apart until a readable one of its key comes, or the brokers have let it go: they have messages `there_from` these offsets.
        """
        kinds = ", ".join(f"{name}: {literal(kind)}" for name, kind in _FIELDS.items())
        options = f"format = 'newline_delimited', columns = {{{kinds}}}, maximum_object_size = {_LARGEST_MESSAGE}"
        lines = f"read_json({literal(str(file))}, {options})"
        self.run(f"create or replace temp table {_NEW} as select * from {lines}")
        (count,) = self.run(f"select count(*) from {_NEW}")[0]
        self.run(f"delete from {self.table} where (p, o) in (select (p, o) from {_NEW})")
        self.run(f"insert into {self.table} select * from {_NEW}")
        winning = "f is null" if latest else "f is null and v is null"
        of_keys = f"from {self.table} where {winning} and k in (select k from {_NEW})"
        newest = f"select k, p, max(o) as o {of_keys} group by k, p"
        self.run(f"delete from {self.table} as old using ({newest}) as new where old.k = new.k and old.p = new.p and old.o < new.o")
        newest = f"select k, max(t) as t, arg_max(p, (t, p)) as p {of_keys} group by k"
        earlier = "(old.t, old.p) < (new.t, new.p)"
        self.run(f"delete from {self.table} as old using ({newest}) as new where old.k = new.k and old.p <> new.p and {earlier}")
        self.run(f"delete from {self.table} where v is null and f is null")
        for partition, offset in there_from.items():
            self.run(f"delete from {self.table} where f is not null and p = {partition} and o < {offset}")
        self.run(f"drop table {_NEW}")
        return int(count)

    def rows(self, columns: ToldColumns, promised: Mapping[str, str], topic: str) -> Any:
        """The messages as rows: first what says where each comes from."""
        place = f"{literal(topic + '/')} || p as {ROW_SOURCE}, o as {ROW_NUMBER}, f as {ROW_FAULT}, x as {ROW_TEXT}"
        time = f"make_timestamptz(nullif(t, {NO_TIME}) * 1000) as kafka_timestamp"
        of_message = f"k as kafka_key, p as kafka_partition, o as kafka_offset, {time}"
        shape = json.dumps(dict.fromkeys(columns.kinds, "VARCHAR"))
        values = f", {columns.casts(promised, 'mesh_value.')}" if columns.kinds else ""
        of = f"(select *, json_transform(v, {literal(shape)}) as mesh_value from {self.table})" if columns.kinds else self.table
        return self.connection.sql(f"select {place}, {of_message}{values} from {of} order by t, p, o")
