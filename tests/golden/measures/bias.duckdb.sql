-- Offers reach all age bands alike
select
  count_if(("has_offer" is not null) and "age_band" is not null),
  count_if(false)
from "internal"."customers"
having count(*) >= 0;
select string_agg(cast(size as varchar) || chr(31) || cast(c0 as varchar) || chr(31) || cast(c1 as varchar) || chr(31) || cast(c2 as varchar) || chr(31) || replace(name, chr(30), ' '), chr(30) order by size desc, c0 desc, c1 desc, c2 desc, name) from (select cast(v as varchar) as name, count(*) as size, count_if(f0) as c0, count_if(f1) as c1, count_if(f2) as c2 from (select "age_band" as v, ("has_offer") as f0, (false) as f1, (("has_offer") and false) as f2 from "internal"."customers" where "age_band" is not null and ("has_offer" is not null)) as told group by v having count(*) >= 30 order by size desc, c0 desc, c1 desc, c2 desc, name limit 1001) as sizes;

-- Good customers get credit in every region
select
  count_if(((credit_limit > 0) is not null) and "region" is not null),
  count_if(false)
from "internal"."customers"
having count(*) >= 0;
select string_agg(cast(size as varchar) || chr(31) || cast(c0 as varchar) || chr(31) || cast(c1 as varchar) || chr(31) || cast(c2 as varchar) || chr(31) || replace(name, chr(30), ' '), chr(30) order by size desc, c0 desc, c1 desc, c2 desc, name) from (select cast(v as varchar) as name, count(*) as size, count_if(f0) as c0, count_if(f1) as c1, count_if(f2) as c2 from (select "region" as v, ((credit_limit > 0)) as f0, ("paid_in_time") as f1, (((credit_limit > 0)) and "paid_in_time") as f2 from "internal"."customers" where "region" is not null and ((credit_limit > 0) is not null)) as told group by v having count(*) >= 100 order by size desc, c0 desc, c1 desc, c2 desc, name limit 1001) as sizes;
