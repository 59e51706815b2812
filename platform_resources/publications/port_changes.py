"""Which SELECT gives what is different between two versions of a port, by key; a first one gives every row as an insert."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from platform_resources.capabilities.support.sql_text import quoted, quoted_list
from platform_resources.publications.record_pages import RecordsWrong
from platform_resources.publications.version_records import PortVersion

BEFORE, AFTER = "before", "after"
LONGEST_CURSOR = 2_000
# Of these a text is the same value in each type.
_WRITTEN_ALIKE = (re.compile(r"u?(tiny|small|big)?int(eger)?"), re.compile(r"decimal\(.*\)"))
# Of these some values that are not the same are equal: 0.0 and -0.0, 30 days and a month, one moment in two time zones.
_EQUAL_BUT_OTHERS = re.compile("float|double|interval|time with time zone|timetz")


class BeginAnew(Exception):
    """Raised where a consumer cannot go on from where it was; says why. Without a cursor it gets everything."""


@dataclass(frozen=True, slots=True)
class ChangeCursor:
    """A consumer has the version `since`, and the first `given` changes of the next, `until`, by `key`; digests tell how each is seen."""

    since: str = ""
    seen_since: str = ""
    until: str = ""
    seen_until: str = ""
    given: int = 0
    key: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As it stands in an address."""
        data = json.dumps(astuple(self), separators=(",", ":"))
        return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")


def change_cursor(text: str) -> ChangeCursor:
    """What `ChangeCursor.text` gave; the beginning for nothing. Raises RecordsWrong."""
    if not text:
        return ChangeCursor()
    try:
        if len(text) > LONGEST_CURSOR:
            raise ValueError
        since, seen_since, until, seen_until, given, key = json.loads(
            base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        )
        texts = (since, seen_since, until, seen_until, *key)
        if not all(isinstance(part, str) for part in texts) or not isinstance(given, int) or not 0 <= given < 2**62:
            raise ValueError
        return ChangeCursor(since, seen_since, until, seen_until, given, tuple(key))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise RecordsWrong("this is no cursor: `after` is what `next` of the answer before says, unchanged") from error


def seen_digest(port: PortVersion, seen: PortVersion) -> str:
    """The same for two versions where a reader sees the columns in the same way, and the same rows; empty where all is seen."""
    if seen.files == port.files:
        return ""
    shown = next(view for view in port.views.values() if view.files == seen.files)
    return hashlib.sha256(repr((sorted(shown.shows.items()), shown.condition)).encode()).hexdigest()[:12]


def duplicates_sql(key: Sequence[str]) -> str:
    """Whether rows share a key: by it they could not be told apart."""
    return f"select 1 from {AFTER} group by {quoted_list(key)} having count(*) > 1 limit 1"


def changes_sql(before: Mapping[str, str] | None, after: Mapping[str, str], key: Sequence[str], limit: int, given: int) -> str:
    """The SELECT over the relations `before` and `after` with these columns: `op`, then the columns of each with a prefix.

    A column that only one of them has is null in the other. Where its type is another one, and values are written otherwise, all are told.
    """
    rows = f"limit {limit} offset {given}"
    if before is None:
        return f"select 'insert' as op, {_listed('a', after)} from {AFTER} as a order by {quoted_list(key, 'a.')} {rows}"
    there = "there".ljust(max(map(len, {*before, *after})) + 1, "_")  # longer than any column
    op = f"case when b.{there} is null then 'insert' when a.{there} is null then 'delete' else 'update' end as op"
    same_key = " and ".join(f"b.{quoted(name)} is not distinct from a.{quoted(name)}" for name in key)
    values = [_differs(name, before, after) for name in dict.fromkeys((*before, *after)) if name not in key]
    differs = " or ".join([f"b.{there} is null", f"a.{there} is null", *values])
    order = ", ".join(f"coalesce(a.{quoted(name)}, b.{quoted(name)})" for name in key)
    return (
        f"select {op}, {_listed('b', before)}, {_listed('a', after)} from (select true as {there}, * from {BEFORE}) as b"
        f" full outer join (select true as {there}, * from {AFTER}) as a on {same_key} where {differs} order by {order} {rows}"
    )


def _listed(alias: str, columns: Mapping[str, str]) -> str:
    return ", ".join(f"{alias}.{quoted(name)} as {quoted(f'{alias}:{name}')}" for name in columns)


def _differs(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    column = quoted(name)
    if name not in before or name not in after:
        return f"{'b' if name in before else 'a'}.{column} is not null"
    same_type = before[name] == after[name]
    if not same_type and not any(written.fullmatch(before[name]) and written.fullmatch(after[name]) for written in _WRITTEN_ALIKE):
        return f"b.{column} is not null or a.{column} is not null"
    if not same_type or _EQUAL_BUT_OTHERS.search(before[name]):
        return f"cast(b.{column} as varchar) is distinct from cast(a.{column} as varchar)"
    return f"b.{column} is distinct from a.{column}"


def change_of(row: Mapping[str, Any], key: Sequence[str]) -> dict[str, Any]:
    """One change as consumers get it: what is done to the row of which key, and the row before and after."""
    sides = {alias: {name[2:]: value for name, value in row.items() if name[:2] == f"{alias}:"} for alias in "ba"}
    before = sides["b"] if row["op"] != "insert" else None
    after = sides["a"] if row["op"] != "delete" else None
    known = after or before or {}
    return {"op": row["op"], "key": {name: known[name] for name in key}, BEFORE: before, AFTER: after}
