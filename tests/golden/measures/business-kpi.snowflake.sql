-- The average basket is plausible
SELECT
  (
    SUM(revenue) / SUM(orders)
  )
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;

-- Revenue is as usual
SELECT
  (
    SUM(revenue)
  )
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;
