-- Active customers have bought recently
select
  count(*),
  count_if(is_active and last_purchase_at < current_date - interval 90 day)
from "internal"."customers"
having count(*) >= 0;

-- The average basket is plausible
select
  (sum(revenue) / sum(orders))
from "internal"."customers"
having count(*) >= 0;

-- Customers have spent what their orders sum up to
select
  count(*)
from "internal"."customers"
having count(*) >= 0;
select
  count_if((h0 <> a0 OR COALESCE(a1, 0) = 0) is not null),
  count_if(h0 <> a0 OR COALESCE(a1, 0) = 0)
from (select here."household_id" is not null as keyed, there.copies as copies, here."revenue" as h0, there.a0 as a0, there.a1 as a1 from "internal"."customers" as here left join (select "household_id" as k0, count(*) as copies, SUM("amount") as a0, COUNT("order_id") as a1 from "inputs"."orders" where "household_id" is not null group by "household_id") as there on there.k0 = here."household_id") as made
having count(*) >= 0;
