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
  COUNT(*) - COUNT("AGE_BAND"),
  COUNT(*) - COUNT("AMOUNT"),
  COUNT(*) - COUNT("CHANGED_AT"),
  COUNT(*) - COUNT("CHANNEL"),
  COUNT(*) - COUNT("CREDIT_LIMIT"),
  COUNT(*) - COUNT("HAS_OFFER"),
  COUNT(*) - COUNT("HOUSEHOLD_ID"),
  COUNT(*) - COUNT("INCOME_BAND"),
  COUNT(*) - COUNT("IS_ACTIVE"),
  COUNT(*) - COUNT("LAST_PURCHASE_AT"),
  COUNT(*) - COUNT("NET_SALES"),
  COUNT(*) - COUNT("ORDER_ID"),
  COUNT(*) - COUNT("ORDER_NUMBER"),
  COUNT(*) - COUNT("ORDERED_AT"),
  COUNT(*) - COUNT("ORDERS"),
  COUNT(*) - COUNT("PAID_IN_TIME"),
  COUNT(*) - COUNT("POSTCODE"),
  COUNT(*) - COUNT("REGION"),
  COUNT(*) - COUNT("REVENUE"),
  COUNT(*) - COUNT("STATUS"),
  COUNT(*) - COUNT("STORE_ID")
FROM "INTERNAL"."CUSTOMERS"
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
