"""Objectives of data sets as quality checks of a data contract (ODCS), and back."""

from collections.abc import Iterator, Mapping
from typing import Any

from platform_resources.interchange.bitol_parts import Fields, filled, group, of_type
from platform_resources.interchange.product_text import Component

ENGINE = "mesh"
# The standard's word for each of our dimensions, where it has one.
DIMENSIONS = {
    "accuracy": "accuracy",
    "completeness": "completeness",
    "freshness": "timeliness",
    "referential-consistency": "consistency",
    "schema": "conformity",
    "uniqueness": "uniqueness",
    "validity": "conformity",
    "volume": "coverage",
}
_SAID_BESIDE = ("dimension", "data_set", "description", "severity")
# What an objective may say beside these for the library of the standard to say the same.
_LIBRARY = {
    "volume": {"at_least", "at_most"},
    "uniqueness": {"columns", "at_least"},
    "completeness": {"columns", "at_least"},
    "validity": {"column", "accepted_values", "pattern", "at_least"},
}


def with_quality(schema: list[Fields], components: list[Component]) -> list[Fields]:
    """The schema with the objectives of each data set, and of each column, as quality checks."""
    names = [described["name"] for described in schema]
    for objective in of_type(components, "service-level-asset"):
        said = objective["properties"]
        table = said.get("data_set") or (names[0] if len(names) == 1 else None)
        if table not in names or said["dimension"] == "freshness":
            continue
        described = schema[names.index(table)]
        column, check = _check(objective, described)
        (column if column is not None else described).setdefault("quality", []).append(check)
    return schema


def _check(objective: Component, described: Fields) -> tuple[Fields | None, Fields]:
    """The check, and the column that it stands at if it is about one."""
    said = objective["properties"]
    about = filled(
        name=objective["name"],
        description=said.get("description"),
        dimension=DIMENSIONS.get(said["dimension"]),
        severity=said.get("severity"),
    )
    library = _library(said) if set(said) - set(_SAID_BESIDE) - {"gate"} <= _LIBRARY.get(said["dimension"], set()) else None
    if library is None:
        return None, {**about, **_custom(said)}
    column, check = library
    place = next((entry for entry in described.get("properties", ()) if entry["name"] == column), None)
    return (place, {**about, "type": "library", **check}) if place is not None or column is None else (None, {**about, **_custom(said)})


def _custom(said: Mapping[str, Any]) -> Fields:
    own = {name: value for name, value in said.items() if name not in ("data_set", "description", "severity")}
    return {"type": "custom", "engine": ENGINE, "implementation": own}


def _library(said: Mapping[str, Any]) -> tuple[str | None, Fields] | None:
    """A check of the standard's library, and its column if it is about one; None where the library has none that says the same."""
    columns, least = list(said.get("columns") or ()), said.get("at_least", 100)
    bad: Fields = {"mustBe": 0} if least == 100 else {"mustBeLessOrEqualTo": round(100 - least, 9), "unit": "percent"}
    match said["dimension"]:
        case "volume":
            low, high = said.get("at_least"), said.get("at_most")
            if low is None or high is None:
                return None, {"metric": "rowCount", **filled(mustBeGreaterOrEqualTo=low, mustBeLessOrEqualTo=high)}
            return (None, {"metric": "rowCount", "mustBeBetween": [low, high]}) if low != high else None
        case "uniqueness":
            return None, {"metric": "duplicateValues", **bad, **filled(arguments=filled(properties=columns))}
        case "completeness" if len(columns) == 1:
            return columns[0], {"metric": "nullValues", **bad}
        case "validity" if "accepted_values" in said or "pattern" in said:
            arguments = filled(validValues=said.get("accepted_values"), pattern=said.get("pattern"))
            return said["column"], {"metric": "invalidValues", "arguments": arguments, **bad}
    return None


def objectives_of(schema: Any) -> Iterator[Component]:
    """The objectives that checks of the library mean, and those that the platform wrote itself."""
    for described in schema or ():
        for check in described.get("quality") or ():
            yield from _objective(check, described["name"], None)
        for column in described.get("properties") or ():
            for check in column.get("quality") or ():
                yield from _objective(check, described["name"], column["name"])


def _objective(check: Mapping[str, Any], table: str, column: str | None) -> Iterator[Component]:
    own = check.get("implementation")
    meant = own if check.get("engine") == ENGINE and isinstance(own, dict) and "dimension" in own else _meant(check, column)
    if meant is None:
        return
    severity = check.get("severity")
    beside = filled(description=check.get("description"), severity=severity if severity in ("error", "warning") else None)
    properties = {**{name: value for name, value in meant.items() if value is not None}, "data_set": table, **beside}
    place = f"{table}.{column}" if column else table
    yield {
        "name": check.get("name") or f"{meant['dimension']} of {place}".capitalize(),
        "type": "service-level-asset",
        "properties": properties,
    }


def _meant(check: Mapping[str, Any], column: str | None) -> Fields | None:
    arguments = group(check, "arguments")
    match check.get("metric"):
        case "rowCount" if column is None:
            return _rows(check)
        case "nullValues" if column is not None:
            return _share(check, dimension="completeness", columns=[column])
        case "duplicateValues":
            columns = [column] if column is not None else arguments.get("properties")
            return _share(check, dimension="uniqueness", columns=columns if isinstance(columns, list) else None)
        case "invalidValues" if column is not None:
            values, pattern = arguments.get("validValues"), arguments.get("pattern")
            plain = isinstance(values, list) and values and all(isinstance(value, str | int | float) for value in values)
            if plain and pattern is None:
                return _share(check, dimension="validity", column=column, accepted_values=values)
            if isinstance(pattern, str) and values is None:
                return _share(check, dimension="validity", column=column, pattern=pattern)
    return None


def _rows(check: Mapping[str, Any]) -> Fields | None:
    """Rows are whole: more than 10 are at least 11."""
    if check.get("unit") not in (None, "rows"):
        return None
    low, high = check.get("mustBeGreaterOrEqualTo"), check.get("mustBeLessOrEqualTo")
    low = check["mustBeGreaterThan"] + 1 if isinstance(check.get("mustBeGreaterThan"), int) else low
    high = check["mustBeLessThan"] - 1 if isinstance(check.get("mustBeLessThan"), int) else high
    low, high = check.get("mustBeBetween", (low, high))
    known = [limit for limit in (low, high) if limit is not None]
    fits = known and all(isinstance(limit, int) and limit >= 0 for limit in known) and (len(known) == 1 or low <= high)
    return {"dimension": "volume", "at_least": low, "at_most": high} if fits else None


def _share(check: Mapping[str, Any], **meant: Any) -> Fields | None:
    """Checks of all rows, and of a share of them; a number of bad rows has no equal here."""
    if check.get("mustBe") == 0 and not isinstance(check["mustBe"], bool):
        return meant
    most = check.get("mustBeLessOrEqualTo")
    if check.get("unit") == "percent" and isinstance(most, int | float) and 0 <= most <= 100:
        return {**meant, "at_least": round(100 - most, 9)}
    return None
