-- Customers are never deleted
select
  count(*)
from "internal"."customers"
having count(*) >= 0;

-- About as many customers as usual
select
  count(*)
from "internal"."customers"
having count(*) >= 0;

-- Each week has customers
select
  count(*) - count("last_purchase_at")
from "internal"."customers"
having count(*) >= 0;
select string_agg(cast(size as varchar) || chr(31) || replace(name, chr(30), ' '), chr(30) order by size desc, name) from (select cast(v as varchar) as name, count(*) as size from (select cast(date_trunc('week', "last_purchase_at") as date) as v from "internal"."customers" where "last_purchase_at" is not null and (true)) as told group by v having count(*) >= 1 order by size desc, name limit 1001) as sizes;

-- Each delivery of orders has about as many as usual
select
  count(*)
from "internal"."customers"
having count(*) >= 0;
