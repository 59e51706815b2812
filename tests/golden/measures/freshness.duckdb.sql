-- Refreshed daily
select
  (coalesce(count_if("changed_at" > now() + interval '5 minutes'), 0)),
  (max(case when "changed_at" >= timestamptz '1700-01-01 00:00:00+00:00' and "changed_at" <= now() + interval '5 minutes' then "changed_at" end)),
  count(*),
  count(*) - count("changed_at")
from "internal"."customers"
having count(*) >= 0;

-- There at six on working days
select
  (coalesce(count_if("changed_at" > now() + interval '5 minutes'), 0)),
  (max(case when "changed_at" >= timestamptz '1700-01-01 00:00:00+00:00' and "changed_at" <= now() + interval '5 minutes' then "changed_at" end)),
  count(*),
  count(*) - count("changed_at")
from "internal"."customers"
having count(*) >= 0;

-- Yesterday is there at nine
select
  (coalesce(count_if("changed_at" > now() + interval '5 minutes'), 0)),
  (max(case when "changed_at" >= timestamptz '1700-01-01 00:00:00+00:00' and "changed_at" <= now() + interval '5 minutes' then "changed_at" end)),
  count(*),
  count(*) - count("changed_at")
from "internal"."customers"
having count(*) >= 0;
