"""Compute the watermark of each data set, from its rows or from the inputs that it is made from."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from platform_resources.capabilities.support.recency import Recency, ahead_sql, newest_sql, of_inputs, of_rows
from platform_resources.capabilities.support.sql_text import quoted, relation_sql
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.needed_inputs import needed_inputs
from platform_resources.plan.plan import ProductPlan
from platform_resources.refresh.sources.pull_records import PULLS
from platform_resources.refresh.sources.shared_pulls import BROUGHT
from platform_resources.spec.values.column_names import folded_column
from platform_resources.warehouses.protocol import ProductDatabase


def input_records(database: ProductDatabase, product: ProductPlan) -> dict[str, dict[str, Any]]:
    """What the product's input ports hold now: the version, cursor or file set of each."""
    ports = {port.name for port in product.inputs}
    return {port: json.loads(record) for port, record in database.remembered(PULLS).items() if port in ports}


def delivered_rows(database: ProductDatabase, product: ProductPlan) -> dict[str, int]:
    """How many rows the newest delivery of each input port brought, where a pull has noted it."""
    return {port: int(record[BROUGHT]) for port, record in input_records(database, product).items() if BROUGHT in record}


def made_from_inputs(database: ProductDatabase, product: ProductPlan, now: datetime) -> Mapping[str, Recency]:
    """For data sets whose rows do not say when they changed: the age of the oldest input that each needs."""
    silent = (data_set for data_set in product.data_sets if data_set.spec.updated_at is None)
    return {data_set.name: _of_inputs(database, product, data_set, now) for data_set in silent}


def _of_inputs(database: ProductDatabase, product: ProductPlan, data_set: DataSetPlan, now: datetime) -> Recency:
    records = input_records(database, product)
    needed = (port.name for port in needed_inputs(product.inputs, product.models, data_set.model))
    return of_inputs({port: records.get(port) for port in needed}, now)


def recency(database: ProductDatabase, product: ProductPlan, data_set: DataSetPlan, now: datetime) -> Recency:
    """The age of the data set as the build has made it."""
    column = data_set.spec.updated_at
    if column is None:
        return _of_inputs(database, product, data_set, now)
    kinds = {folded_column(name): kind for name, kind in database.columns(data_set.relation).items()}
    kind = kinds.get(folded_column(column), "missing")
    if kind != "date" and not kind.startswith("timestamp"):
        return Recency(None, unknown=f"{column} is {kind}, which is no time")
    zoned = kind == "timestamptz"
    asked = ", ".join((newest_sql(column, now, zoned), ahead_sql(column, now, zoned), f"count({quoted(column)})"))
    newest, ahead, filled = database.execute(f"select {asked} from {relation_sql(data_set.measured)}")
    return of_rows(column, newest, ahead, filled, now)
