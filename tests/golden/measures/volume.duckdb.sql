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
