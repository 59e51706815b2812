"""The keys of masks in a product's database: a table that its owner alone reads, and that secure views read for others.

A key comes there by a file on the product's own stage, so that no SQL text and no bound value of a statement has it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.support.sql_text import literal
from platform_resources.warehouses.snowflake.sessions import relation_name

if TYPE_CHECKING:
    from platform_resources.warehouses.snowflake.product_schemas import SnowflakeDatabase

TABLE = "MESH.MASK_KEYS"
_NEW = Relation("mesh", "mask_keys_new")


def key_sql(database: str, variable: str) -> str:
    """SQL that stands for the bytes of a key in a view."""
    return f"(select to_binary(VALUE, 'HEX') from \"{database}\".{TABLE} where NAME = {literal(variable)})"


def keep_keys(database: "SnowflakeDatabase", variables: Mapping[str, bytes]) -> None:
    """Have the table say these values, in one statement for all that read it. Nothing is written where it does already."""
    session = database.session
    table = f'"{session.database}".{TABLE}'
    session.rows(f"create table if not exists {table} (NAME varchar, VALUE varchar)")
    wanted = {name: value.hex() for name, value in variables.items()}
    if wanted.items() <= dict(session.rows(f"select NAME, VALUE from {table}")).items():
        return
    data = database.connection.sql("select unnest($1) as name, unnest($2) as value", params=[list(wanted), list(wanted.values())])
    database.load_data(_NEW, data)
    try:
        session.rows(
            f"merge into {table} as kept using {relation_name(_NEW)} as new on kept.NAME = new.NAME"
            " when matched then update set VALUE = new.VALUE when not matched then insert (NAME, VALUE) values (new.NAME, new.VALUE)"
        )
    finally:
        database.drop(_NEW)
