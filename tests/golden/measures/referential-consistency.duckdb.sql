-- Every order belongs to a customer
select
  count(*),
  count_if("household_id" is null)
from "internal"."orders"
having count(*) >= 0;
select count(*) from "internal"."orders" as here where here."household_id" is not null and not exists (select 1 from "internal"."customers" as there where there."household_id" = here."household_id");
