"""Match renamed parts of two contracts by the former names that the new one declares."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from platform_resources.contracts.change import Changes, ContractChange
from platform_resources.contracts.contract import Contract, ContractColumn, ContractDataSet, ContractPort, ContractPromise
from platform_resources.spec.values.column_names import folded_column

Named = TypeVar("Named", ContractDataSet, ContractPort, ContractPromise, ContractColumn)


def rename_changes(old: Contract, new: Contract) -> Changes:
    """Renames that the new contract declares, each with the class that it has for consumers."""
    if old.product in new.former:
        to_do = "read it under its new name; files and ports are found under the old one too, schemas of a warehouse are not"
        yield ContractChange("undetermined", "structure", f"the product is called {new.product}, not {old.product}", to_do=to_do)
    before = {data_set.name: data_set for data_set in old.data_sets}
    for name, now in _renamed(old.data_sets, new.data_sets).items():
        what = f"data set {name} is called {now}, and so are its tables"
        yield ContractChange("major", "structure", what, name, to_do=f"read {now} instead")
    for data_set in _as_before(old.data_sets, new.data_sets):
        columns = before[data_set.name].columns if data_set.name in before else ()
        for name, now in _renamed(columns, data_set.columns).items():
            yield ContractChange("major", "structure", f"column {name} is called {now}", data_set.name, (name,), f"read {now} instead")
    for name, now in _renamed(old.ports, new.ports).items():
        what = f"output port {name} is called {now}, and is read under both names"
        yield ContractChange("minor", "structure", what, to_do=f"read {now} instead", port=name)
    for name, now in _renamed(old.promises, new.promises).items():
        yield ContractChange("patch", "guarantees", f"{name} is called {now}")


def by_names_of(old: Contract, new: Contract) -> Contract:
    """The new contract with renamed parts under their old names, unless another part has that name now."""
    before = {data_set.name: data_set.columns for data_set in old.data_sets}
    data_sets = tuple(_columns_as_before(before.get(data_set.name, ()), data_set) for data_set in _as_before(old.data_sets, new.data_sets))
    called = {now: name for name, now in _renamed(old.data_sets, new.data_sets).items()}
    ports, promises = _as_before(old.ports, new.ports), _as_before(old.promises, new.promises)
    return new.model_copy(
        update={
            "data_sets": data_sets,
            "ports": tuple(port.model_copy(update={"data_set": called.get(port.data_set, port.data_set)}) for port in ports),
            "promises": tuple(p.model_copy(update={"data_set": called.get(p.data_set, p.data_set)}) for p in promises),
        }
    )


def _columns_as_before(known: Sequence[ContractColumn], data_set: ContractDataSet) -> ContractDataSet:
    called = {folded_column(now): name for name, now in _renamed(known, data_set.columns).items()}

    def was(name: str) -> str:
        return called.get(folded_column(name), name)

    return data_set.model_copy(
        update={
            "columns": _as_before(known, data_set.columns),
            "key": tuple(map(was, data_set.key)),
            "updated_at": was(data_set.updated_at),
            "seen": {reader: {was(name): how for name, how in saw.items()} for reader, saw in data_set.seen.items()},
        }
    )


def _as_before(before: Sequence[Named], after: Sequence[Named]) -> tuple[Named, ...]:
    called = {now: name for name, now in _renamed(before, after).items()}
    return tuple(named.model_copy(update={"name": called.get(named.name, named.name)}) for named in after)


def _renamed(before: Sequence[Named], after: Sequence[Named]) -> Mapping[str, str]:
    """Of what was renamed the old name and the new one. A name that is still there was not: then both are offered."""
    old, new = {folded_column(named.name): named.name for named in before}, {folded_column(named.name) for named in after}
    return {
        old[folded_column(former)]: named.name
        for named in after
        for former in named.former
        if folded_column(former) in old and folded_column(former) not in new and folded_column(named.name) not in old
    }
