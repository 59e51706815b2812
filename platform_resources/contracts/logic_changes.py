"""Find the promised columns that an edit of a model's SQL may change, by column lineage."""

from platform_resources.contracts.change import Changes, ContractChange
from platform_resources.contracts.contract import Contract, ContractDataSet
from platform_resources.lineage.product_lineage import ProductLineage

_TO_DO = "compare values of before and after; whether their meaning is another one, its owner has to say"


def logic_changes(old: Contract, new: Contract, lineage: ProductLineage) -> Changes:
    """Undetermined changes: only a person can tell whether the columns mean the same. `lineage` is of the last build."""
    for model in sorted(old.models.keys() & new.models.keys()):
        if old.models[model] == new.models[model]:
            continue
        for data_set in old.data_sets:
            columns = touched_columns(lineage, data_set, model)
            what = f"model {model} is written in another way"
            if columns is None:
                unknown = f"{what}; whether that touches {data_set.name} is not known before it is built"
                yield ContractChange("undetermined", "guarantees", unknown, data_set.name, (), _TO_DO)
            elif columns:
                named = "all columns" if len(columns) == len(data_set.columns) else ", ".join(columns)
                yield ContractChange("undetermined", "guarantees", f"{what}, from which {named} come", data_set.name, columns, _TO_DO)


def touched_columns(lineage: ProductLineage, data_set: ContractDataSet, model: str) -> tuple[str, ...] | None:
    """The data set's columns derived from the model, or possibly so; None if no build has recorded lineage."""
    if data_set.table == model:
        return tuple(column.name for column in data_set.columns)
    if data_set.table not in lineage.models:
        return None
    known: dict[tuple[str, str], bool] = {}

    def comes_from_model(place: str, column: str) -> bool:
        if place == model:
            return True
        if (place, column) not in known:
            known[place, column] = False  # a circle adds nothing
            known[place, column] = any(comes_from_model(ref.place, ref.column) for ref in lineage.made_from(place, column))
        return known[place, column]

    return tuple(column.name for column in data_set.columns if comes_from_model(data_set.table, column.name))
