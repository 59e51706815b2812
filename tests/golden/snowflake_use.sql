select q.QUERY_START_TIME, q.USER_NAME, o.VALUE:objectName::varchar as OBJECT_NAME, to_json(o.VALUE:columns) as COLUMNS
from SNOWFLAKE.ACCOUNT_USAGE.ACCESS_HISTORY as q, lateral flatten(input => q.DIRECT_OBJECTS_ACCESSED) as o
where q.QUERY_START_TIME >= '2026-11-28T12:00:00+00:00'::timestamp_tz and q.QUERY_START_TIME < '2026-11-29T12:00:00+00:00'::timestamp_tz
  and o.VALUE:objectDomain::varchar = 'View' and startswith(o.VALUE:objectName::varchar, 'MESH__')
  and q.USER_NAME <> 'MESH'
order by q.QUERY_START_TIME, OBJECT_NAME, q.USER_NAME;

with QUERIES as (
  select try_parse_json(QUERY_TAG):product::varchar as PRODUCT, try_parse_json(QUERY_TAG):run::varchar as RUN,
    WAREHOUSE_NAME, date_trunc('hour', START_TIME) as HOUR, EXECUTION_TIME
  from SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY
  where START_TIME >= '2026-11-28T12:00:00+00:00'::timestamp_tz and START_TIME < '2026-11-29T12:00:00+00:00'::timestamp_tz and WAREHOUSE_NAME is not null and EXECUTION_TIME > 0
), BUSY as (
  select WAREHOUSE_NAME, HOUR, sum(EXECUTION_TIME) as MILLISECONDS from QUERIES group by WAREHOUSE_NAME, HOUR
), METERED as (
  select WAREHOUSE_NAME, date_trunc('hour', START_TIME) as HOUR, sum(CREDITS_USED) as CREDITS
  from SNOWFLAKE.ACCOUNT_USAGE.WAREHOUSE_METERING_HISTORY where START_TIME >= '2026-11-28T12:00:00+00:00'::timestamp_tz and START_TIME < '2026-11-29T12:00:00+00:00'::timestamp_tz group by WAREHOUSE_NAME, date_trunc('hour', START_TIME)
)
select q.PRODUCT, q.RUN, sum(m.CREDITS * q.EXECUTION_TIME / b.MILLISECONDS) as CREDITS, count_if(m.CREDITS is null) as UNMETERED
from QUERIES as q
join BUSY as b on b.WAREHOUSE_NAME = q.WAREHOUSE_NAME and b.HOUR = q.HOUR
left join METERED as m on m.WAREHOUSE_NAME = q.WAREHOUSE_NAME and m.HOUR = q.HOUR
where q.RUN is not null group by q.PRODUCT, q.RUN order by q.RUN;
