-- Revenue is not negative
SELECT
  COUNT(*),
  COUNT(*) - COUNT("REVENUE"),
  MIN("REVENUE"),
  MIN("REVENUE") < 0
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;
SELECT
  COUNT_IF("REVENUE" < 0)
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;

-- Age bands are known
SELECT
  COUNT(*),
  COUNT(*) - COUNT("AGE_BAND"),
  COUNT_IF(
    CASE "AGE_BAND"
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
      ELSE NOT "AGE_BAND" IS NULL
    END
  )
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;

-- Postcodes have five digits
SELECT
  COUNT(*),
  COUNT(*) - COUNT("POSTCODE"),
  COUNT_IF(NOT REGEXP_LIKE(CAST("postcode" AS VARCHAR), '[0-9]{5}'))
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;

-- Nobody buys tomorrow
SELECT
  COUNT(*),
  COUNT(*) - COUNT("LAST_PURCHASE_AT"),
  COUNT_IF(
    "LAST_PURCHASE_AT" > CAST(CONVERT_TIMEZONE('UTC', CURRENT_TIMESTAMP()) AS TIMESTAMPNTZ)
  )
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;

-- No more odd postcodes than usual
SELECT
  COUNT(*),
  COUNT(*) - COUNT("POSTCODE"),
  COUNT_IF(NOT REGEXP_LIKE(CAST("postcode" AS VARCHAR), '[0-9]{5}'))
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;

-- Revenue is not negative on any day
SELECT
  COUNT(*) - COUNT("LAST_PURCHASE_AT")
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;
SELECT
  LISTAGG(
    
      CAST(size AS VARCHAR) || CHR(  31) || CAST(c0 AS VARCHAR) || CHR(  31) || REPLACE(name, CHR(  30), ' '),
      CHR(  30)
    
  ) WITHIN GROUP (ORDER BY
    size DESC NULLS LAST,
    c0 DESC NULLS LAST,
    name)
FROM (
  SELECT
    CAST(v AS VARCHAR) AS name,
    COUNT(*) AS size,
    COUNT_IF(f0) AS c0
  FROM (
    SELECT
      CAST(DATE_TRUNC('DAY', "LAST_PURCHASE_AT") AS DATE) AS v,
      (
        "REVENUE" < 0
      ) AS f0
    FROM "INTERNAL"."CUSTOMERS"
    WHERE
      NOT "LAST_PURCHASE_AT" IS NULL AND (
        NOT "REVENUE" IS NULL
      )
  ) AS told
  GROUP BY
    v
  HAVING
    COUNT(*) >= 1
  ORDER BY
    size DESC NULLS LAST,
    c0 DESC NULLS LAST,
    name
  LIMIT 1001
) AS sizes;
