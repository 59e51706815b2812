-- Active customers have bought recently
SELECT
  COUNT(*),
  COUNT_IF(is_active AND last_purchase_at < CURRENT_DATE - INTERVAL '90 DAY')
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;

-- The average basket is plausible
SELECT
  (
    SUM(revenue) / SUM(orders)
  )
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;

-- Customers have spent what their orders sum up to
SELECT
  COUNT(*)
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;
SELECT
  COUNT_IF(NOT (
    h0 <> a0 OR COALESCE(a1, 0) = 0
  ) IS NULL),
  COUNT_IF(h0 <> a0 OR COALESCE(a1, 0) = 0)
FROM (
  SELECT
    NOT here."HOUSEHOLD_ID" IS NULL AS keyed,
    there.copies AS copies,
    here."REVENUE" AS h0,
    there.a0 AS a0,
    there.a1 AS a1
  FROM "INTERNAL"."CUSTOMERS" AS here
  LEFT JOIN (
    SELECT
      "HOUSEHOLD_ID" AS k0,
      COUNT(*) AS copies,
      SUM("AMOUNT") AS a0,
      COUNT("ORDER_ID") AS a1
    FROM "INPUTS"."ORDERS"
    WHERE
      NOT "HOUSEHOLD_ID" IS NULL
    GROUP BY
      "HOUSEHOLD_ID"
  ) AS there
    ON there.k0 = here."HOUSEHOLD_ID"
) AS made
HAVING
  COUNT(*) >= 0;
