"""Data sets with their columns as the schema of a data contract (ODCS), and back."""

from collections.abc import Iterator, Mapping
from typing import Any

from platform_resources.interchange.bitol_parts import Fields, custom, filled, group, of_custom
from platform_resources.interchange.product_text import Component
from platform_resources.spec.values.column_names import column_name, folded_column
from platform_resources.spec.values.type_names import meant_type, type_name

# The logical type of the standard for each type of column; lists are arrays.
_LOGICAL = {
    "integer": "tinyint smallint integer bigint hugeint ubigint uinteger",
    "number": "decimal double float",
    "string": "varchar uuid blob interval",
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "timestamp": "timestamp timestamptz",
    "object": "json",
}
_LOGICAL_OF = {kind: logical for logical, kinds in _LOGICAL.items() for kind in kinds.split()}
_KIND_OF = {
    "integer": "bigint",
    "number": "double",
    "string": "varchar",
    "object": "json",
    "array": "json",
    "map": "json",
    "vector": "double[]",
}
_OWN = ("unit", "identifier", "join_rate", "missing")
_KNOWN_CLASSES = ("public", "internal", "personal", "sensitive", "unclassified")


def logical_type(kind: str) -> str:
    """The standard's logical type of a column of the platform's type."""
    return "array" if kind.endswith("]") else _LOGICAL_OF[kind.partition("(")[0]]


def schema_object(data_set: Component, newest: bool) -> Fields:
    """One data set; `newest` standards have lists of values as well."""
    said = data_set["properties"]
    key = {folded_column(name): number for number, name in enumerate(said.get("primary_key", ()), 1)}
    columns = [_column(column, key, said, newest) for column in said.get("columns", ())]
    return filled(
        name=data_set["name"],
        physicalName=said.get("model"),
        physicalType="table",
        description=said.get("description"),
        properties=columns,
        customProperties=custom({"classification": said.get("classification")}),
    )


def _column(column: Mapping[str, Any], key: Mapping[str, int], data_set: Mapping[str, Any], newest: bool) -> Fields:
    folded, tests = folded_column(column["name"]), column.get("tests", ())
    partitioned = folded_column(data_set.get("partition_by") or "") == folded
    values = next(filter(None, map(_accepted, tests)), None) if newest else None
    return filled(
        name=column["name"],
        primaryKey=True if folded in key else None,
        primaryKeyPosition=key.get(folded),
        logicalType=logical_type(column["type"]),
        physicalType=column["type"],
        description=column.get("description"),
        required=not column.get("nullable", False),
        unique=True if "unique" in tests else None,
        enum=[{"value": value} for value in values] if values else None,
        partitioned=True if partitioned else None,
        partitionKeyPosition=1 if partitioned else None,
        classification=column.get("classification"),
        tags=column.get("tags"),
        customProperties=custom({name: column.get(name) for name in _OWN}),
    )


def _accepted(test: Any) -> list[Any] | None:
    """The values of dbt's test accepted_values where it says nothing else, each once."""
    arguments = test.get("accepted_values") if isinstance(test, dict) else None
    values = arguments.get("values") if arguments and set(arguments) == {"values"} else None
    plain = isinstance(values, list) and all(isinstance(value, str) for value in values) and len(set(values)) == len(values)
    return values if plain else None


def data_set(described: Mapping[str, Any]) -> Component:
    """One object of the schema; columns of names or types that no warehouse of the platform has are left out."""
    written = list(_written_columns(described.get("properties") or ()))
    keyed = sorted((int(column.get("primaryKeyPosition") or 0), column["name"]) for column in written if column.get("primaryKey"))
    partitions = [column["name"] for column in written if column.get("partitioned")]
    classification = of_custom(described.get("customProperties")).get("classification")
    properties = filled(
        description=described.get("description"),
        model=described.get("physicalName"),
        primary_key=[name for _, name in keyed],
        partition_by=partitions[0] if len(partitions) == 1 else None,
        classification=classification if classification in _KNOWN_CLASSES else None,
        columns=[_declared(column) for column in written],
    )
    return {"name": described["name"], "type": "data-set", "properties": properties}


def _written_columns(properties: Any) -> Iterator[Mapping[str, Any]]:
    seen: set[str] = set()
    for described in properties:
        try:
            name = folded_column(column_name(described["name"]))
        except ValueError:
            continue
        if name not in seen and _kind(described):
            seen.add(name)
            yield described


def _kind(described: Mapping[str, Any]) -> str:
    """The physical type, in whichever database's words, if a column can have it; else the one that the logical type means."""
    logical, physical = str(described.get("logicalType") or ""), str(described.get("physicalType") or "")
    meant = meant_type(physical)
    # How many digits a number without any has differs from database to database.
    is_vague = meant.startswith("decimal") and "(" not in physical
    same = not logical or (meant != "" and not is_vague and logical_type(meant) == logical)
    for written in (physical, meant if same and meant != "json" else "", _meant_by_logical(described, logical)):
        try:
            return type_name(written)
        except ValueError:
            continue
    return ""


def _meant_by_logical(described: Mapping[str, Any], logical: str) -> str:
    """Also of a list of plain values, and of moments with their zone."""
    items = described.get("items")
    within = _kind(items) if logical == "array" and isinstance(items, dict) else ""
    if within not in ("", "json"):
        return f"{within}[]"
    zoned = logical == "timestamp" and group(described, "logicalTypeOptions").get("timezone") is True
    return "timestamptz" if zoned else _KIND_OF.get(logical, logical)


def _declared(described: Mapping[str, Any]) -> Fields:
    own = of_custom(described.get("customProperties"))
    values = [entry.get("value") for entry in described.get("enum") or ()]
    tests: list[Any] = ["unique"] if described.get("unique") is True else []
    if values and all(isinstance(value, str) for value in values):
        tests.append({"accepted_values": {"values": values}})
    classification = str(described.get("classification") or "")
    return filled(
        name=described["name"],
        type=_kind(described),
        description=described.get("description"),
        nullable=None if described.get("required") is True else True,
        unit=own.get("unit") if isinstance(own.get("unit"), str) else None,
        identifier=own.get("identifier") if isinstance(own.get("identifier"), str) else None,
        join_rate=own.get("join_rate") if isinstance(own.get("join_rate"), int | float) else None,
        missing=own.get("missing") if isinstance(own.get("missing"), list) else None,
        classification=classification if classification in _KNOWN_CLASSES else None,
        tags=described.get("tags"),
        tests=tests,
    )
