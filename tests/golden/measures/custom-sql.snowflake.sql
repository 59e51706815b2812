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
