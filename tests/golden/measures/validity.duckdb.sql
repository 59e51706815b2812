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
  count_if("age_band" not in ('19-24', '25-34', '35-44', '45-54', '55-64', '65+'))
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
