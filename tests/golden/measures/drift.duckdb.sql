-- Revenues are distributed as in the first year
select
  count(*),
  count(*) - count("revenue"),
  count_if(cast("revenue" as double) <= 0.0),
  count_if(cast("revenue" as double) <= 1000.0),
  count_if(cast("revenue" as double) <= 200.0),
  count_if(cast("revenue" as double) <= 50.0)
from "internal"."customers"
having count(*) >= 0;

-- Channels are used as agreed
select
  count(*),
  count(*) - count("channel"),
  count_if("channel" = 'online'),
  count_if("channel" = 'store')
from "internal"."orders"
having count(*) >= 0;

-- Customers pay what the orders say
select
  (quantile_cont(case when cast("amount" as double) between -1.7976931348623157e308 and 1.7976931348623157e308 then cast("amount" as double) end, 0.25)),
  (quantile_cont(case when cast("amount" as double) between -1.7976931348623157e308 and 1.7976931348623157e308 then cast("amount" as double) end, 0.5)),
  (quantile_cont(case when cast("amount" as double) between -1.7976931348623157e308 and 1.7976931348623157e308 then cast("amount" as double) end, 0.75)),
  count(*),
  count(*) - count("amount")
from "inputs"."orders"
having count(*) >= 0;
select
  count(*),
  count(*) - count("revenue")
from "internal"."customers"
having count(*) >= 0;
select
  count_if(cast("amount" as double) <= cast('1' as double))
from "inputs"."orders"
having count(*) >= 0;
select
  count_if(cast("revenue" as double) <= cast('1' as double))
from "internal"."customers"
having count(*) >= 0;

-- Customers use the channels of the orders
select
  count(*),
  count(*) - count("channel")
from "inputs"."orders"
having count(*) >= 0;
select
  count(*),
  count(*) - count("channel")
from "internal"."customers"
having count(*) >= 0;
select string_agg(cast(usual.rows_there as varchar) || chr(31) || cast(coalesce(here.rows_here, 0) as varchar) || chr(31) || replace(usual.category, chr(30), ' '), chr(30) order by usual.rows_there desc, usual.category) from (select cast("channel" as varchar) as category, count(*) as rows_there from "inputs"."orders" where "channel" is not null group by cast("channel" as varchar) order by rows_there desc, category limit 100) as usual left join (select cast("channel" as varchar) as category, count(*) as rows_here from "internal"."customers" where "channel" is not null group by cast("channel" as varchar)) as here on here.category = usual.category;
