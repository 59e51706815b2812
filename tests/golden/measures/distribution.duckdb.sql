-- Few revenues are outliers
select
  (quantile_cont(case when cast("revenue" as double) between -1.7976931348623157e308 and 1.7976931348623157e308 then cast("revenue" as double) end, 0.25) - 3 * (quantile_cont(case when cast("revenue" as double) between -1.7976931348623157e308 and 1.7976931348623157e308 then cast("revenue" as double) end, 0.75) - quantile_cont(case when cast("revenue" as double) between -1.7976931348623157e308 and 1.7976931348623157e308 then cast("revenue" as double) end, 0.25))),
  (quantile_cont(case when cast("revenue" as double) between -1.7976931348623157e308 and 1.7976931348623157e308 then cast("revenue" as double) end, 0.75) + 3 * (quantile_cont(case when cast("revenue" as double) between -1.7976931348623157e308 and 1.7976931348623157e308 then cast("revenue" as double) end, 0.75) - quantile_cont(case when cast("revenue" as double) between -1.7976931348623157e308 and 1.7976931348623157e308 then cast("revenue" as double) end, 0.25))),
  count(*),
  count(*) - count("revenue")
from "internal"."customers"
having count(*) >= 0;
select
  count_if(cast("revenue" as double) < cast('1' as double)),
  count_if(cast("revenue" as double) > cast('1' as double))
from "internal"."customers"
having count(*) >= 0;

-- Revenues are where those of the orders are
select
  (quantile_cont(case when cast("amount" as double) between -1.7976931348623157e308 and 1.7976931348623157e308 then cast("amount" as double) end, 0.01)),
  (quantile_cont(case when cast("amount" as double) between -1.7976931348623157e308 and 1.7976931348623157e308 then cast("amount" as double) end, 0.99))
from "inputs"."orders"
having count(*) >= 0;
select
  count(*),
  count(*) - count("revenue")
from "internal"."customers"
having count(*) >= 0;
select
  count_if(cast("revenue" as double) < cast('1' as double)),
  count_if(cast("revenue" as double) > cast('1' as double))
from "internal"."customers"
having count(*) >= 0;

-- Both channels sell
select
  count(*),
  count(*) - count("channel"),
  count_if("channel" = 'online'),
  count_if("channel" = 'store'),
  count_if("channel" not in ('online', 'store'))
from "internal"."orders"
having count(*) >= 0;

-- Stores keep reporting
select
  count_if(earlier >= 3 and recent = 0),
  count_if(earlier >= 3)
from (select key_1, count_if(happened_at >= until - interval '3196800 seconds' and happened_at < until - interval '604800 seconds') as earlier, count_if(happened_at >= until - interval '604800 seconds') as recent from (select "store_id" as key_1, "ordered_at" as happened_at from "internal"."orders" where "store_id" is not null) as events cross join (select max("ordered_at") as until from "internal"."orders" where "ordered_at" <= current_timestamp at time zone 'UTC') as clock where happened_at <= until group by key_1) as made
having count(*) >= 0;
