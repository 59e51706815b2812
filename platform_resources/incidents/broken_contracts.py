"""Broken contracts of inputs: write the message, and read the columns back from it."""

from collections.abc import Iterable, Mapping, Sequence

from platform_resources.capabilities.support.column_types import is_type
from platform_resources.capabilities.support.shares import amount
from platform_resources.spec.components import Column, InputColumn
from platform_resources.spec.values.column_names import folded_column

_HEAD = " breaks its contract: "


def breach(version: str, product: str, promised: Iterable[Column], columns: Mapping[str, str]) -> str:
    """How `columns` (name to type) break the contract, in one line; empty if they do not. Additional columns are allowed."""
    types = {folded_column(name): kind for name, kind in columns.items()}
    read = [(column, types.get(folded_column(column.name), "missing")) for column in promised]
    wrong = [f"{column.name} is {kind}, {column.type} was promised" for column, kind in read if kind != column.type]
    return f"version {version} of {product}{_HEAD}{'; '.join(wrong)}" if wrong else ""


def source_breach(promised: Iterable[InputColumn], columns: Mapping[str, str], empty: Mapping[str, int]) -> str:
    """How what a source delivered breaks its contract, in one line; empty if it does not. `empty` are rows without a value, by column."""
    types = {folded_column(name): kind for name, kind in columns.items()}
    read = [(column, types.get(folded_column(column.name), "missing")) for column in promised]
    wrong = [f"{column.name} is {kind}, {column.type} was promised" for column, kind in read if not is_type(column.type, kind)]
    wrong += [f"{name} is empty in {amount(rows)}, and nullable is not written" for name, rows in empty.items() if rows]
    return f"the source{_HEAD}{'; '.join(wrong)}" if wrong else ""


def breached(reason: str, promised: Iterable[Column]) -> Sequence[str]:
    """The promised columns that such a message names."""
    listed = f"; {reason.partition(_HEAD)[2]}"
    return [column.name for column in promised if f"; {column.name} is " in listed]
