"""Which columns of one product are made from which, as its last build has told; as JSON too."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from platform_resources.lineage.column_uses import ColumnRef, Kind, Uses
from platform_resources.spec.values.column_names import folded_column

# Another number makes what was kept be made anew.
FORM = 2


@dataclass(frozen=True, slots=True)
class ModelLineage:
    """What a model's columns are made from, and what decides which rows it has; `reads` are the places that it reads.

    `unresolved` says why that is not known (empty: it is known). `key` changes with whatever this depends on.
    """

    names: tuple[str, ...]
    columns: Mapping[str, Uses]
    rows: Uses
    reads: tuple[str, ...]
    unresolved: str
    key: str


@dataclass(frozen=True, slots=True)
class ProductLineage:
    """The models of one product, and the columns of its input ports (by place, as `inputs/orders`)."""

    models: Mapping[str, ModelLineage] = field(default_factory=dict)
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def names(self, place: str) -> tuple[str, ...]:
        """The columns of a model or an input port; none where it was never built."""
        return self.models[place].names if place in self.models else self.inputs.get(place, ())

    def made_from(self, place: str, column: str) -> Uses:
        """Every use of the column, which may be written in another case. What is not known may read all that its model reads."""
        model = self.models.get(place)
        if model is None:
            return {}
        uses = next((uses for name, uses in model.columns.items() if folded_column(name) == folded_column(column)), None)
        if model.unresolved or uses is None:
            return {ColumnRef(read, name): "unresolved" for read in model.reads for name in self.names(read)}
        return {**dict.fromkeys(model.rows, "row-level"), **uses}


def lineage_text(lineage: ProductLineage) -> str:
    """The lineage as JSON."""
    models = {
        name: {
            "names": model.names,
            "columns": {column: _listed(uses) for column, uses in model.columns.items()},
            "rows": _listed(model.rows),
            "reads": model.reads,
            "unresolved": model.unresolved,
            "key": model.key,
        }
        for name, model in lineage.models.items()
    }
    return json.dumps({"form": FORM, "models": models, "inputs": lineage.inputs})


def lineage_from(text: str) -> ProductLineage:
    """The lineage from its JSON; empty if the JSON has another form. Raises ValueError for text that is not JSON."""
    data = json.loads(text)
    if data.get("form") != FORM:
        return ProductLineage()
    models = {
        name: ModelLineage(
            tuple(model["names"]),
            {column: _uses(uses) for column, uses in model["columns"].items()},
            _uses(model["rows"]),
            tuple(model["reads"]),
            model["unresolved"],
            model["key"],
        )
        for name, model in data["models"].items()
    }
    return ProductLineage(models, {place: tuple(columns) for place, columns in data["inputs"].items()})


def _listed(uses: Uses) -> list[tuple[str, str, Kind]]:
    return [(ref.place, ref.column, kind) for ref, kind in uses.items()]


def _uses(listed: Any) -> Uses:
    return {ColumnRef(place, column): kind for place, column, kind in listed}
