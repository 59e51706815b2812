"""What an account of Snowflake has noted of use: who read which columns of which port, and how many credits each refresh took."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from platform_resources.capabilities.support.sql_text import literal
from platform_resources.settings import PREFIX, USER
from platform_resources.warehouses.protocol import RefreshCredits, WarehouseRead, WarehouseUse
from platform_resources.warehouses.snowflake.sessions import Session, product_of_database, shown_name
from platform_resources.warehouses.snowflake.version_tables import PORTS

_USAGE = "SNOWFLAKE.ACCOUNT_USAGE"


def reads_sql(since: datetime, until: datetime, environment: Mapping[str, str]) -> str:
    """Reads of views of ports, one row for each and view: when, by whom, which view, and its columns as JSON. Not the platform's own."""
    began = PREFIX.value(environment).upper()
    return f"""\
select q.QUERY_START_TIME, q.USER_NAME, o.VALUE:objectName::varchar as OBJECT_NAME, to_json(o.VALUE:columns) as COLUMNS
from {_USAGE}.ACCESS_HISTORY as q, lateral flatten(input => q.DIRECT_OBJECTS_ACCESSED) as o
where q.QUERY_START_TIME >= {_moment(since)} and q.QUERY_START_TIME < {_moment(until)}
  and o.VALUE:objectDomain::varchar = 'View' and startswith(o.VALUE:objectName::varchar, {literal(f"{began}__")})
  and q.USER_NAME <> {literal(USER.value(environment).upper())}
order by q.QUERY_START_TIME, OBJECT_NAME, q.USER_NAME"""


def credits_sql(since: datetime, until: datetime) -> str:
    """The credits of each refresh, by its tag: of each hour that a warehouse was billed, the share of the time that its queries ran in it.

    UNMETERED is how many of its queries ran in an hour that is not billed yet.
    """
    within = f"START_TIME >= {_moment(since)} and START_TIME < {_moment(until)}"
    return f"""\
with QUERIES as (
  select try_parse_json(QUERY_TAG):product::varchar as PRODUCT, try_parse_json(QUERY_TAG):run::varchar as RUN,
    WAREHOUSE_NAME, date_trunc('hour', START_TIME) as HOUR, EXECUTION_TIME
  from {_USAGE}.QUERY_HISTORY
  where {within} and WAREHOUSE_NAME is not null and EXECUTION_TIME > 0
), BUSY as (
  select WAREHOUSE_NAME, HOUR, sum(EXECUTION_TIME) as MILLISECONDS from QUERIES group by WAREHOUSE_NAME, HOUR
), METERED as (
  select WAREHOUSE_NAME, date_trunc('hour', START_TIME) as HOUR, sum(CREDITS_USED) as CREDITS
  from {_USAGE}.WAREHOUSE_METERING_HISTORY where {within} group by WAREHOUSE_NAME, date_trunc('hour', START_TIME)
)
select q.PRODUCT, q.RUN, sum(m.CREDITS * q.EXECUTION_TIME / b.MILLISECONDS) as CREDITS, count_if(m.CREDITS is null) as UNMETERED
from QUERIES as q
join BUSY as b on b.WAREHOUSE_NAME = q.WAREHOUSE_NAME and b.HOUR = q.HOUR
left join METERED as m on m.WAREHOUSE_NAME = q.WAREHOUSE_NAME and m.HOUR = q.HOUR
where q.RUN is not null group by q.PRODUCT, q.RUN order by q.RUN"""


def use_between(opened: Session, since: datetime, until: datetime) -> WarehouseUse:
    """Credits are looked up from a day before on: what was not billed then may be now. Raises EngineError where nothing is told."""
    read = opened.rows(reads_sql(since, until, os.environ))
    spent = opened.rows(credits_sql(since - timedelta(days=1), until))
    return WarehouseUse(tuple(reads_of(read, os.environ)), tuple(credits_of(spent)))


def reads_of(rows: Sequence[Sequence[Any]], environment: Mapping[str, str]) -> Iterator[WarehouseRead]:
    """Of the rows of `reads_sql`, those of the catalog and of the views of roles."""
    for at, user, name, columns in rows:
        database, schema, view = (*str(name).split(".", 2), "", "")[:3]
        product = product_of_database(database, environment)
        if product is not None and (schema == PORTS or schema.startswith("AS_")) and view:
            names = tuple(sorted(shown_name(str(column["columnName"])) for column in json.loads(columns or "[]")))
            yield WarehouseRead(product[1], shown_name(view.strip('"')), str(user).lower(), at.astimezone(UTC), names)


def credits_of(rows: Sequence[Sequence[Any]]) -> Iterator[RefreshCredits]:
    """Of the rows of `credits_sql`, those that are billed whole."""
    for product, run, spent, unmetered in rows:
        if product and run and spent is not None and not unmetered:
            yield RefreshCredits(str(run), str(product), float(spent))


def _moment(at: datetime) -> str:
    return f"{literal(at.astimezone(UTC).isoformat(timespec='seconds'))}::timestamp_tz"
