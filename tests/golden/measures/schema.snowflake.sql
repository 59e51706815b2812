-- Customers have exactly the promised columns
SELECT
  LISTAGG(
    
      CASE
        WHEN data_type = 'NUMBER'
        THEN data_type || '(' || CAST(numeric_precision AS VARCHAR) || ',' || CAST(numeric_scale AS VARCHAR) || ')'
        ELSE data_type
      END || CHR(  31) || REPLACE(column_name, CHR(  30), ' '),
      CHR(  30)
    
  ) WITHIN GROUP (ORDER BY
    ordinal_position)
FROM information_schema.columns
WHERE
  table_catalog = CURRENT_DATABASE()
  AND LOWER(table_schema) = 'internal'
  AND LOWER(table_name) = 'customers';
SELECT
  COUNT(*) - COUNT("age_band"),
  COUNT(*) - COUNT("amount"),
  COUNT(*) - COUNT("changed_at"),
  COUNT(*) - COUNT("channel"),
  COUNT(*) - COUNT("credit_limit"),
  COUNT(*) - COUNT("has_offer"),
  COUNT(*) - COUNT("household_id"),
  COUNT(*) - COUNT("income_band"),
  COUNT(*) - COUNT("is_active"),
  COUNT(*) - COUNT("last_purchase_at"),
  COUNT(*) - COUNT("net_sales"),
  COUNT(*) - COUNT("order_id"),
  COUNT(*) - COUNT("order_number"),
  COUNT(*) - COUNT("ordered_at"),
  COUNT(*) - COUNT("orders"),
  COUNT(*) - COUNT("paid_in_time"),
  COUNT(*) - COUNT("postcode"),
  COUNT(*) - COUNT("region"),
  COUNT(*) - COUNT("revenue"),
  COUNT(*) - COUNT("status"),
  COUNT(*) - COUNT("store_id")
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;

-- Orders come with the columns that we read
SELECT
  LISTAGG(
    
      CASE
        WHEN data_type = 'NUMBER'
        THEN data_type || '(' || CAST(numeric_precision AS VARCHAR) || ',' || CAST(numeric_scale AS VARCHAR) || ')'
        ELSE data_type
      END || CHR(  31) || REPLACE(column_name, CHR(  30), ' '),
      CHR(  30)
    
  ) WITHIN GROUP (ORDER BY
    ordinal_position)
FROM information_schema.columns
WHERE
  table_catalog = CURRENT_DATABASE()
  AND LOWER(table_schema) = 'inputs'
  AND LOWER(table_name) = 'orders';
