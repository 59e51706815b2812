"""A dimension's verdict on a real DuckDB: measures planned, run and judged as an audit does it."""

from datetime import UTC, datetime

import duckdb

from platform_resources.capabilities.judgements import Judgement, Moment
from platform_resources.capabilities.measures import Relation, Subject
from platform_resources.capabilities.registry import installed_registry
from platform_resources.measuring.failing_rows import failing_rows_sql
from platform_resources.measuring.metrics import Asked
from platform_resources.promises.judgement import judged
from platform_resources.spec.components import DataSet
from platform_resources.warehouses.measured_queries import measure

HERE, THERE = Relation("internal", "here"), Relation("inputs", "there")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
AT_NOON = Moment(NOW)


def subject(**types: str) -> Subject:
    """The data set `here` that promises these columns, beside an input `there`."""
    columns = [{"name": name, "type": kind} for name, kind in types.items()]
    return Subject(DataSet.model_validate({"columns": columns}), HERE, {"there": THERE}, {"here": HERE})


class Warehouse:
    """An in-memory database with the two relations, made of any query."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("set timezone = 'UTC'; create schema internal; create schema inputs")

    def here(self, select: str) -> None:
        self.connection.execute(f"create or replace table internal.here as {select}")

    def there(self, select: str) -> None:
        self.connection.execute(f"create or replace table inputs.there as {select}")

    def judged(self, dimension: str, written: dict, about: Subject | None = None, moment: Moment = AT_NOON) -> Judgement:
        capability, about = installed_registry().dimensions()[dimension], about or subject()
        settings = capability.config.model_validate(written)
        asked = [Asked(name, about.relation, each) for name, each in capability.measures(settings, about).items()]
        readings = measure(asked, lambda sql: self.connection.execute(sql).fetchone())
        return judged(capability, settings, readings, about, moment)

    def verdict(self, dimension: str, written: dict, about: Subject | None = None) -> tuple[str, str]:
        judgement = self.judged(dimension, written, about)
        return judgement.verdict, judgement.reason

    def failing(self, dimension: str, written: dict, about: Subject, show: list[str]) -> list[tuple]:
        """The rows that are shown for a missed promise."""
        capability = installed_registry().dimensions()[dimension]
        measures = capability.measures(capability.config.model_validate(written), about)
        sql = failing_rows_sql(measures[self.judged(dimension, written, about).failing], about.relation, show, 10)
        return sorted(self.connection.execute(sql).fetchall())
