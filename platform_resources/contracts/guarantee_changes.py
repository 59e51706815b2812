"""Compare the promises of two contracts: objectives and indicator targets."""

import json
from collections.abc import Collection

from platform_resources.contracts.change import ChangeClass, Changes, ContractChange
from platform_resources.contracts.contract import Contract, ContractPromise
from platform_resources.spec.values.column_names import folded_column
from platform_resources.spec.values.durations import length_text

# A bound may give way by so much of what it allows before consumers call it another promise.
TOLERANCE = 0.1


def guarantee_changes(old: Contract, new: Contract) -> Changes:
    """Changes of objectives and targets, matched by name; renamed ones count as the same promise."""
    before, after = {promise.name: promise for promise in old.promises}, {promise.name: promise for promise in new.promises}
    renamed = _renamed(before, after)
    for name, promise in before.items():
        there = after.get(renamed.get(name, name))
        if there is None:
            yield _of(promise, "major", "is no longer promised", "check this yourself, or ask its owner to keep it")
        else:
            yield from _promise_changes(promise, there, _columns(new, promise.data_set))
    for name in sorted(after.keys() - before.keys() - set(renamed.values())):
        yield _of(after[name], "minor", "is a new promise")


def _columns(contract: Contract, data_set: str) -> Collection[str]:
    """Those that are called as they were."""
    columns = (column for known in contract.data_sets if known.name == data_set for column in known.columns)
    return {column.name for column in columns if folded_column(column.name) not in column.former}


def _renamed(before: dict[str, ContractPromise], after: dict[str, ContractPromise]) -> dict[str, str]:
    """The new name of each promise that is said in the same words otherwise."""
    new = {_without_name(after[name]): name for name in after.keys() - before.keys()}
    return {name: new[said] for name in before.keys() - after.keys() if (said := _without_name(before[name])) in new}


def _without_name(promise: ContractPromise) -> ContractPromise:
    return promise.model_copy(update={"name": "", "words": "", "former": ()})


def _of(promise: ContractPromise, kind: ChangeClass, what: str, to_do: str = "") -> ContractChange:
    columns = tuple(column.partition(".")[2] for column in promise.columns if "." in column)
    return ContractChange(kind, "guarantees", f"{promise.name} ({promise.dimension}) {what}", promise.data_set, columns, to_do)


def _promise_changes(old: ContractPromise, new: ContractPromise, there: Collection[str]) -> Changes:
    """`there` are the columns of before that its data set still has."""
    if old.logic != new.logic:
        yield _of(old, "major", "is computed in another way", "compare no value of before with one of now")
    if (old.dimension, old.data_set) != (new.dimension, new.data_set):
        yield _of(old, "major", f"promises {new.dimension} of {new.data_set or 'the product'}", "look whether that is enough for you")
    elif old.unit != new.unit:
        yield _of(old, "undetermined", f"is counted in {new.unit or 'no unit'}, not in {old.unit or 'no unit'}", "look at the new bounds")
    else:
        yield from _bound_changes(old, new)
    if new.strength != old.strength:
        weaker = new.strength < old.strength
        what = f"{'weighs less' if weaker else 'weighs more'}: {_STRENGTHS[new.strength]}, not {_STRENGTHS[old.strength]}"
        yield _of(old, "major" if weaker else "minor", what, "check this yourself" if weaker else "")
    if lost := [column for column in _asked_of(old) if column in there and column not in _asked_of(new)]:
        yield _of(old, "major", f"says nothing of {', '.join(lost)} any more", "check this yourself, or ask its owner to keep it")
    if old.settings != new.settings:
        yield _of(old, "undetermined", "is asked in another way", "look whether it still promises what you need")
    if (old.name, old.words) != (new.name, new.words):
        yield _of(old, "patch", "is described in other words")


def _asked_of(promise: ContractPromise) -> tuple[str, ...]:
    """The columns that it names itself."""
    said = json.loads(promise.settings or "{}")
    return tuple(filter(None, (said.get("column"), *(said.get("columns") or ()))))


_STRENGTHS = ("a target of the business", "a promise", "a promise of severity error", "a gate")


def _bound_changes(old: ContractPromise, new: ContractPromise) -> Changes:
    for was, now, says, sign in ((old.at_least, new.at_least, "at least", 1), (old.at_most, new.at_most, "at most", -1)):
        if was == now:
            continue
        if now is None or was is None:
            what = f"promises no longer {says} {_shown(was, old.unit)}" if now is None else f"promises {says} {_shown(now, new.unit)}, too"
            yield _of(old, "major" if now is None else "minor", what, "check this yourself" if now is None else "")
        elif (now - was) * sign > 0:
            yield _of(old, "minor", f"promises {says} {_shown(now, new.unit)}, more than {_shown(was, old.unit)}")
        else:
            within = abs(now - was) <= TOLERANCE * _allowed(was, old.unit, sign)
            what = f"promises {says} {_shown(now, new.unit)}, not {_shown(was, old.unit)}{', which is within tolerance' if within else ''}"
            yield _of(old, "minor" if within else "major", what, "look whether that is enough for you")


def _allowed(bound: float, unit: str, sign: int) -> float:
    """What the bound lets pass: of 99 % at least it is one hundredth; of any other bound it is the bound itself."""
    return 100 - bound if unit == "%" and sign > 0 else abs(bound)


def _shown(bound: float | None, unit: str) -> str:
    if bound is None:
        return "nothing"
    return length_text(bound) if unit == "s" else f"{bound:g}{f' {unit}' if unit else ''}"
