-- Refreshed daily
select
  max("changed_at")
from "internal"."customers"
having count(*) >= 0;
