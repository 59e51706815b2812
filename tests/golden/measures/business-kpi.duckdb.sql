-- The average basket is plausible
select
  (sum(revenue) / sum(orders))
from "internal"."customers"
having count(*) >= 0;

-- Revenue is as usual
select
  (sum(revenue))
from "internal"."customers"
having count(*) >= 0;
