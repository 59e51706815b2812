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

-- Every band has incomes
select
  count(*) - count("age_band")
from "internal"."customers"
having count(*) >= 0;
select string_agg(cast(size as varchar) || chr(31) || cast(c0 as varchar) || chr(31) || replace(name, chr(30), ' '), chr(30) order by size desc, c0 desc, name) from (select cast(v as varchar) as name, count(*) as size, count_if(f0) as c0 from (select "age_band" as v, ("income_band" is null) as f0 from "internal"."customers" where "age_band" is not null and (true)) as told group by v having count(*) >= 1 order by size desc, c0 desc, name limit 1001) as sizes;
