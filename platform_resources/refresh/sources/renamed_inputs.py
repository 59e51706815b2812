"""Carry the state of a renamed input port or data set in the product's database on to its present name."""

from collections.abc import Iterable, Sequence

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.readers.database_rows import KEPT_ROWS
from platform_resources.capabilities.support.sql_text import relation_sql
from platform_resources.plan import conventions
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import InputPlan
from platform_resources.spec.values.names import slug
from platform_resources.warehouses.protocol import ProductDatabase


def take_over_notes(database: ProductDatabase, product: ProductPlan, of_inputs: Sequence[str], of_data_sets: Sequence[str]) -> None:
    """Tables of inputs, rows in quarantine, and what is remembered under these topics; all or nothing, and a second time nothing."""
    for port in product.inputs:
        for former in port.former_names:
            with database.transaction():
                _take_over_tables(database, port, former)
                _take_over_records(database, of_inputs, former, port.name)
    for data_set in product.data_sets:
        for former in map(slug, data_set.spec.renamed_from or ()):
            with database.transaction():
                _take_over_records(database, of_data_sets, former, data_set.name)


def _take_over_tables(database: ProductDatabase, port: InputPlan, former: str) -> None:
    for schema in ("inputs", conventions.QUARANTINE, KEPT_ROWS):
        old, new = Relation(schema, former), Relation(schema, port.name)
        if not database.exists(old):
            continue
        if database.is_table(old) and not database.exists(new):
            database.execute(f"create table {relation_sql(new)} as select * from {relation_sql(old)}")
        database.drop(old)


def _take_over_records(database: ProductDatabase, topics: Iterable[str], former: str, name: str) -> None:
    for topic in topics:
        there = database.remembered(topic)
        if former in there:
            if name not in there:
                database.remember(topic, name, there[former])
            database.forget(topic, former)
