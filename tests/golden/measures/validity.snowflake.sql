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
  COUNT_IF(
    CASE "age_band"
      WHEN '19-24'
      THEN FALSE
      WHEN '25-34'
      THEN FALSE
      WHEN '35-44'
      THEN FALSE
      WHEN '45-54'
      THEN FALSE
      WHEN '55-64'
      THEN FALSE
      WHEN '65+'
      THEN FALSE
      ELSE NOT "age_band" IS NULL
    END
  )
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

-- No more odd postcodes than usual
SELECT
  COUNT(*),
  COUNT(*) - COUNT("postcode"),
  COUNT_IF(NOT REGEXP_LIKE(CAST("postcode" AS VARCHAR), '[0-9]{5}'))
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;
