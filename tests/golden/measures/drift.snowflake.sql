-- Revenues are distributed as in the first year
SELECT
  COUNT(*),
  COUNT(*) - COUNT("revenue"),
  COUNT_IF(CAST("revenue" AS DOUBLE) <= 0.0),
  COUNT_IF(CAST("revenue" AS DOUBLE) <= 1000.0),
  COUNT_IF(CAST("revenue" AS DOUBLE) <= 200.0),
  COUNT_IF(CAST("revenue" AS DOUBLE) <= 50.0)
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;

-- Channels are used as agreed
SELECT
  COUNT(*),
  COUNT(*) - COUNT("channel"),
  COUNT_IF("channel" = 'online'),
  COUNT_IF("channel" = 'store')
FROM "internal"."orders"
HAVING
  COUNT(*) >= 0;

-- Customers pay what the orders say
SELECT
  (
    PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY
      CASE
        WHEN CAST("amount" AS DOUBLE) BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
        THEN CAST("amount" AS DOUBLE)
      END)
  ),
  (
    PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
      CASE
        WHEN CAST("amount" AS DOUBLE) BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
        THEN CAST("amount" AS DOUBLE)
      END)
  ),
  (
    PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY
      CASE
        WHEN CAST("amount" AS DOUBLE) BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
        THEN CAST("amount" AS DOUBLE)
      END)
  ),
  COUNT(*),
  COUNT(*) - COUNT("amount")
FROM "inputs"."orders"
HAVING
  COUNT(*) >= 0;
SELECT
  COUNT(*),
  COUNT(*) - COUNT("revenue")
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;
SELECT
  COUNT_IF(CAST("amount" AS DOUBLE) <= CAST('1' AS DOUBLE))
FROM "inputs"."orders"
HAVING
  COUNT(*) >= 0;
SELECT
  COUNT_IF(CAST("revenue" AS DOUBLE) <= CAST('1' AS DOUBLE))
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;

-- Customers use the channels of the orders
SELECT
  COUNT(*),
  COUNT(*) - COUNT("channel")
FROM "inputs"."orders"
HAVING
  COUNT(*) >= 0;
SELECT
  COUNT(*),
  COUNT(*) - COUNT("channel")
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;
SELECT
  LISTAGG(
    
      CAST(usual.rows_there AS VARCHAR) || CHR(  31) || CAST(COALESCE(here.rows_here, 0) AS VARCHAR) || CHR(  31) || REPLACE(usual.category, CHR(  30), ' '),
      CHR(  30)
    
  ) WITHIN GROUP (ORDER BY
    usual.rows_there DESC NULLS LAST,
    usual.category)
FROM (
  SELECT
    CAST("channel" AS VARCHAR) AS category,
    COUNT(*) AS rows_there
  FROM "inputs"."orders"
  WHERE
    NOT "channel" IS NULL
  GROUP BY
    CAST("channel" AS VARCHAR)
  ORDER BY
    rows_there DESC NULLS LAST,
    category
  LIMIT 100
) AS usual
LEFT JOIN (
  SELECT
    CAST("channel" AS VARCHAR) AS category,
    COUNT(*) AS rows_here
  FROM "internal"."customers"
  WHERE
    NOT "channel" IS NULL
  GROUP BY
    CAST("channel" AS VARCHAR)
) AS here
  ON here.category = usual.category;
