-- The average basket is plausible
SELECT
  (
    SUM(revenue) / SUM(orders)
  )
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;

-- Revenue is as usual
SELECT
  (
    SUM(revenue)
  )
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;
