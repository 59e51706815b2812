-- Revenue is not negative
SELECT
  COUNT(*),
  COUNT(*) - COUNT("revenue"),
  MIN("revenue"),
  MIN("revenue") < 0
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;
SELECT
  COUNT_IF("revenue" < 0)
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;

-- Age bands are known
SELECT
  COUNT(*),
  COUNT(*) - COUNT("age_band"),
  COUNT_IF(NOT "age_band" IN ('19-24', '25-34', '35-44', '45-54', '55-64', '65+'))
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;

-- Postcodes have five digits
SELECT
  COUNT(*),
  COUNT(*) - COUNT("postcode"),
  COUNT_IF(NOT REGEXP_LIKE(CAST("postcode" AS VARCHAR), '[0-9]{5}'))
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;

-- Nobody buys tomorrow
SELECT
  COUNT(*),
  COUNT(*) - COUNT("last_purchase_at"),
  COUNT_IF(
    "last_purchase_at" > CAST(CONVERT_TIMEZONE('UTC', CURRENT_TIMESTAMP()) AS TIMESTAMPNTZ)
  )
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;
