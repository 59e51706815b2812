"""Compare data sets, columns and ports: names, types, keys, nulls, allowed values, units."""

import math
import re
from collections.abc import Callable, Iterable, Mapping

from platform_resources.capabilities.support.column_types import observed_type
from platform_resources.contracts.change import ChangeClass, Changes, ContractChange
from platform_resources.contracts.contract import Contract, ContractColumn, ContractDataSet, ContractPort
from platform_resources.promises.schema_difference import SchemaDifference
from platform_resources.spec.values.column_names import folded_column

_WHOLE = ("tinyint", "smallint", "integer", "bigint", "hugeint")
_UNSIGNED = ("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint")
# Each type with those that hold all of its values, so that nothing that was read of it changes.
_WIDER: Mapping[str, tuple[str, ...]] = {
    **{kind: _WHOLE[place + 1 :] for place, kind in enumerate(_WHOLE)},
    **{kind: (*_UNSIGNED[place + 1 :], *_WHOLE[place + 1 :]) for place, kind in enumerate(_UNSIGNED)},
    "float": ("double",),
    "date": ("timestamp",),
}
# Makes a change of one column from its class, what is different and what is to do.
_Of = Callable[..., ContractChange]
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


def structure_changes(old: Contract, new: Contract) -> Changes:
    """Changes as consumers experience them, by data set and port."""
    if old.domain and old.domain != new.domain:
        what = f"the product is in domain {new.domain}, not {old.domain}, and so are its files and tables"
        yield _of_structure("major", what, to_do="read it where `mesh describe` shows, and name its domain so")
    before, after = {data_set.name: data_set for data_set in old.data_sets}, {data_set.name: data_set for data_set in new.data_sets}
    for name, data_set in before.items():
        if name not in after:
            yield _of_structure("major", f"data set {name} is gone", name, to_do="read another data set, or another product")
        else:
            yield from _data_set_changes(data_set, after[name])
    for name in after.keys() - before.keys():
        yield _of_structure("minor", f"data set {name} is new", name)
    yield from _port_changes({port.name: port for port in old.ports}, {port.name: port for port in new.ports})


def _of_structure(
    kind: ChangeClass, what: str, data_set: str = "", columns: tuple[str, ...] = (), to_do: str = "", port: str = ""
) -> ContractChange:
    return ContractChange(kind, "structure", what, data_set, columns, to_do, port=port)


def _port_changes(before: Mapping[str, ContractPort], after: Mapping[str, ContractPort]) -> Changes:
    """Ports that are gone, new, or changed in data set, interface, format or retention."""
    for name, port in before.items():
        there = after.get(name)
        if there is None:
            yield _of_structure("major", f"output port {name} is gone", port.data_set, to_do="read another port", port=name)
            continue
        parts = (("holds data set", port.data_set, there.data_set), ("is read by", port.interface, there.interface))
        for says, was, now in (*parts, ("is stored as", port.format, there.format)):
            if was != now:
                to_do = "read it by the new way, which `mesh describe` shows"
                yield _of_structure("major", f"output port {name} {says} {now}, not {was}", port.data_set, to_do=to_do, port=name)
        # Contracts of before do not say where.
        if port.topic and there.topic and port.topic != there.topic:
            what, to_do = f"output port {name} sends to {there.topic}, not to {port.topic}", "read it there, from the beginning"
            yield _of_structure("major", what, port.data_set, to_do=to_do, port=name)
        if port.address and port.address != there.address:
            what = f"output port {name} is reached at {there.address or 'no declared address'}, not at {port.address}"
            yield _of_structure("undetermined", what, port.data_set, to_do="look whether the former address goes on to work", port=name)
        if there.keep_versions < port.keep_versions:
            what = f"output port {name} keeps {there.keep_versions} versions, not {port.keep_versions}"
            yield _of_structure("undetermined", what, port.data_set, to_do="pin no version older than those", port=name)
        if there.keep_versions > port.keep_versions:
            what = f"output port {name} keeps {there.keep_versions} versions, not {port.keep_versions}"
            yield _of_structure("minor", what, port.data_set, port=name)
        if there.retention_days != port.retention_days:
            shorter = (there.retention_days or math.inf) < (port.retention_days or math.inf)
            what = f"output port {name} keeps old versions {_kept_for(there)}, not {_kept_for(port)}"
            to_do = "pin no version older than that" if shorter else ""
            yield _of_structure("undetermined" if shorter else "minor", what, port.data_set, to_do=to_do, port=name)
        if there.words != port.words:
            yield _of_structure("patch", f"output port {name} is described in other words", port.data_set, port=name)
    for name in after.keys() - before.keys():
        yield _of_structure("minor", f"output port {name} is new", after[name].data_set, port=name)


def _kept_for(port: ContractPort) -> str:
    return f"for {port.retention_days:g} days at most" if port.retention_days else "without end"


