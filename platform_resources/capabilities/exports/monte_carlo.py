"""The export `monte-carlo`."""

from collections.abc import Iterator
from typing import Any

from platform_resources.capabilities.protocols import Exported, NoExportSettings, WrittenOnly
from platform_resources.interchange.bitol_parts import Fields, filled
from platform_resources.interchange.foreign_yaml import foreign_text
from platform_resources.spec.components import DataSet, ServiceLevelAsset
from platform_resources.spec.product import Declared, Product
from platform_resources.spec.values.column_names import needs_quotes

_DIMENSIONS = {"volume": "COMPLETENESS", "completeness": "COMPLETENESS", "uniqueness": "UNIQUENESS", "validity": "VALIDITY"}
_DAILY = {"type": "fixed", "interval_minutes": 1440, "start_time": "2024-01-01T06:00:00"}


class MonteCarlo(WrittenOnly):
    """Objectives as monitors of Monte Carlo, as code: one custom SQL monitor for each that a query over a SQL port can tell, once a day.

    Volume, completeness, uniqueness, validity and failing rows of custom SQL are written; what is learned or compared with history is not.
    """

    name = "monte-carlo"
    config = NoExportSettings
    media_type = "application/yaml"
    ending = ".montecarlo.yml"
    example = """
- name: One row per order
  type: service-level-asset
  properties: {dimension: uniqueness, data_set: orders, severity: error}
"""

    def text(self, settings: NoExportSettings, source: Exported) -> str:
        return foreign_text({"montecarlo": {"custom_sql": list(_monitors(source.product))}})


def _monitors(product: Product) -> Iterator[Fields]:
    for objective in product.objectives:
        data_set = product.data_set(objective.config.data_set)
        table = _table(product, data_set) if data_set is not None else ""
        measured = _measured(objective, data_set.config, table) if data_set is not None and table else None
        if measured is not None:
            sql, conditions = measured
            yield _monitor(product, objective, sql, conditions)


def _table(product: Product, data_set: Declared[DataSet]) -> str:
    """The first SQL port that has the data set; nothing where there is none."""
    ports = (port for port in product.output_ports if port.variant == "sql" and product.data_set(port.config.data_set) == data_set)
    return next((f"{product.name}.ports.{_named(port.name)}" for port in ports), "")


def _monitor(product: Product, objective: Declared[ServiceLevelAsset], sql: str, conditions: list[Fields]) -> Fields:
    said = objective.config
    return filled(
        name=f"{product.name}_{objective.name}",
        description=f"{objective.title}. {said.description}".strip(),
        sql=sql,
        alert_conditions=conditions,
        schedule=_DAILY,
        data_quality_dimension=_DIMENSIONS.get(said.dimension),
    )


def _measured(objective: Declared[ServiceLevelAsset], data_set: DataSet, table: str) -> tuple[str, list[Fields]] | None:
    """A query of one number, and beyond what it is an alert; nothing where other values than null stand for null."""
    settings, dimension = objective.settings, objective.variant
    if getattr(settings, "learned", None) is not None or any(column.missing for column in data_set.columns):
        return None
    if dimension == "volume" and (settings.at_least, settings.at_most) != (None, None):
        bounds = (("LT", settings.at_least), ("GT", settings.at_most))
        return f"select count(*) from {table}", [_alert(operator, bound) for operator, bound in bounds if bound is not None]
    if dimension == "uniqueness" and settings.at_least == 100:
        key = ", ".join(map(_named, settings.columns or data_set.primary_key))
        repeated = f"select {key} from {table} group by {key} having count(*) > 1"
        return (f"select count(*) from ({repeated}) as repeated", [_alert("GT", 0)]) if key else None
    if dimension == "custom-sql" and settings.failing_rows and settings.at_most_percent is None:
        return f"select count(*) from {table} where {settings.failing_rows}", [_alert("GT", settings.at_most or 0)]
    bad = _bad(dimension, settings)
    if bad is None:
        return None
    share = f"100.0 * sum(case when {bad} then 1 else 0 end) / nullif(count(*), 0)"
    return f"select {share} from {table}", [_alert("GT", round(100 - settings.at_least, 9))]


def _bad(dimension: str, settings: Any) -> str | None:
    """The condition of a row that breaks the promise; values that are null break only completeness."""
    if dimension == "completeness" and settings.columns:
        return " or ".join(f"{_named(column)} is null" for column in settings.columns)
    if dimension != "validity":
        return None
    column = _named(settings.column)
    if settings.accepted_values:
        return f"{column} not in ({', '.join(map(_literal, settings.accepted_values))})"
    bounds = [f"{column} {sign} {_literal(bound)}" for sign, bound in (("<", settings.min), (">", settings.max)) if bound is not None]
    return " or ".join(bounds) or None


def _alert(operator: str, bound: float) -> Fields:
    return {"operator": operator, "threshold_value": bound}


def _named(column: str) -> str:
    return f'"{column}"' if needs_quotes(column) else column


def _literal(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"


CAPABILITY = MonteCarlo()
