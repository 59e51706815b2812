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
