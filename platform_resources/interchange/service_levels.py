"""Freshness, availability, retention and the end of support as service levels of a data contract (ODCS), and back."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from croniter import croniter

from platform_resources.interchange.bitol_parts import Fields, filled, info_of, of_type
from platform_resources.interchange.product_text import Component
from platform_resources.spec.values.durations import duration, duration_text
from platform_resources.spec.values.names import slug

# `m` means minutes where something has to come soon; the standard lets it mean months where something is kept.
_UNITS = {"s": "sec second", "m": "min minute", "h": "hr hour", "d": "day", "w": "week"}
_SOON = {word: unit for unit, words in _UNITS.items() for word in (unit, *words.split())}
_WORDS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
FRESH = ("freshness", "latency", "ly")


def soon(value: Any, unit: Any) -> str | None:
    """How soon something has to come, as the platform writes it: 90 and `m` are ninety minutes. None where it is no length of time."""
    short = _SOON.get(_singular(unit))
    try:
        return duration_text(duration(f"{value}{short}")) if short and not isinstance(value, bool) else None
    except ValueError:
        return None


def _singular(unit: Any) -> str:
    text = str(unit or "").strip().lower()
    return text.removesuffix("s") if len(text) > 2 else text


def service_levels(components: list[Component]) -> list[Fields]:
    """What the product promises of its service, in the words of the standard."""
    info = info_of(components)[2]
    fresh = [objective for objective in of_type(components, "service-level-asset") if objective["properties"]["dimension"] == "freshness"]
    levels = [_fresh(objective, components) for objective in fresh if not _has_deadline(objective)]
    levels += [_in_time(objective, components) for objective in fresh if objective["properties"].get("by")]
    levels += _available(components)
    if info.get("end_date"):
        levels.append({"property": "endOfSupport", "value": info["end_date"]})
    refresh = info.get("refresh") or {}
    if "cron" in refresh:
        clock = {"value": refresh["cron"], "scheduler": "cron", "schedule": refresh["cron"]}
        zone = f"in the time zone {refresh['timezone']}" if "timezone" in refresh else None
        levels.append({"property": "frequency", **clock, **filled(description=zone)})
    return levels


def _fresh(objective: Component, components: list[Component]) -> Fields:
    said = objective["properties"]
    length = said.get("max_age", "24h")
    value, unit = (float(length[:-1]), length[-1])
    return filled(
        property="freshness",
        value=int(value) if value == int(value) else value,
        unit=_WORDS[unit],
        element=_element(said, components),
        description=said.get("description"),
        id=slug(objective["name"]),
    )


def _has_deadline(objective: Component) -> bool:
    return bool(objective["properties"].get("by") or objective["properties"].get("cron"))


def _in_time(objective: Component, components: list[Component]) -> Fields:
    """Written only: by when data are there depends on a calendar, for which the standard has no words."""
    said = objective["properties"]
    return filled(
        property="timeOfAvailability",
        value=f"{said['by']} {said.get('timezone', 'UTC')}",
        element=_element(said, components),
        description=said.get("description"),
        id=slug(objective["name"]),
    )


def _element(said: Mapping[str, Any], components: list[Component]) -> str | None:
    """The column that tells how new the data set is, or the data set."""
    data_set = _data_set(components, said.get("data_set"))
    newest = data_set["properties"].get("updated_at") if data_set else None
    return ".".join(filter(None, (data_set["name"], newest))) if data_set else None


def _data_set(components: list[Component], name: str | None) -> Component | None:
    every = of_type(components, "data-set")
    if name is None:
        return every[0] if len(every) == 1 else None
    return next((component for component in every if component["name"] == name), None)


def _available(components: list[Component]) -> Iterator[Fields]:
    """The shares of time that are promised of availability."""
    objectives = {
        objective["name"]
        for objective in of_type(components, "service-level-asset")
        if objective["properties"]["dimension"] == "availability"
    }
    for indicator in of_type(components, "service-level-indicator"):
        said = indicator["properties"]
        if said["service_level_name"] in objectives and said.get("target") is not None:
            yield {"property": "availability", "value": said["target"], "unit": "percent", **filled(id=slug(indicator["name"]))}


def objectives_of(levels: Any, data_sets: Mapping[str, Component]) -> Iterator[Component]:
    """The objectives of freshness; what else service levels say goes to the product itself."""
    for level in levels or ():
        age = soon(level.get("value"), level.get("unit")) if level["property"].lower() in FRESH else None
        if age is None:
            continue
        table = str(level.get("element") or "").partition(".")[0]
        name = str(level.get("id") or "").replace("_", " ").capitalize() if level["property"] == "freshness" else ""
        properties = filled(
            dimension="freshness",
            data_set=table if table in data_sets else None,
            max_age=age,
            description=level.get("description"),
        )
        yield {
            "name": name or f"{table or 'Data'} {'is' if table else 'are'} fresh",
            "type": "service-level-asset",
            "properties": properties,
        }


def newest_columns(levels: Any, data_sets: Mapping[str, Component]) -> Iterator[tuple[str, str]]:
    """Which column tells when the rows of a data set were made or changed: the element that is promised to be fresh."""
    for level in levels or ():
        table, _, column = str(level.get("element") or "").partition(".")
        columns = data_sets[table]["properties"].get("columns", ()) if table in data_sets else ()
        if level["property"].lower() in FRESH and column in [column_of_set["name"] for column_of_set in columns]:
            yield table, column


def of_product(levels: Any) -> Fields:
    """The end date and the schedule that service levels tell of."""
    by_name = {level["property"]: level for level in reversed(levels or ())}
    end = str((by_name.get("endOfSupport") or {}).get("value") or "")
    schedule = str((by_name.get("frequency") or {}).get("schedule") or "")
    cron = schedule if len(schedule.split()) == 5 and croniter.is_valid(schedule) else None
    return filled(end_date=end[:10] if _is_day(end[:10]) else None, refresh={"cron": cron} if cron else None)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
