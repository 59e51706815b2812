-- Customers have exactly the promised columns
select string_agg(case when data_type = 'NUMBER' then data_type || '(' || cast(numeric_precision as varchar) || ',' || cast(numeric_scale as varchar) || ')' else data_type end || chr(31) || replace(column_name, chr(30), ' '), chr(30) order by ordinal_position) from information_schema.columns where table_catalog = current_database() and lower(table_schema) = 'internal' and lower(table_name) = 'customers';
select
  count(*) - count("age_band"),
  count(*) - count("amount"),
  count(*) - count("changed_at"),
  count(*) - count("channel"),
  count(*) - count("credit_limit"),
  count(*) - count("has_offer"),
  count(*) - count("household_id"),
  count(*) - count("income_band"),
  count(*) - count("is_active"),
  count(*) - count("last_purchase_at"),
  count(*) - count("net_sales"),
  count(*) - count("order_id"),
  count(*) - count("order_number"),
  count(*) - count("ordered_at"),
  count(*) - count("orders"),
  count(*) - count("paid_in_time"),
  count(*) - count("postcode"),
  count(*) - count("region"),
  count(*) - count("revenue"),
  count(*) - count("status"),
  count(*) - count("store_id")
from "internal"."customers"
having count(*) >= 0;

-- Orders come with the columns that we read
select string_agg(case when data_type = 'NUMBER' then data_type || '(' || cast(numeric_precision as varchar) || ',' || cast(numeric_scale as varchar) || ')' else data_type end || chr(31) || replace(column_name, chr(30), ' '), chr(30) order by ordinal_position) from information_schema.columns where table_catalog = current_database() and lower(table_schema) = 'inputs' and lower(table_name) = 'orders';
