-- One row per household
select
  count(*)
from "internal"."customers"
having count(*) >= 0;
select count(*) from (select distinct "household_id" from "internal"."customers") as keys;
