-- Orders agree with the ledger
select
  count(*)
from "internal"."orders"
having count(*) >= 0;
select
  count_if(copies = 1 and not (h0 is not distinct from v0)),
  count_if(copies = 1 and not (h1 is not distinct from v1 or (h1 is not null and v1 is not null and greatest(h1, v1) - least(h1, v1) <= 0.01))),
  count_if(copies > 1),
  count_if(keyed and copies is null),
  count_if(keyed)
from (select here."order_id" is not null as keyed, there.copies as copies, here."status" as h0, here."net_sales" as h1, there.v0 as v0, there.v1 as v1 from "internal"."orders" as here left join (select "order_number" as k0, count(*) as copies, min("status") as v0, min("amount") as v1 from "inputs"."ledger" where "order_number" is not null group by "order_number") as there on there.k0 = here."order_id") as made
having count(*) >= 0;

-- Revenue is as the ledger has it
select
  (sum("amount")),
  count(*)
from "inputs"."ledger"
having count(*) >= 0;
select
  (sum("net_sales")),
  count(*)
from "internal"."orders"
having count(*) >= 0;
