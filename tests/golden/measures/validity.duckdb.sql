-- Revenue is not negative
select
  count(*),
  count(*) - count("revenue"),
  min("revenue"),
  min("revenue") < 0
from "internal"."customers"
having count(*) >= 0;
select
  count_if("revenue" < 0)
from "internal"."customers"
having count(*) >= 0;

-- Age bands are known
select
  count(*),
  count(*) - count("age_band"),
  count_if(case "age_band" when '19-24' then false when '25-34' then false when '35-44' then false when '45-54' then false when '55-64' then false when '65+' then false else "age_band" is not null end)
from "internal"."customers"
having count(*) >= 0;

-- Postcodes have five digits
select
  count(*),
  count(*) - count("postcode"),
  count_if(not regexp_full_match(cast("postcode" as varchar), '[0-9]{5}'))
from "internal"."customers"
having count(*) >= 0;

-- Nobody buys tomorrow
select
  count(*),
  count(*) - count("last_purchase_at"),
  count_if("last_purchase_at" > now() at time zone 'UTC')
from "internal"."customers"
having count(*) >= 0;

-- No more odd postcodes than usual
select
  count(*),
  count(*) - count("postcode"),
  count_if(not regexp_full_match(cast("postcode" as varchar), '[0-9]{5}'))
from "internal"."customers"
having count(*) >= 0;

-- Revenue is not negative on any day
select
  count(*) - count("last_purchase_at")
from "internal"."customers"
having count(*) >= 0;
select string_agg(cast(size as varchar) || chr(31) || cast(c0 as varchar) || chr(31) || replace(name, chr(30), ' '), chr(30) order by size desc, c0 desc, name) from (select cast(v as varchar) as name, count(*) as size, count_if(f0) as c0 from (select cast(date_trunc('day', "last_purchase_at") as date) as v, ("revenue" < 0) as f0 from "internal"."customers" where "last_purchase_at" is not null and ("revenue" is not null)) as told group by v having count(*) >= 1 order by size desc, c0 desc, name limit 1001) as sizes;
