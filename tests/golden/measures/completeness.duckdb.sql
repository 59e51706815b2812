-- Every customer has a profile
select
  count(*),
  count(*) - count("age_band"),
  count(*) - count("income_band")
from "internal"."customers"
having count(*) >= 0;

-- Every buyer is a customer
select count(*) from (select distinct "household_id" from "inputs"."orders" where "household_id" is not null) as keys;
select count(*) from (select distinct "household_id" from "inputs"."orders" where "household_id" is not null) as here where not exists (select 1 from "internal"."customers" as there where there."household_id" = here."household_id");

-- No more unknown ages than usual
select
  count(*),
  count(*) - count("age_band")
from "internal"."customers"
having count(*) >= 0;