def _data_set_changes(old: ContractDataSet, new: ContractDataSet) -> Changes:
    name = old.name
    if old.table != new.table:
        to_do = f"name the table {new.table}"
        yield _of_structure("major", f"the table behind {name} is called {new.table}, not {old.table}", name, to_do=to_do)
    if sorted(map(folded_column, old.key)) != sorted(map(folded_column, new.key)):
        kind: ChangeClass = "major" if old.key else "minor"
        what = f"the key of {name} is {_listed(new.key)}, not {_listed(old.key)}"
        yield _of_structure(kind, what, name, old.key, "look whether one row still means the same, and join by the new key")
    if old.updated_at != new.updated_at:
        what = f"the time of change of {name} is {new.updated_at or 'told by no column'}, not {old.updated_at or 'told by no column'}"
        yield _of_structure("undetermined", what, name, tuple(filter(None, (old.updated_at,))), "load what is new by the new column")
    before, after = {folded_column(c.name): c for c in old.columns}, {folded_column(c.name): c for c in new.columns}
    for folded, column in before.items():
        if folded not in after:
            yield _gone(name, column, [added for other, added in after.items() if other not in before])
        else:
            yield from _column_changes(name, column, after[folded])
    for folded in after.keys() - before.keys():
        offered = [name for name in after[folded].former if name in after]
        beside = f"; it takes the place of {after[offered[0]].name}, which is still there" if offered else ""
        yield _of_structure("minor", f"column {after[folded].name} is new{beside}", name, (after[folded].name,))
    if old.words != new.words:
        yield _of_structure("patch", f"data set {name} is described in other words", name)


def _gone(data_set: str, column: ContractColumn, added: Iterable[ContractColumn]) -> ContractChange:
    alike = [other.name for other in added if (other.type, other.words) == (column.type, column.words)]
    renamed = f"; it may be called {alike[0]} now" if len(alike) == 1 else ""
    to_do = f"read {alike[0]} instead, if it is that" if len(alike) == 1 else "read it no more"
    return _of_structure("major", f"column {column.name} is gone{renamed}", data_set, (column.name,), to_do)


def _column_changes(data_set: str, old: ContractColumn, new: ContractColumn) -> Changes:
    """Changes of one column: type, nulls, allowed values, unit, description."""

    def of(kind: ChangeClass, what: str, to_do: str = "") -> ContractChange:
        return _of_structure(kind, f"column {old.name} {what}", data_set, (old.name,), to_do)

    if old.name != new.name:
        yield of("major", f"is written {new.name}", "write it so, where your tools tell capitals apart")
    if old.type != new.type:
        kind: ChangeClass = "minor" if is_wider(old.type, new.type) else "major"
        yield of(kind, f"is {new.type}, not {old.type}", f"take it as {new.type}")
    if old.nullable != new.nullable:
        yield of("major", "may be empty", "say what an empty value means to you") if new.nullable else of("minor", "is never empty")
    if old.unique != new.unique:
        yield of("minor", "has no value twice") if new.unique else of("major", "may have a value twice", "join by another column")
    if old.unit != new.unit:
        unit = f"is in {new.unit or 'no declared unit'}, not in {old.unit or 'no declared unit'}"
        yield of("major" if old.unit else "minor", unit, "convert what you compute from it")
    if old.identifier and old.identifier != new.identifier:  # a new one is in other words: contracts of before do not say it
        identifier = f"is {new.identifier or 'no global identifier'}, not {old.identifier}"
        yield of("major", identifier, "look whether its values still mean what you join them with")
    yield from _value_changes(of, old.values, new.values)
    if set(old.missing) != set(new.missing):
        yield of("undetermined", "has other values that stand for null", "look whether you read these values yourself")
    if gone := [test.partition(" ")[0] for test in old.tests if test not in new.tests]:
        yield of("undetermined", f"is not tested by {_listed(gone)} as before", "look whether you rely on that")
    if more := [test.partition(" ")[0] for test in new.tests if test not in old.tests and test.partition(" ")[0] not in gone]:
        yield of("minor", f"is tested by {_listed(more)}, too")
    if (old.words, old.classification) != (new.words, new.classification):
        words = f"is classified {new.classification}, not {old.classification}" if old.words == new.words else "is described in other words"
        yield of("patch", words)


def _value_changes(of: _Of, old: tuple[str, ...] | None, new: tuple[str, ...] | None) -> Changes:
    if old is None and new is None:
        return
    if old is None:
        yield of("minor", f"has no other values than {_listed(new or ())}")
        return
    if new is None:
        yield of("major", "may have any value", "take values that you do not know")
        return
    if more := [value for value in new if value not in old]:
        yield of("major", f"may have the new values {_listed(more)}", "take these values too")
    if fewer := [value for value in old if value not in new]:
        yield of("minor", f"has no longer the values {_listed(fewer)}")


def is_wider(old: str, new: str) -> bool:
    """Whether the new type holds every value of the old type, read the same way. Aliases of type names are accepted."""
    old, new = observed_type(old), observed_type(new)
    if old.endswith("[]") and new.endswith("[]"):
        return is_wider(old[:-2], new[:-2])
    if new in _WIDER.get(old, ()):
        return True
    one, other = _DECIMAL.fullmatch(old), _DECIMAL.fullmatch(new)
    if one is None or other is None:
        return False
    (digits, scale), (more, finer) = (tuple(map(int, match.groups())) for match in (one, other))
    return finer >= scale and more - finer >= digits - scale


def lost_columns(difference: SchemaDifference) -> tuple[str, ...]:
    """The columns that are gone or called otherwise, and those whose type does not hold all former values."""
    changed = (column.column for column in difference.changed if not is_wider(column.before, column.after))
    return (*(name for name, _ in difference.removed), *(old for old, _ in difference.renamed), *changed)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
