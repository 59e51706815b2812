"""What a product has in Snowflake under a former name becomes its own under the present one, without a row being copied."""

import os

from platform_resources.warehouses.engine_errors import EngineError
from platform_resources.warehouses.snowflake.account_names import in_database
from platform_resources.warehouses.snowflake.kept_notes import NOTES, Notes
from platform_resources.warehouses.snowflake.product_schemas import make_schemas
from platform_resources.warehouses.snowflake.sessions import Connect, Session, database_name, is_missing, session
from platform_resources.warehouses.snowflake.version_tables import VIEWS, kept_views, kinds_of

_TAKEN = "taken over by"


def take_over(connect: Connect, domain: str, former: str, product: str) -> None:
    """Clone its tables, then its notes, then make its views again. A second time changes nothing; one that was killed goes on.

    The former database stays, with the last version that it had, for whoever reads by its name; an administrator drops it.
    """
    old, new = (database_name(domain, name, os.environ) for name in (former, product))
    with session(connect, new) as opened, session(connect, old) as before:
        if _has_notes(opened):
            begun = old in Notes(opened).remembered(_TAKEN)
        elif begun := _has_notes(before):
            Notes(before).remember(_TAKEN, old, new)
            _clone(opened, before)
        if begun:
            opened.rows(f"create schema if not exists {in_database(new, VIEWS)}")
            for view, kind, made in kept_views(opened):
                opened.rows(f"create or replace {kind} {view} {made.replace(in_database(old), in_database(new))}")
            Notes(opened).forget(_TAKEN, old)


def _has_notes(opened: Session) -> bool:
    try:
        return bool(kinds_of(opened, NOTES))
    except EngineError as error:
        if is_missing(error):
            return False
        raise


def _clone(opened: Session, before: Session) -> None:
    """Everything but the notes first: where they are, everything is."""
    tables = before.rows(
        f"select TABLE_SCHEMA, TABLE_NAME from {in_database(before.database)}.INFORMATION_SCHEMA.TABLES where TABLE_TYPE = 'BASE TABLE'"
    )
    notes = (NOTES.schema.upper(), NOTES.name.upper())
    make_schemas(opened, [str(schema) for schema, _ in tables])
    for schema, table in sorted(tables, key=lambda named: (tuple(named) == notes, named)):
        own = in_database(opened.database, schema, table)
        opened.rows(f"drop table if exists {own}")  # of an attempt that was killed
        opened.rows(f"create table {own} clone {in_database(before.database, schema, table)}")
