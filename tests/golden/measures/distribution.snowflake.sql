-- Few revenues are outliers
SELECT
  (
    PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY
      CASE
        WHEN CAST("revenue" AS DOUBLE) BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
        THEN CAST("revenue" AS DOUBLE)
      END) - 3 * (
      PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY
        CASE
          WHEN CAST("revenue" AS DOUBLE) BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN CAST("revenue" AS DOUBLE)
        END) - PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY
        CASE
          WHEN CAST("revenue" AS DOUBLE) BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN CAST("revenue" AS DOUBLE)
        END)
    )
  ),
  (
    PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY
      CASE
        WHEN CAST("revenue" AS DOUBLE) BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
        THEN CAST("revenue" AS DOUBLE)
      END) + 3 * (
      PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY
        CASE
          WHEN CAST("revenue" AS DOUBLE) BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN CAST("revenue" AS DOUBLE)
        END) - PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY
        CASE
          WHEN CAST("revenue" AS DOUBLE) BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN CAST("revenue" AS DOUBLE)
        END)
    )
  ),
  COUNT(*),
  COUNT(*) - COUNT("revenue")
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;
SELECT
  COUNT_IF(CAST("revenue" AS DOUBLE) < CAST('1' AS DOUBLE)),
  COUNT_IF(CAST("revenue" AS DOUBLE) > CAST('1' AS DOUBLE))
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;

-- Revenues are where those of the orders are
SELECT
  (
    PERCENTILE_CONT(0.01) WITHIN GROUP (ORDER BY
      CASE
        WHEN CAST("amount" AS DOUBLE) BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
        THEN CAST("amount" AS DOUBLE)
      END)
  ),
  (
    PERCENTILE_CONT(0.99) WITHIN GROUP (ORDER BY
      CASE
        WHEN CAST("amount" AS DOUBLE) BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
        THEN CAST("amount" AS DOUBLE)
      END)
  )
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
  COUNT_IF(CAST("revenue" AS DOUBLE) < CAST('1' AS DOUBLE)),
  COUNT_IF(CAST("revenue" AS DOUBLE) > CAST('1' AS DOUBLE))
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;

-- Both channels sell
SELECT
  COUNT(*),
  COUNT(*) - COUNT("channel"),
  COUNT_IF("channel" = 'online'),
  COUNT_IF("channel" = 'store'),
  COUNT_IF(NOT "channel" IN ('online', 'store'))
FROM "internal"."orders"
HAVING
  COUNT(*) >= 0;

-- Stores keep reporting
SELECT
  COUNT_IF(earlier >= 3 AND recent = 0),
  COUNT_IF(earlier >= 3)
FROM (
  SELECT
    key_1,
    COUNT_IF(
      happened_at >= until - INTERVAL '3196800 SECONDS'
      AND happened_at < until - INTERVAL '604800 SECONDS'
    ) AS earlier,
    COUNT_IF(happened_at >= until - INTERVAL '604800 SECONDS') AS recent
  FROM (
    SELECT
      "store_id" AS key_1,
      "ordered_at" AS happened_at
    FROM "internal"."orders"
    WHERE
      NOT "store_id" IS NULL
  ) AS events
  CROSS JOIN (
    SELECT
      MAX("ordered_at") AS until
    FROM "internal"."orders"
    WHERE
      "ordered_at" <= CAST(CONVERT_TIMEZONE('UTC', CURRENT_TIMESTAMP()) AS TIMESTAMPNTZ)
  ) AS clock
  WHERE
    happened_at <= until
  GROUP BY
    key_1
) AS made
HAVING
  COUNT(*) >= 0;
